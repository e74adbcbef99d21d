"""A database restored from a backup is found out, on SQLite by really copying the file back, and signs nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import timedelta

import pytest

from gateway.audit.acknowledging import acknowledge_restore
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.audit.custody import rotate_key
from gateway.audit.errors import AuditError
from gateway.audit.memory import ForgottenError
from gateway.audit.note import SignerKey
from gateway.audit.push import push
from gateway.audit.record import record
from gateway.audit.restored import RestoredError
from gateway.audit.sealer import Sealer, seal_staged
from gateway.audit.targets.look import look_into_directories
from gateway.installation import read_signing_key, sealer_memory
from gateway.settings import signing_key_path
from gateway.settings.log import DirectoryTarget
from gateway.storage import leaves, log_restores, log_targets
from gateway.storage.types import new_id

pytestmark = pytest.mark.parametrize("services", ["sqlite"], indirect=True)  # a file is restored


def stage(services, count=1):
    for number in range(count):
        with services.database.write() as session:
            fields = {"before": "2026-01-01", "erased": str(number)}
            record(session, services.place, "retention_run", fields, {}, services.clock())


def seal(services, **more):
    signer, place, memory = read_signing_key(services.settings), services.place, sealer_memory(services.settings)
    return seal_staged(
        services.database, place.owner_id, place.log_origin, signer, services.clock(), memory=memory, **more
    )


def sealer(services):
    signer, place, memory = read_signing_key(services.settings), services.place, sealer_memory(services.settings)
    return Sealer(services.database, place.owner_id, place.log_origin, signer, services.clock, memory=memory)


def head(services):
    with services.database.read() as session:
        return parse_checkpoint(leaves.find_head(session, services.place.owner_id).checkpoint.encode())[0]


def back_up(services, path):
    source, target = sqlite3.connect(services.database.sqlite_path), sqlite3.connect(path)
    with source, target:
        source.backup(target)
    source.close()
    target.close()


def restore(services, path):
    """As `cp` of yesterday's file over today's, with nothing left of the write-ahead log."""
    services.database.close()
    for suffix in ("-wal", "-shm"):
        services.database.sqlite_path.with_name(services.database.sqlite_path.name + suffix).unlink(missing_ok=True)
    shutil.copy(path, services.database.sqlite_path)


def entries(services):
    with services.database.read() as session:
        size = leaves.find_head(session, services.place.owner_id).size
        return [entry for _, _, entry in leaves.entries(session, services.place.owner_id, 0, size)]


def acknowledge(services):
    with services.database.write() as session:
        acknowledge_restore(session, services.place, by="ola", reason="disk died", now=services.clock())


def open_restore(services):
    with services.database.read() as session:
        return log_restores.open_restore(session, services.place.owner_id)


def test_yesterdays_backup_is_not_signed_until_acknowledged(services, tmp_path, caplog):
    stage(services, 3)
    seal(services)
    back_up(services, tmp_path / "yesterday")
    stage(services, 4)
    seal(services)
    signed = head(services)
    restore(services, tmp_path / "yesterday")
    before = head(services)
    stage(services, 2)  # a guest is accepted meanwhile
    with pytest.raises(RestoredError, match="holds less than was signed"):
        seal(services)
    assert head(services) == before

    running = sealer(services)
    for _ in range(2):
        running.round()
    assert len([each for each in caplog.records if "acknowledge-restore" in each.message]) == 1
    found = open_restore(services)
    assert (found.size, found.known_size) == (before.size, signed.size)
    acknowledge(services)
    running.round()
    assert open_restore(services) is None
    after = entries(services)
    assert b'"type":"restored"' in after[before.size]
    assert f'"known_size":{signed.size}'.encode() in after[before.size]
    assert [b"retention_run" in entry for entry in after[before.size + 1 :]] == [True, True]
    stage(services)
    assert seal(services) == 1


def test_a_second_restore_is_found_although_the_first_was_acknowledged(services, tmp_path):
    seal(services)
    back_up(services, tmp_path / "one")
    stage(services, 9)
    seal(services)
    restore(services, tmp_path / "one")
    sealer(services).round()
    acknowledge(services)
    assert seal(services) == 1
    back_up(services, tmp_path / "two")
    stage(services, 2)
    seal(services)
    restore(services, tmp_path / "two")
    stage(services)
    with pytest.raises(RestoredError):
        seal(services)


def test_a_backup_from_after_the_last_signature_is_no_restore(services, tmp_path):
    stage(services, 3)
    seal(services)
    back_up(services, tmp_path / "now")
    restore(services, tmp_path / "now")
    stage(services)
    assert seal(services) == 1
    assert open_restore(services) is None


def test_another_history_of_the_same_size_is_found(services, tmp_path, caplog):
    seal(services)
    back_up(services, tmp_path / "fork")
    stage(services, 3)
    seal(services)
    restore(services, tmp_path / "fork")
    memory = sealer_memory(services.settings)
    kept = memory.path.read_bytes()
    memory.path.unlink()  # somebody else has gone on with the old file
    services.clock.advance(timedelta(seconds=1))
    stage(services, 5)
    seal(services)
    assert "only targets can tell" in caplog.text
    memory.path.write_bytes(kept)
    stage(services)
    with pytest.raises(RestoredError, match="another history"):
        seal(services)


def test_what_a_target_holds_counts_where_the_memory_was_restored_too(services, tmp_path):
    stage(services, 3)
    seal(services)
    back_up(services, tmp_path / "yesterday")
    memory = sealer_memory(services.settings)
    kept = memory.path.read_bytes()
    stage(services, 4)
    seal(services)
    with services.database.read() as session:
        note = leaves.find_head(session, services.place.owner_id).checkpoint
    restore(services, tmp_path / "yesterday")
    memory.path.write_bytes(kept)
    assert seal(services) == 0
    size = parse_checkpoint(note.encode())[0].size
    with services.database.write() as session:
        log_targets.holds(session, services.place.owner_id, "arkiv", "directory", size, note)
    with pytest.raises(RestoredError, match="the target arkiv"):
        seal(services)  # although nothing is staged
    sealer(services).round()
    acknowledge(services)
    assert seal(services) == 1
    stage(services, 20)  # beyond the size that the target holds
    assert seal(services) == 20


@pytest.mark.parametrize("written", [False, True], ids=["memory not written", "memory written"])
def test_a_sealer_cut_off_before_its_commit_signs_the_same_again(services, monkeypatch, written):
    stage(services, 3)
    seal(services)
    stage(services, 4)
    if written:
        monkeypatch.setattr(leaves, "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seal(services)
        monkeypatch.undo()
    pending = sealer_memory(services.settings).read().newest
    stage(services, 2)  # came meanwhile, and comes after
    sizes = []
    while seal(services):
        sizes.append(head(services))
    if written:
        assert sizes[0] == pending
    assert len(entries(services)) == sizes[-1].size
    assert open_restore(services) is None


def test_a_first_sealing_cut_off_is_no_restore(services, monkeypatch):
    monkeypatch.setattr(leaves, "append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seal(services)
    monkeypatch.undo()
    assert seal(services) > 0


def test_a_memory_that_is_damaged_or_can_not_be_written_stops_signing(services):
    memory = sealer_memory(services.settings)
    memory.path.write_text("{}")
    with pytest.raises(ForgottenError, match="damaged"):
        seal(services)
    memory.path.unlink()
    memory.path.mkdir()
    with pytest.raises(ForgottenError):
        seal(services)
    with services.database.read() as session:
        assert leaves.is_staged(session, services.place.owner_id)


def test_nothing_to_acknowledge(services):
    with pytest.raises(AuditError, match="no restore waits"):
        acknowledge(services)


def test_the_clock_stepping_back_changes_no_order(services):
    seal(services)
    first = head(services)
    services.clock.advance(timedelta(days=-400))
    stage(services, 3)
    assert seal(services) == 3
    services.clock.advance(timedelta(days=400))
    stage(services, 1)
    assert seal(services) == 1
    after = entries(services)
    times = [entry.split(b'"at":"')[1][:4] for entry in after[first.size :]]
    assert times == [b"2025", b"2025", b"2025", b"2026"]
    assert [b'"erased":"%d"' % n in entry for n, entry in zip((0, 1, 2, 0), after[first.size :], strict=True)] == [
        True
    ] * 4


def test_a_foreign_signature_in_the_memory_is_only_compared(services):
    """Who can write the memory can already sign; the file needs no signature check, only to be a checkpoint."""
    stage(services)
    seal(services)
    remembered = sealer_memory(services.settings).read().newest
    assert remembered == head(services)
    note = sign_checkpoint(remembered, read_signing_key(services.settings))
    sealer_memory(services.settings).write(note.decode())
    assert seal(services) == 0


KEY = SignerKey("example.org/x", bytes(32))


def checkpoint(services):
    with services.database.read() as session:
        return leaves.find_head(session, services.place.owner_id).checkpoint


def holds(services, name, size, note="", kind="directory"):
    with services.database.write() as session:
        log_targets.holds(session, services.place.owner_id, name, kind, size, note)


def restored_to_yesterday(services, tmp_path):
    """With the sealer's memory of today. Returns what was signed last."""
    stage(services, 3)
    seal(services)
    back_up(services, tmp_path / "yesterday")
    stage(services, 4)
    seal(services)
    signed = checkpoint(services)
    restore(services, tmp_path / "yesterday")
    return signed


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0},
        {"root": "AAAA"},
        {"known_size": 10**9},
        {"known_root": ""},
        {"known_root": "AAAA"},
        "another type",
        "no entry",
    ],
    ids=str,
)
def test_only_an_entry_that_names_this_contradiction_acknowledges_it(services, tmp_path, change):
    """Whoever can write to the database can point a row at any staged leaf."""
    restored_to_yesterday(services, tmp_path)
    sealer(services).round()
    found, place = open_restore(services), services.place
    fields = {key: getattr(found, key) for key in ("size", "root", "known_size", "known_root")}
    with services.database.write() as session:
        row = log_restores.open_restore(session, place.owner_id)
        if change == "another type":
            leaf = record(session, place, "retention_run", {"before": "x", "erased": 1}, {}, services.clock())
        elif change == "no entry":
            leaf = new_id()
            leaves.stage(session, place.owner_id, leaf, b"restored", {}, services.clock())
        else:
            leaf = record(session, place, "restored", fields | change, {"by": "x"}, services.clock())
        log_restores.acknowledge(session, row, leaf)
    before = head(services)
    for _ in range(2):
        sealer(services).round()
    assert head(services) == before
    assert open_restore(services) is not None
    acknowledge(services)
    assert seal(services) > 0


