"""Replacing the log's key: on both databases, while a sealer runs, and where the database is restored from before
it.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.audit import custody, note
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.custody import CustodyError, rotate_key
from gateway.audit.errors import NoteError
from gateway.audit.record import record
from gateway.audit.rotation import chain_to, encode_rotations, follow, open_rotation, parse_rotations, sign_rotation
from gateway.audit.sealer import Sealer
from gateway.installation import (
    open_services,
    open_signing_key,
    prepare,
    public_key_path,
    read_signing_key,
    sealer_memory,
)
from gateway.settings import signing_key_path
from gateway.storage import leaves
from tests.contract.audit.test_restored import acknowledge, back_up, restore

ORIGIN = "log.example.no/kommune"
KEYS = [note.SignerKey(ORIGIN, bytes([number]) * 32) for number in range(4)]


def rotate(services):
    path = signing_key_path(services.settings)
    return rotate_key(services.database, services.place, path, by="ola", reason="r", now=services.clock())


def sealer(services):
    place = services.place
    return Sealer(
        services.database,
        place.owner_id,
        place.log_origin,
        open_signing_key(services),
        services.clock,
        memory=sealer_memory(services.settings),
        open_key=lambda: open_signing_key(services),
    )


def head(services):
    with services.database.read() as session:
        return leaves.find_head(session, services.place.owner_id).checkpoint.encode()


def test_a_running_sealer_signs_with_the_new_key_and_the_old_one_speaks_for_it(services):
    running = sealer(services)
    running.round()
    first = running.signer.verifier
    second, third = rotate(services), rotate(services)
    for _ in range(3):
        running.round()
    assert open_checkpoint(head(services), [third]).size > 2
    with pytest.raises(NoteError):
        open_checkpoint(head(services), [first, second])
    with services.database.read() as session:
        notes = [text.encode() for text in leaves.rotations(session, services.place.owner_id)]
    assert follow(notes, services.place.log_origin, first) == (first, second, third)
    assert follow(notes, services.place.log_origin, second) == (second, third)
    assert public_key_path(services.settings).read_text() == f"{first}\n{second}\n{third}\n"
    names = sorted(path.name for path in signing_key_path(services.settings).parent.iterdir())
    assert names == ["log.key", "log.key.memory", "log.key.rotations"]  # no old private key


def test_only_the_holder_of_the_key_replaces_it(services):
    path = signing_key_path(services.settings)
    kept = path.read_text()
    path.unlink()
    with pytest.raises(CustodyError, match="is missing"):
        rotate(services)
    path.touch(mode=0o600)
    path.write_text(note.SignerKey(services.place.log_origin, bytes(32)).key_file())
    with pytest.raises(CustodyError, match="is not the key"):
        rotate(services)
    path.write_text(kept)
    rotate(services)


@pytest.mark.parametrize("services", ["sqlite"], indirect=True)
def test_a_database_restored_from_before_the_replacement_learns_of_it_again(services, tmp_path):
    running = sealer(services)
    running.round()
    first = running.signer.verifier
    back_up(services, tmp_path / "before")
    second, third = rotate(services), rotate(services)
    for _ in range(3):
        running.round()
    restore(services, tmp_path / "before")
    prepare(services.settings, services.clock).database.close()
    with services.database.read() as session:
        notes = [text.encode() for text in leaves.rotations(session, services.place.owner_id)]
    assert follow(notes, services.place.log_origin, first) == (first, second, third)
    running = sealer(services)
    assert running.signer.verifier == third
    running.round()
    acknowledge(services)
    running.round()
    open_checkpoint(head(services), [third])
    with services.database.read() as session:
        entries = [entry for _, _, entry in leaves.entries(session, services.place.owner_id, 0, 99)]
    kinds = [kind for entry in entries for kind in (b"restored", b"key_rotated") if b'"type":"%s"' % kind in entry]
    assert kinds == [b"restored", b"key_rotated", b"key_rotated"]


def test_the_note_is_that_of_the_format():
    data = sign_rotation(KEYS[0], KEYS[1].verifier)
    assert note.parse(data).text == f"gjestenett key rotation v1\n{ORIGIN}\n{KEYS[1].verifier}\n".encode()
    assert open_rotation(data, ORIGIN, [KEYS[0].verifier]) == KEYS[1].verifier
    for origin, keys in (("other", [KEYS[0].verifier]), (ORIGIN, [KEYS[2].verifier]), (ORIGIN, [])):
        with pytest.raises(NoteError):
            open_rotation(data, origin, keys)
    with pytest.raises(NoteError):
        sign_rotation(KEYS[0], KEYS[0].verifier)
    with pytest.raises(NoteError):
        sign_rotation(KEYS[0], note.SignerKey("other", bytes(32)).verifier)


def test_trust_follows_the_chain_and_nothing_beside_it():
    notes = [sign_rotation(KEYS[0], KEYS[1].verifier), sign_rotation(KEYS[1], KEYS[2].verifier)]
    stray = sign_rotation(KEYS[0], KEYS[3].verifier)  # a replacement that was cut off
    assert [step[:2] for step in chain_to([stray, *notes], ORIGIN, KEYS[0].verifier, KEYS[2].verifier)] == [
        (KEYS[0].verifier, KEYS[1].verifier),
        (KEYS[1].verifier, KEYS[2].verifier),
    ]
    assert chain_to(notes, ORIGIN, KEYS[2].verifier, KEYS[0].verifier) == ()
    assert chain_to(notes, ORIGIN, KEYS[0].verifier, KEYS[0].verifier) == ()
    assert follow(notes, ORIGIN, KEYS[3].verifier) == (KEYS[3].verifier,)
    broken = notes[0].replace(b"key rotation", b"Key rotation")
    with pytest.raises(NoteError):
        follow([broken], ORIGIN, KEYS[0].verifier)


def test_several_notes_as_one_file():
    notes = (sign_rotation(KEYS[0], KEYS[1].verifier), sign_rotation(KEYS[1], KEYS[2].verifier))
    data = encode_rotations(notes)
    assert data.startswith(b"note %d\n" % len(notes[0]))
    assert parse_rotations(data) == notes
    assert parse_rotations(b"") == ()
    for bad in (data[:-1], b"note 05\nhello", b"note x\n", b"note", b"\xff\n", data + b"\n"):
        with pytest.raises(NoteError):
            parse_rotations(bad)


def test_a_rotation_and_what_was_staged_before_it_keep_their_order(services):
    running = sealer(services)
    running.round()
    with services.database.write() as session:
        record(session, services.place, "retention_run", {"before": "x", "erased": 1}, {}, services.clock())
    third = rotate(services)
    running.round()
    running.round()
    assert open_checkpoint(head(services), [third, read_signing_key(services.settings).verifier])


def test_a_second_replacement_waits_for_the_first(services, monkeypatch):
    """The first stands between the notes beside the key and its transaction when the second begins."""
    running = sealer(services)
    running.round()
    first, between, replace = running.signer.verifier, threading.Event(), custody.durable.replace

    def slow(path, content, *mode):
        replace(path, content, *mode)
        if path.name.endswith(".rotations") and not between.is_set():
            between.set()
            time.sleep(0.7)

    monkeypatch.setattr(custody.durable, "replace", slow)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(rotate, services)
        assert between.wait(10)
        two = pool.submit(rotate, services)
        second, third = one.result(30), two.result(30)
    with services.database.read() as session:
        notes = [text.encode() for text in leaves.rotations(session, services.place.owner_id)]
    assert follow(notes, services.place.log_origin, first) == (first, second, third)
    running.round()
    running.round()
    open_checkpoint(head(services), [third])


def test_processes_that_replace_and_open_the_key_at_once_all_come_through(services):
    running = sealer(services)
    running.round()
    first = running.signer.verifier
    services.database.close()

    def begin(work):
        child = os.fork()
        if child:
            return child
        try:
            again = open_services(services.settings, services.clock)
            for _ in range(4):
                work(again)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    children = [begin(work) for work in (rotate, open_signing_key, rotate, open_signing_key)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    signer = open_signing_key(services)
    with services.database.read() as session:
        notes = [text.encode() for text in leaves.rotations(session, services.place.owner_id)]
    trusted = follow(notes, services.place.log_origin, first)
    assert (len(trusted), trusted[-1]) == (9, signer.verifier)
