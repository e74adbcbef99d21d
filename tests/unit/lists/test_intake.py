"""From an arrived file to a list in use; whatever is wrong with it, the list before it stays."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import UsageError
from gateway.lists import store
from gateway.lists.active import active_lists
from gateway.lists.compile import ListsError, compile_policy
from gateway.lists.errors import RefusedError, SourceError
from gateway.lists.intake import Raw, only_writer, take_in
from gateway.lists.refresh import import_file
from gateway.lists.source import Source
from policies.decide import decide
from policies.document import default_document
from policies.snapshot import open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD = b"".join(b"name%d.no\n" % number for number in range(100))


def bring(state: Path, octets: bytes, accept: bool = False, **source: object) -> store.Facts:
    path = state.parent / "raw"
    path.write_bytes(octets)
    chosen = Source(**{"key": "mine", "category": "adult", **source})  # type: ignore[arg-type]
    with only_writer(state, chosen.key):
        return take_in(state, chosen, Raw(path, chosen.url), NOW, accept=accept)[0]


def names(state: Path, **source: object) -> dict[str, list[str]]:
    chosen = Source(**{"key": "mine", "category": "adult", **source})  # type: ignore[arg-type]
    return {each.category: list(each.entries) for each in active_lists(state, [chosen])}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_list_is_stored_sorted_and_once(state: Path) -> None:
    facts = bring(state, b"b.no\nA.no\nb.no\n@@ok.b.no\n1.2.3.4\n")
    assert names(state) == {"adult": ["a.no", "b.no"]}
    assert (facts.entries, facts.total("exceptions"), facts.duplicates, facts.lines) == (2, 1, 1, 5)
    assert facts.rejects == {"ip_address": 1}
    assert facts.examples == [[5, "1.2.3.4", "ip_address"]]
    text = store.folder_of(state, "mine") / "current"
    assert text.read_text() == "@@ok.b.no\na.no\nb.no\n"
    assert store.current_facts(state, "mine") == facts


def test_the_same_names_in_any_order_and_packing_are_the_same_list(state: Path) -> None:
    first = bring(state, b"b.no\na.no\n")
    again = bring(state, gzip.compress(b"# new remark\na.no\nb.no\nb.no\n"))
    assert again.sha256 == first.sha256
    assert again.raw_sha256 != first.raw_sha256
    assert store.current_facts(state, "mine") == again


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "html"),
        (b"", "empty"),
        (b'{"error": 1}', "json"),
        (GOOD[:200], "shrunk"),
        (b"\n".join(b"10.0.0.%d" % n for n in range(60)), "empty"),
        (GOOD + b"".join(b"a b%d\n" % n for n in range(200)), "mostly_rejects"),
        (b"some prose. no list\n" * 9 + b"x y" * 3_000_000, "unknown"),
        (gzip.compress(b"a.no\n" + b"x" * (20 << 20)), "bomb"),
        (gzip.compress(GOOD)[:-20], "cut_short"),
        (b"1,a.no\n2,b.no\n", "column"),
    ],
)
@pytest.mark.parametrize("format_", ["auto", "domains"])
def test_what_is_not_usable_leaves_the_list_in_use(state: Path, octets: bytes, reason: str, format_: str) -> None:
    bring(state, GOOD)
    before = sorted(each.name for each in store.folder_of(state, "mine").iterdir())
    if format_ == "domains" and reason in ("unknown", "column"):
        reason = "empty"  # told what it is, it is read as that, and holds nothing
    with pytest.raises(SourceError) as caught:
        bring(state, octets, format=format_)
    assert caught.value.reason == reason
    assert len(names(state)["adult"]) == 100
    assert sorted(each.name for each in store.folder_of(state, "mine").iterdir()) == before


def test_a_shrunk_list_can_be_accepted(state: Path) -> None:
    bring(state, GOOD)
    assert bring(state, GOOD[:200], accept=True).entries < 50


def test_lines_with_categories_become_lists_of_each(state: Path) -> None:
    text = b"host,kind\na.no,malware\nb.no,adult\nc.no,\nd.no,what\n"
    facts = bring(state, text, options={"column": "host", "category_column": "kind"})
    assert names(state) == {"adult": ["b.no", "c.no"], "malware": ["a.no"]}
    assert facts.rejects == {"unknown_category": 1}


def test_important_exact_and_permits(state: Path) -> None:
    bring(state, b"||a.no^\n||b.no^$important\n|c.no^\n@@||ok.a.no^\n")
    found = {each.source: each for each in active_lists(state, [Source("mine", "adult")])}
    assert list(found["mine"].entries) == ["a.no"]
    assert list(found["mine"].exact) == ["c.no"]
    assert list(found["mine"].exceptions) == ["ok.a.no"]
    assert list(found["mine!important"].entries) == ["b.no"]
    assert list(found["mine!important"].exceptions) == []
    bring(state, b"health.no\n", key="allow", options={"permits": True})
    [permits] = active_lists(state, [Source("allow", "adult", options={"permits": True})])
    assert (list(permits.permits), list(permits.entries)) == (["health.no"], [])


def test_switched_off_and_missing_sources_give_nothing(state: Path) -> None:
    bring(state, GOOD)
    assert active_lists(state, [Source("mine", "adult", enabled=False), Source("other", "adult")]) == ()


def test_old_versions_are_few_and_the_one_in_use_stays(state: Path) -> None:
    for number in range(8):
        bring(state, GOOD + b"extra%d.no\n" % number)
    folder = store.folder_of(state, "mine")
    assert len(list(folder.glob("*.txt"))) == len(list(folder.glob("*.json"))) == store.KEPT
    assert (folder / "current").exists()


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "{}",
        "[]",
        "null",
        '{"sha256": "SHA"}',
        "FEW 1}",
        "FEW {}}",
        'FEW {"": {"entries": 0}}}',
        'FEW {"": {"entries": "many"}}}',
        'FEW {"": 3}}',
        '{"source": "mine", "sha256": "0", "format": "", "fetched_at": "", "counts": {"": {"entries": 100}}}',
    ],
)
def test_damaged_facts_stop_the_compiling_and_the_next_refresh_mends_them(state: Path, damage: str) -> None:
    facts = bring(state, GOOD)
    path = store.folder_of(state, "mine") / f"{facts.sha256}.json"
    few = f'{{"source": "mine", "sha256": "{facts.sha256}", "format": "", "fetched_at": "", "counts":'
    path.write_text(damage.replace("FEW", few))
    assert store.current_facts(state, "mine") is None
    with pytest.raises(ListsError, match="mine"):
        names(state)
    assert names(state, enabled=False) == {}
    bring(state, GOOD)
    assert len(names(state)["adult"]) == 100


def test_lost_facts_or_a_link_to_nothing_stop_the_compiling(state: Path) -> None:
    facts = bring(state, GOOD)
    folder = store.folder_of(state, "mine")
    (folder / f"{facts.sha256}.json").unlink()
    with pytest.raises(ListsError, match="lists sync"):
        names(state)
    (folder / "current").unlink()
    assert names(state) == {}  # never fetched, as far as anybody can tell
    (folder / "current").write_text("no link")
    with pytest.raises(ListsError, match="mine"):
        names(state)


def test_facts_of_an_older_or_newer_version_are_read(state: Path) -> None:
    facts = bring(state, GOOD)
    path = store.folder_of(state, "mine") / f"{facts.sha256}.json"
    told = json.loads(path.read_text())
    few = {key: told[key] for key in ("source", "sha256", "format", "fetched_at", "counts")}
    path.write_text(json.dumps({**few, "of_tomorrow": [1]}))
    assert store.current_facts(state, "mine") is not None
    assert len(names(state)["adult"]) == 100


@pytest.mark.parametrize("damage", [b"", GOOD[:50], GOOD.replace(b"name1.no", b"name1.nu")])
def test_an_altered_text_stops_the_compiling_and_the_next_refresh_mends_it(state: Path, damage: bytes) -> None:
    facts = bring(state, GOOD)
    assert store.is_whole(state, facts)
    (store.folder_of(state, "mine") / f"{facts.sha256}.txt").write_bytes(damage)
    assert not store.is_whole(state, facts)
    with pytest.raises(ListsError, match=r"mine.*damaged"):
        names(state)
    bring(state, GOOD)
    assert len(names(state)["adult"]) == 100


def test_facts_are_on_the_disk_before_they_are_in_use(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(state, GOOD)
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr("os.fsync", lambda fd: (done.append(os.readlink(f"/proc/self/fd/{fd}")), fsync(fd))[1])
    monkeypatch.setattr("os.replace", lambda old, new: (done.append(f"renamed {new}"), replace(old, new))[1])
    facts = bring(state, GOOD + b"more.no\n")
    folder = store.folder_of(state, "mine")
    at = done.index(f"renamed {folder / facts.sha256}.json")
    assert str(folder / f"{facts.sha256}.new") in done[:at]
    assert str(folder) in done[at:]


def test_an_exact_exception_stands_for_itself_alone(state: Path) -> None:
    zone = "$ORIGIN rpz.test.\n*.badsite.example CNAME .\nbadsite.example CNAME rpz-passthru.\n"
    facts = bring(state, zone.encode())
    assert facts.total("exceptions", "exact_exceptions") == 1

    def permitted(name: str) -> bool:
        document = default_document()
        document["groups"]["default"]["closed"] = ["adult"]
        lists = active_lists(state, [Source("mine", "adult")])
        snapshot = open_snapshot(compile_policy(document, 1, lists=lists))
        group = snapshot.group("default")
        assert group is not None
        return decide(name, group, NOW, snapshot).permitted

    for _ in ("now", "from facts of the version before"):
        assert permitted("badsite.example")
        assert not permitted("www.badsite.example")
        path = store.folder_of(state, "mine") / f"{facts.sha256}.json"
        told = json.loads(path.read_text())
        told["counts"] = {"": {"entries": 1, "exceptions": 1}}
        path.write_text(json.dumps(told))


def test_a_list_of_permits_is_looked_through_too(state: Path) -> None:
    permits = {"key": "allow", "options": {"permits": True}}
    assert bring(state, GOOD + b"co.uk\nhelsenorge.no\n", **permits).suffix_examples == ["co.uk"]
    with pytest.raises(RefusedError) as caught:
        bring(state, b"".join(b"name%d.no\n" % number for number in range(2000)), **permits)
    assert caught.value.reason == "grown"
    with pytest.raises(RefusedError) as caught:
        bring(state, GOOD[:200], **permits)
    assert caught.value.reason == "shrunk"


def test_two_at_once_do_not_mix(state: Path) -> None:
    with only_writer(state, "mine"), pytest.raises(SourceError, match="another process"), only_writer(state, "mine"):
        pass


def test_a_disk_that_is_full_is_a_failed_refresh(state: Path, monkeypatch: pytest.MonkeyPatch, clock) -> None:
    bring(state, GOOD)
    (state.parent / "raw").write_bytes(GOOD + b"more.no\n")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = import_file(state, Source("mine", "adult"), state.parent / "raw", clock)
    assert (done.outcome, done.reason) == ("failed", "disk")
    assert "No space left" in done.message
    assert len(names(state)["adult"]) == 100


def test_an_unforeseen_error_is_one_sources_alone(state: Path, monkeypatch: pytest.MonkeyPatch, clock) -> None:
    (state.parent / "raw").write_bytes(GOOD)
    monkeypatch.setattr("gateway.lists.refresh.take_in", lambda *_, **__: 1 / 0)
    done = import_file(state, Source("mine", "adult"), state.parent / "raw", clock)
    assert (done.outcome, done.reason) == ("failed", "error")


def test_never_blocked_names_are_noted(state: Path) -> None:
    facts = bring(state, GOOD + b"sexogpolitikk.no\nbologna.it\n")
    assert facts.never_blocked_examples == ["sexogpolitikk.no"]
    assert facts.suffix_examples == ["bologna.it"]
    assert json.loads((store.folder_of(state, "mine") / f"{facts.sha256}.json").read_text())["never_blocked"] == 1


def test_too_many_are_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.lists.intake.MAX_ENTRIES", 50)
    with pytest.raises(RefusedError, match="more than 50"):
        bring(state, GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "../x"},
        {"key": "A"},
        {"key": "benign.txt"},
        {"category": "nonsense"},
        {"format": "nonsense"},
        {"options": {"what": 1}},
    ],
)
def test_a_source_that_is_not_understood(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Source(**{"key": "mine", "category": "adult", **wrong})  # type: ignore[arg-type]


def test_what_another_source_of_the_same_key_has_left_is_not_in_use(state: Path) -> None:
    here, there = "https://lists.example/a.txt", "https://lists.example/b.txt"
    bring(state, GOOD, url=here)
    left = store.folder_of(state, "mine") / "current"
    assert len(names(state, url=here)["adult"]) == 100
    assert names(state, url=here, category="gambling") == {}
    assert names(state, url=there) == {}
    assert names(state) == {}
    assert left.exists()
    bring(state, b"casino.example\n", url=there, category="gambling")  # not measured by the other's: it has "shrunk"
    assert names(state, url=there, category="gambling") == {"gambling": ["casino.example"]}


def test_a_list_carried_in_by_hand_stands_until_its_address_is_fetched(state: Path) -> None:
    bring(state, GOOD)
    assert len(names(state, url="https://lists.example/a.txt")["adult"]) == 100
