"""Backups on both databases: a copy that is put back holds nobody who has been erased since."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.access import erasure
from gateway.access.retention import Retention
from gateway.audit.aftermath import finish
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import ErasureListError, count, numbers, parse_erasure_list
from gateway.audit.record import record
from gateway.audit.restoring import restore
from gateway.installation import open_services
from gateway.settings import signing_key_path
from gateway.storage import backup, leaves
from gateway.storage.backup import BackupError
from gateway.storage.engine import StorageUnavailableError, open_database
from tests.contract.audit.test_erasure import accept_as, erase, everything, planned, seal_all


@pytest.fixture
def installed(services):
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:01", contact="kari@eksempel.no")
    accept_as(services, "Per Åsen", "02:00:00:00:00:02")
    seal_all(services)
    return services


def forget(services, **wanted):
    plan = planned(services, **wanted)
    done = erase(services, plan)
    assert isinstance(done, erasure.Erased)
    after = finish(
        services.database, services.place, services.settings.state, done.leaf_ids, erasure.marks(plan), services.clock()
    )
    assert after.unwiped is None
    return plan


def put_back(services, copy, lists=()):
    services.database.close()
    return restore(services.settings, copy, list(lists), services.clock)


def test_a_backup_is_private_whole_and_without_a_key(installed, tmp_path):
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "kopi" in path.name] == ["kopi"]
    key = signing_key_path(installed.settings).read_bytes()
    secret = key.strip().split(b"+", 4)[-1]
    assert len(secret) > 30
    assert secret not in copy.read_bytes()
    with pytest.raises(backup.UsageError, match="exists"):
        backup.backup(installed.database, copy)
    before = everything(installed)
    done = put_back(installed, copy)
    assert done.erased_again == 0
    assert everything(installed) == before


def test_who_was_erased_since_is_erased_again(installed, tmp_path):
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    accept_as(installed, "Lise Ny", "02:00:00:00:00:03")
    seal_all(installed)
    plan = forget(installed, name="Kari")
    forget(installed, name="Lise")
    done = put_back(installed, copy)
    text = everything(installed)
    assert (done.erased_again, done.unwiped) == (1, None)
    assert "Kari Nordmann" not in text
    assert "02:00:00:00:00:01" not in text
    assert "Per Åsen" in text
    if installed.database.is_sqlite:
        data = installed.database.sqlite_path.read_bytes()
        assert [mark for mark in erasure.marks(plan) if mark in data] == []
        assert b"Kari Nordmann" not in data
    with installed.database.read() as session:
        listed = current_list(session, installed.place)
        waiting = [json.loads(leaf.entry) for leaf in leaves.staged(session, installed.place.owner_id, 10)]
    assert list(numbers(listed.leaves)) == list(plan.numbers)
    assert [(leaf["type"], leaf["ground"]) for leaf in waiting] == [("erased", "restore")]
    kept = parse_erasure_list((installed.settings.state / "erasure-list.txt").read_bytes())
    assert replace(kept, ids=listed.ids) == listed
    assert set(kept.ids) > set(listed.ids), "Lise, whom this database does not know, may stand in another backup"


def test_a_list_from_elsewhere_counts_where_this_machine_knows_nothing(installed, tmp_path):
    copy, pushed = tmp_path / "kopi", tmp_path / "delt" / "liste.txt"
    backup.backup(installed.database, copy)
    forget(installed, name="Kari")
    kept = installed.settings.state / "erasure-list.txt"
    pushed.parent.mkdir()
    shutil.move(kept, pushed)
    put_back(installed, copy)  # the database being replaced still knows
    assert "Kari Nordmann" not in everything(installed)
    kept.unlink()
    installed.database.close()
    if installed.database.is_sqlite:
        backup.discard_sqlite(installed.database.sqlite_path)
        assert put_back(installed, copy).erased_again == 0
        assert "Kari Nordmann" in everything(installed), "without any list she comes back, which is why it is pushed"
        backup.discard_sqlite(installed.database.sqlite_path)
    assert put_back(installed, copy, [pushed]).erased_again == 1
    assert "Kari Nordmann" not in everything(installed)


def test_a_copy_put_back_by_hand_is_cleared_at_the_next_start(installed, tmp_path):
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    forget(installed, name="Kari")
    installed.database.close()
    if installed.database.is_sqlite:
        backup.discard_sqlite(installed.database.sqlite_path)
        shutil.copy(copy, installed.database.sqlite_path)
    else:
        backup.restore_postgres(installed.database, copy)
    started = open_services(installed.settings, installed.clock)
    assert "Kari Nordmann" not in everything(started)
    before = everything(started)
    started.database.close()
    again = open_services(installed.settings, installed.clock)
    assert everything(again) == before
    again.database.close()


def test_numbers_beyond_where_a_restored_log_went_on_are_other_peoples(installed, tmp_path):
    """Another gateway's old list must not erase the leaves that took the numbers of those that were lost."""
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    with installed.database.read() as session:
        size = leaves.find_head(session, installed.place.owner_id).size
    accept_as(installed, "Lise Ny", "02:00:00:00:00:03")
    seal_all(installed)
    forget(installed, name="Kari")
    forget(installed, name="Lise")
    state = installed.settings.state
    old = {name: (state / name).read_bytes() for name in ("erasure-list.txt",)}
    put_back(installed, copy)
    with installed.database.write() as session:
        record(
            session, installed.place, "restored",
            {"size": size, "root": "r", "known_size": size + 1, "known_root": "k"}, {"by": "it-ola"}, installed.clock(),
        )  # fmt: skip
    for number in range(9):
        accept_as(installed, f"Senere {number}", f"02:00:00:00:01:{number:02x}")
    seal_all(installed)
    for name, data in old.items():
        (state / name).write_bytes(data)
    open_services(installed.settings, installed.clock).database.close()
    text = everything(installed)
    assert all(f"Senere {number}" in text for number in range(9))
    assert "Kari Nordmann" not in text


