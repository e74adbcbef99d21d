"""Pushing on both databases: what is due is sent, what fails is written down with its reason, and nothing waits for
it.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from gateway.audit import note
from gateway.audit import push as pushing
from gateway.audit.checkpoint import parse_checkpoint
from gateway.audit.cosignature import cosignatures
from gateway.audit.push import ask_witnesses, due_targets, push
from gateway.audit.sealer import Sealer
from gateway.audit.targets.directory import DirectoryTarget as Directory
from gateway.audit.targets.look import look_into_directories
from gateway.audit.targets.seam import TargetError
from gateway.audit.witness import Witness
from gateway.installation import open_witness_key, read_signing_key, sealer_memory, witnessed_memory
from gateway.settings.log import DirectoryTarget, HttpsTarget, WitnessTarget
from gateway.storage import leaves, log_restores, log_targets, log_witness
from gateway.storage.log_models import WitnessedLog


def seal(services):
    signer, place = read_signing_key(services.settings), services.place
    memory = sealer_memory(services.settings)
    sealer = Sealer(services.database, place.owner_id, place.log_origin, signer, services.clock, memory=memory)
    sealer.round()
    return sealer


def erasures(_session, place, size):
    return f"gjestenett erasure list v1\n{place.log_origin}\nsize {size}\n".encode()


def send(services, *chosen):
    return push(services.database, services.place, chosen, erasures, services.clock)


def known(services):
    with services.database.read() as session:
        return log_targets.targets(session, services.place.owner_id)


@pytest.fixture
def share(tmp_path):
    path = tmp_path / "share"
    path.mkdir()
    return DirectoryTarget(name="arkiv", kind="directory", path=path)


def test_nothing_is_sent_before_anything_is_signed(services, share):
    assert due_targets(services.database, services.place, (share,), services.clock) == ()
    assert send(services, share) == ()


def test_success_and_failure_are_written_down_and_one_harms_no_other(services, share, caplog):
    seal(services)
    gone = HttpsTarget(name="borte", kind="https", url="https://127.0.0.1:1/x")
    assert due_targets(services.database, services.place, (share, gone), services.clock) == (share, gone)
    good, bad = send(services, share, gone)
    assert (good.reason, bad.name) == ("", "borte")
    assert "can't be reached" in bad.reason
    rows = known(services)
    assert (rows["arkiv"].size, rows["arkiv"].succeeded_at) == (good.size, services.clock())
    assert (rows["borte"].failures, rows["borte"].reason) == (1, bad.reason)
    assert due_targets(services.database, services.place, (share, gone), services.clock) == ()
    for _ in range(2):
        services.clock.advance(timedelta(minutes=31))
        assert gone in due_targets(services.database, services.place, (gone,), services.clock)
        send(services, gone)
    assert [each.levelname for each in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert len(list(share.path.rglob("*.checkpoint"))) == len(list(share.path.rglob("*.erased"))) == 1


def test_a_request_is_served_once(services, share):
    seal(services)
    send(services, share)
    assert due_targets(services.database, services.place, (share,), services.clock) == ()
    with services.database.write() as session:
        log_targets.request(session, services.place.owner_id, [("arkiv", "directory")])
    assert due_targets(services.database, services.place, (share,), services.clock) == (share,)
    send(services, share)
    assert due_targets(services.database, services.place, (share,), services.clock) == ()


def test_witnesses_are_asked_when_services_start(services, share):
    key = open_witness_key(services.settings).verifier
    witness = WitnessTarget(name="nabo", kind="witness", url="https://127.0.0.1:1", vkey=str(key))
    seal(services)
    send(services, share, witness)
    assert due_targets(services.database, services.place, (share, witness), services.clock) == ()
    ask_witnesses(services.database, services.place, (share, witness))
    assert due_targets(services.database, services.place, (share, witness), services.clock) == (witness,)


def test_a_fault_of_ours_in_one_target_is_a_failure_like_others(services, share, monkeypatch):
    seal(services)
    monkeypatch.setattr(Directory, "send", lambda *_: 1 / 0)
    [outcome] = send(services, share)
    assert "ZeroDivisionError" in outcome.reason


def test_a_target_that_never_answers_is_given_up_and_delays_no_other(services, share, monkeypatch, tmp_path):
    seal(services)
    release, real = threading.Event(), Directory.send
    dead = DirectoryTarget(name="dod", kind="directory", path=tmp_path)
    monkeypatch.setattr(pushing, "LIMIT_S", 1.0)
    monkeypatch.setattr(
        Directory, "send", lambda self, *rest: release.wait(20) if self.name == "dod" else real(self, *rest)
    )
    try:
        outcomes = send(services, dead, share)
    finally:
        release.set()
    assert [each.reason for each in outcomes] == ["it does not answer; given up after 1 s", ""]
    assert known(services)["dod"].failures == 1


def test_a_share_tells_the_sealer_at_its_start_what_was_signed(services, share, tmp_path):
    seal(services)
    send(services, share)
    look_into_directories(services.database, services.place, (share,))
    row = known(services)["arkiv"]
    assert (row.held_size, row.held_note) == (row.size, next(share.path.rglob("*.checkpoint")).read_text())


def test_nothing_is_due_while_a_restore_waits(services, share):
    seal(services)
    with services.database.write() as session:
        log_targets.holds(session, services.place.owner_id, "arkiv", "directory", 99, "")
    seal(services)
    with services.database.read() as session:
        found = log_restores.open_restore(session, services.place.owner_id)
        assert found.known_from == "the target arkiv"
    assert due_targets(services.database, services.place, (share,), services.clock) == ()


def ask(services, body):
    with services.database.write() as session:
        return log_witness.ask(session, services.place.owner_id, body, services.clock())


def answer(services, request_id):
    with services.database.read() as session:
        return log_witness.answer(session, request_id)


def test_a_log_is_witnessed_by_way_of_the_database(services, monkeypatch):
    """Two witnesses of one log, its own installation standing for all three; the transport is tested elsewhere."""
    seal(services)
    place, key = services.place, open_witness_key(services.settings)
    logs = {place.log_origin: (read_signing_key(services.settings).verifier,)}
    memory = witnessed_memory(services.settings)
    witness = Witness(services.database, place.owner_id, logs, lambda: key, memory)
    chosen = WitnessTarget(name="nabo", kind="witness", url="https://nabo.invalid/witness", vkey=str(key.verifier))

    def post(_url, body, _headers, _ca):
        request_id = ask(services, body)
        witness.answer(services.clock())
        status, text = answer(services, request_id)
        return status, text.encode()

    monkeypatch.setattr("gateway.audit.targets.witness.post", post)
    [outcome] = send(services, chosen)
    assert outcome.reason == ""
    with services.database.read() as session:
        whole = note.parse(leaves.cosigned_checkpoint(session, place.owner_id).encode())
        assert parse_checkpoint(whole.encode())[0].size == outcome.size
        assert session.query(WitnessedLog).one().origin == place.log_origin
    assert cosignatures(whole.text, whole.signatures, [key.verifier])[0].time_s == int(services.clock().timestamp())

    with services.database.write() as session:  # as after a restore of the witness's database
        session.delete(session.query(WitnessedLog).one())
    request_id = ask(services, b"old 0\n\n" + whole.encode())
    witness.answer(services.clock())
    assert answer(services, request_id) == (409, f"{outcome.size}\n")  # the file beside the key remembers

    request_id = ask(services, b"nonsense")
    witness.answer(services.clock())
    assert answer(services, request_id)[0] == 400


def test_errors_are_one_line_without_end():
    assert len(str(TargetError("x\n" * 1000))) == 300
