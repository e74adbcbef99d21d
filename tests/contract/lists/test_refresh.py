"""A whole refresh from a real server: what is good is put in use, what is not leaves the list that was."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from gateway.lists import due as to_refresh
from gateway.lists import sources, store
from gateway.lists.compile import ListsError
from gateway.lists.download import DownloadLimits
from gateway.lists.jobs import compile_in_force, lists_in_use
from gateway.lists.reader import current_path, read_snapshot
from gateway.lists.refresh import Refresh, refresh
from gateway.lists.source import Source
from gateway.storage import lists as stored

GOOD = b"".join(b"casino%d.example\n" % number for number in range(100))
QUICK = DownloadLimits(total_s=1.5, connect_s=1, read_s=0.7)


async def nowhere(host: str) -> list[str]:
    raise AssertionError(f"{host} must not be looked up")


def bring(services, source: Source, **options: object) -> Refresh:
    state = services.settings.state
    done = refresh(state, source, nowhere, services.clock, download_limits=QUICK, **options)  # type: ignore[arg-type]
    with services.database.write() as session:
        sources.put(session, services.place, source, "test", services.clock())
        sources.record_refresh(session, services.place, done)
    return done


def source_at(url: str, **more: object) -> Source:
    return Source(**{"key": "mine", "category": "gambling", "url": url, "internal": True, **more})  # type: ignore[arg-type]


def test_a_new_list_reaches_the_snapshot(services, server) -> None:
    state = services.settings.state
    before = lists_in_use(services.database, services.place, state)
    assert bring(services, source_at(server.put("/list", GOOD))).outcome == "updated"
    assert lists_in_use(services.database, services.place, state) != before
    compile_in_force(services.database, services.place, state, (), anew=True)
    [listing] = read_snapshot(current_path(state)).lookup("www.casino7.example")
    assert (listing.source, listing.category) == ("mine", "gambling")


def test_unchanged_by_validator_and_by_content(services, server) -> None:
    source = source_at(server.put("/list", GOOD, ETag='"1"'))
    assert bring(services, source).outcome == "updated"
    server.put("/list", b"", status="304 Not Modified")
    assert bring(services, source).outcome == "unchanged"
    assert b'"1"' in server.requests[-1]
    server.put("/list", b"# another day\n" + GOOD, ETag='"2"')
    assert bring(services, source).outcome == "unchanged"
    facts = store.current_facts(services.settings.state, "mine")
    assert facts is not None
    assert (facts.etag, facts.entries) == ('"2"', 100)


def test_a_damaged_list_keeps_the_old_snapshot_and_is_fetched_whole(services, server) -> None:
    state = services.settings.state
    source = source_at(server.put("/list", GOOD, ETag='"1"'))
    bring(services, source)
    compile_in_force(services.database, services.place, state, (), anew=True)
    before = current_path(state).read_bytes()
    facts = store.current_facts(state, "mine")
    assert facts is not None
    folder = store.folder_of(state, "mine")
    for suffix, damage in ((".txt", GOOD[:500]), (".json", b"")):
        (folder / f"{facts.sha256}{suffix}").write_bytes(damage)
        with pytest.raises(ListsError, match="lists sync mine"):
            compile_in_force(services.database, services.place, state, (), anew=True)
        assert current_path(state).read_bytes() == before
        assert bring(services, source).outcome in ("unchanged", "updated")
        assert b"if-none-match" not in server.requests[-1].lower()
        assert compile_in_force(services.database, services.place, state, (), anew=True) is None  # the very same


def test_another_address_is_fetched_whole(services, server) -> None:
    bring(services, source_at(server.put("/list", GOOD, ETag='"1"')))
    bring(services, source_at(server.put("/other", GOOD + b"more.example\n")))
    assert b"if-none-match" not in server.requests[-1].lower()


BAD = {
    "gone": (b"", "404 Not Found", "failed", "status"),
    "html": (b"<!doctype html><html>Please sign in</html>", "200 OK", "refused", "html"),
    "empty": (b"", "200 OK", "refused", "empty"),
    "shrunk": (GOOD[:300], "200 OK", "refused", "shrunk"),
    "bomb": (gzip.compress(b"\0" * (40 << 20)), "200 OK", "failed", "bomb"),
    "cut": (gzip.compress(GOOD)[:-30], "200 OK", "failed", "cut_short"),
}


@pytest.mark.parametrize("what", BAD)
def test_whatever_comes_instead_the_old_list_stays(services, server, what: str) -> None:
    state = services.settings.state
    source = source_at(server.put("/list", GOOD))
    bring(services, source)
    body, status, outcome, reason = BAD[what]
    server.put("/list", body, status=status)
    done = bring(services, source)
    assert (done.outcome, done.reason) == (outcome, reason)
    assert done.message
    facts = store.current_facts(state, "mine")
    assert facts is not None
    assert facts.entries == 100
    assert sorted(each.suffix for each in store.folder_of(state, "mine").iterdir()) == ["", ".json", ".txt"]
    with services.database.read() as session:
        newest = stored.history(session, services.place.owner_id, services.place.gateway_id, "mine")[0]
    assert (newest.outcome, newest.reason, newest.entries) == (outcome, reason, 100)


def test_a_hanging_server_leaves_the_old_list(services, server) -> None:
    source = source_at(server.put("/list", GOOD))
    bring(services, source)
    server.answers["/list"] = lambda _connection, _request: server.stopping.wait(5)
    assert bring(services, source).reason == "timeout"
    assert store.current_facts(services.settings.state, "mine") is not None
    server.stopping.set()


def test_a_packed_publication_with_the_member_named(services, server) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in (("games/urls", b"x"), ("games/domains", GOOD)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    source = source_at(server.put("/games.tar.gz", buffer.getvalue()), options={"member": "games/domains"})
    assert bring(services, source).outcome == "updated"


def test_sources_become_due_in_their_rhythm_and_sooner_after_a_failure(services, server, clock) -> None:
    from datetime import timedelta

    def due() -> list[str]:
        with services.database.read() as session:
            return [each.source.key for each in to_refresh.due(session, services.place, clock())]

    source = source_at(server.put("/list", GOOD))
    with services.database.write() as session:
        sources.put(session, services.place, source, "test", clock())
    assert due() == ["mine"]
    bring(services, source)
    assert due() == []
    clock.advance(timedelta(hours=21))
    assert due() == []
    clock.advance(timedelta(hours=6))
    assert due() == ["mine"]
    server.put("/list", b"", status="500 Oops")
    bring(services, source)
    assert due() == []
    clock.advance(timedelta(minutes=6))
    assert due() == ["mine"]


def test_a_download_leaves_nothing_behind_when_the_state_is_read_only(
    services, server, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "pathlib.Path.mkdir", lambda *_, **__: (_ for _ in ()).throw(OSError(30, "Read-only file system"))
    )
    done = refresh(tmp_path / "none", source_at(server.put("/list", GOOD)), nowhere, services.clock)
    assert (done.outcome, done.reason) == ("failed", "disk")
    assert server.requests == []