def test_a_list_of_another_log_or_a_damaged_one_stops_the_start(installed):
    path = installed.settings.state / "erasure-list.txt"
    path.write_bytes(b"gjestenett erasure list v1\nexample.org/other\nsize 3\n1\n")
    with pytest.raises(ErasureListError, match=r"of the log example\.org/other"):
        open_services(installed.settings, installed.clock)
    path.write_bytes(b"gjestenett erasure list v1\n")
    with pytest.raises(ErasureListError, match="damaged"):
        open_services(installed.settings, installed.clock)


def test_nothing_is_put_back_while_the_database_is_open(installed, tmp_path):
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    before = everything(installed)
    other = open_database(installed.settings.database_url)
    with other.read() as session:
        session.connection()
        with pytest.raises((BackupError, StorageUnavailableError), match="stop every service"):
            put_back(installed, copy)
    other.close()
    assert everything(installed) == before


@pytest.mark.parametrize(
    "content", [b"", b"nothing of the kind", b"SQLite format 3\0" + b"x" * 5000, b"PGDMP" + b"x" * 500]
)
def test_what_is_no_backup_is_refused(installed, tmp_path, content):
    copy = tmp_path / "kopi"
    copy.write_bytes(content)
    before = everything(installed)
    with pytest.raises(BackupError, match=r"is no backup|is damaged|pg_restore failed"):
        put_back(installed, copy)
    assert everything(installed) == before


def test_an_older_backup_is_migrated(installed, tmp_path):
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    installed.clock.advance(timedelta(days=1))
    put_back(installed, copy)
    open_services(installed.settings, installed.clock).database.close()


def acknowledged(services, size):
    with services.database.write() as session:
        record(
            session, services.place, "restored",
            {"size": size, "root": "r", "known_size": size + 9, "known_root": "k"}, {"by": "it-ola"}, services.clock(),
        )  # fmt: skip


def tree_size(services):
    with services.database.read() as session:
        return leaves.find_head(session, services.place.owner_id).size


def test_who_waited_to_be_sealed_in_the_backup_stays_erased_under_another_number(installed, tmp_path):
    acknowledged_first = tree_size(installed)
    accept_as(installed, "Lise Ny", "02:00:00:00:00:03")
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    seal_all(installed)
    forget(installed, name="Lise")
    assert put_back(installed, copy).erased_again == 1
    assert "Lise Ny" not in everything(installed)
    acknowledged(installed, acknowledged_first)
    accept_as(installed, "Senere", "02:00:00:00:00:04")
    seal_all(installed)
    Retention(installed.database, installed.place, installed.settings, installed.clock)._wipe()
    text = everything(installed)
    assert "Lise Ny" not in text
    assert "02:00:00:00:00:03" not in text
    assert "Senere" in text
    with installed.database.read() as session:
        assert count(current_list(session, installed.place).leaves) == 1


def test_a_list_of_another_history_erases_nobody_and_stops_the_start(installed, tmp_path):
    """Put back unnoticed, the log went on otherwise: the same number is another person's."""
    copy = tmp_path / "kopi"
    backup.backup(installed.database, copy)
    accept_as(installed, "Lise Ny", "02:00:00:00:00:03")
    seal_all(installed)
    [number] = forget(installed, name="Lise").numbers
    path = installed.settings.state / "erasure-list.txt"
    old = path.read_bytes()
    put_back(installed, copy)
    accept_as(installed, "Senere", "02:00:00:00:00:04")
    accept_as(installed, "Senere også", "02:00:00:00:00:05")
    seal_all(installed)
    path.write_bytes(old)
    with pytest.raises(ErasureListError, match=rf"of another history .* {number}\."):
        open_services(installed.settings, installed.clock)
    text = everything(installed)
    assert "Senere\n" in text
    assert "Senere også" in text


def test_a_list_of_after_a_restore_says_nothing_of_what_that_restore_lost(installed, tmp_path):
    """Of two restores the second puts back what the first had lost."""
    early, late = tmp_path / "tidlig", tmp_path / "sen"
    backup.backup(installed.database, early)
    size = tree_size(installed)
    for number in range(4):
        accept_as(installed, f"Tidligere {number}", f"02:00:00:00:01:{number:02x}")
    seal_all(installed)
    backup.backup(installed.database, late)
    put_back(installed, early)
    acknowledged(installed, size)
    accept_as(installed, "Lise Ny", "02:00:00:00:00:03")
    seal_all(installed)
    forget(installed, name="Lise")
    assert put_back(installed, late).erased_again == 0
    text = everything(installed)
    assert all(f"Tidligere {number}" in text for number in range(4))
