import pytest

from gateway.errors import GatewayError
from gateway.lists.compile import ListsError, compile_policy, starter_lists
from policies.document import default_document
from policies.hygiene import quarantined
from policies.snapshot import NamedList, open_snapshot


def test_the_starter_lists_are_used_unless_others_are_given() -> None:
    snapshot = open_snapshot(compile_policy(default_document(), 3, own_names=["gjest.internal"]))
    names = [each.name for each in snapshot.sources]
    assert [name for name in names if not name.startswith("built-in/")] == [each.source for each in starter_lists()]
    assert {"built-in/cloud_storage", "built-in/meetings", "built-in/messaging"} <= set(names)
    assert snapshot.never_blocked["gjest.internal"] == "own"
    only = NamedList("mine", "adult", "", ("a.no",))
    other = open_snapshot(compile_policy(default_document(), 3, lists=[only]))
    assert [each.name for each in other.sources if not each.name.startswith("built-in/")] == ["mine"]


def test_sections_and_the_quarantine_go_in() -> None:
    lists = [NamedList("mine", "adult", "", ("kommune.no", "a.no"))]
    snapshot = open_snapshot(compile_policy(default_document(), 3, lists=lists, sections={"judge": b"weights"}))
    assert bytes(snapshot.section("judge") or b"") == b"weights"
    assert snapshot.section("index") is None
    assert quarantined(snapshot.section("quarantine"), "lom.kommune.no")[0].reason == "public_suffix"
    assert snapshot.lookup("lom.kommune.no") == ()
    with pytest.raises(ListsError, match="own section"):
        compile_policy(default_document(), 3, sections={"facts": b""})


def test_what_it_adds_is_never_blocked_and_what_it_overrules_is_obeyed() -> None:
    document = default_document() | {
        "never_blocked": ["library.example"],
        "own_zones": ["lom.kommune.no"],
        "overrules": [{"name": "bologna.it"}, {"name": "sex.hu", "source": "other"}],
    }
    lists = [NamedList("mine", "adult", "", ("bologna.it", "sex.hu", "library.example"))]
    snapshot = open_snapshot(compile_policy(document, 3, lists=lists))
    assert snapshot.never_blocked["library.example"] == "it"
    assert snapshot.never_blocked["lom.kommune.no"] == "own"
    assert [each.name for each in snapshot.overruled] == ["library.example"]
    assert len(snapshot.lookup("bologna.it")) == 1
    assert snapshot.lookup("sex.hu") == ()


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compile_policy(default_document(), 3) == compile_policy(default_document(), 3)


def test_a_bad_policy_is_one_clear_line() -> None:
    document = default_document()
    document["groups"]["default"]["closed"] = ["datting"]
    with pytest.raises(ListsError, match=r"cannot be published: .*unknown category 'datting'") as caught:
        compile_policy(document, 1)
    assert isinstance(caught.value, GatewayError)
    assert "\n" not in str(caught.value)