def test_rows_that_claim_an_acknowledgement_count_for_nothing_once_sealed(services):
    stage(services, 3)
    seal(services)
    with services.database.write() as session:
        found = [log_restores.Found(10**9, "", "x")]
        log_restores.report(session, services.place.owner_id, size=1, root="", found=found, now=services.clock())
        row = log_restores.open_restore(session, services.place.owner_id)
        leaf = record(session, services.place, "retention_run", {"before": "x", "erased": 1}, {}, services.clock())
        log_restores.acknowledge(session, row, leaf)
    assert seal(services) == 1
    holds(services, "arkiv", 50)
    with pytest.raises(RestoredError, match="the target arkiv"):
        seal(services)


def test_all_that_was_found_is_acknowledged_at_once_each_by_its_own_entry(services, tmp_path):
    signed = parse_checkpoint(restored_to_yesterday(services, tmp_path).encode())[0]
    other = sign_checkpoint(
        Checkpoint(services.place.log_origin, signed.size - 1, bytes(32)), read_signing_key(services.settings)
    ).decode()
    holds(services, "arkiv", signed.size - 1, other)
    holds(services, "later", signed.size + 9)
    before = head(services)
    sealer(services).round()
    assert open_restore(services).known_from == "the target later"
    acknowledge(services)
    assert seal(services) == 3
    said = [json.loads(entry) for entry in entries(services)[before.size :]]
    assert {(each["type"], each["known_size"]) for each in said} == {
        ("restored", signed.size + each) for each in (-1, 0, 9)
    }
    stage(services, 40)
    assert seal(services) == 40


