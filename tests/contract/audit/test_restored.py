"""A database restored from a backup is found out, on SQLite by really copying the file back, and signs nothing."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta

import pytest

from gateway.audit.acknowledging import acknowledge_restore
from gateway.audit.checkpoint import parse_checkpoint, sign_checkpoint
from gateway.audit.errors import AuditError
from gateway.audit.memory import ForgottenError
from gateway.audit.record import record
from gateway.audit.restored import RestoredError
from gateway.audit.sealer import Sealer, seal_staged
from gateway.installation import read_signing_key, sealer_memory
from gateway.storage import leaves, log_restores, log_targets

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