def test_what_one_source_tells_covers_no_other(services):
    stage(services, 3)
    seal(services)
    holds(services, "one", 10**9)
    sealer(services).round()
    acknowledge(services)
    assert seal(services) == 1
    holds(services, "two", 50, sign_checkpoint(Checkpoint("example.org/x", 50, bytes(32)), KEY).decode())
    with pytest.raises(RestoredError, match="the target two knows 50"):
        seal(services)
    holds(services, "two", 2)
    holds(services, "one", 10**9 - 1)
    with pytest.raises(RestoredError, match="the target one"):
        seal(services)


def test_the_number_alone_that_a_witness_tells_stops_nothing(services):
    stage(services, 3)
    seal(services)
    holds(services, "nabo", 10**9, kind="witness")
    stage(services)
    assert seal(services) == 1
    assert seal(services) == 0


def test_an_acknowledgement_cut_off_while_it_is_sealed_is_sealed_the_same_again(services, tmp_path, monkeypatch):
    restored_to_yesterday(services, tmp_path)
    sealer(services).round()
    acknowledge(services)
    stage(services, 2)
    monkeypatch.setattr(leaves, "append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seal(services)
    monkeypatch.undo()
    pending = sealer_memory(services.settings).read().pending
    stage(services, 2)
    assert seal(services) == 3
    assert head(services) == pending
    assert seal(services) == 2


def test_a_machine_restored_from_before_the_key_was_replaced_signs_nothing(services, tmp_path):
    """Database, keys and memory are all of yesterday; the share alone has seen what the new key signed."""
    share, place, owner = tmp_path / "share", services.place, services.place.owner_id
    share.mkdir()
    keys = signing_key_path(services.settings).parent
    stage(services, 3)
    seal(services)
    back_up(services, tmp_path / "yesterday")
    shutil.copytree(keys, tmp_path / "keys")
    rotate_key(services.database, place, keys / "log.key", by="ola", reason="r", now=services.clock())
    target = DirectoryTarget(name="arkiv", kind="directory", path=share)
    for _ in range(3):
        stage(services, 4)
        seal(services)
        push(services.database, place, (target,), lambda *_: b"", services.clock)
    restore(services, tmp_path / "yesterday")
    shutil.rmtree(keys)
    shutil.copytree(tmp_path / "keys", keys)
    look_into_directories(services.database, place, (target,))
    stage(services)
    with pytest.raises(RestoredError, match="the target arkiv"):
        seal(services)
    sealer(services).round()
    acknowledge(services)
    assert seal(services) == 2
    with services.database.read() as session:
        assert log_restores.open_restore(session, owner) is None
