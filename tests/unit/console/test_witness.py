"""POST /witness/add-checkpoint as a log calls it, with a real sealer's answering behind it; and the log in /metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from captive_portal.console.evidence import witness as endpoint
from gateway.audit import note
from gateway.audit.cosignature import CosignerKey, cosignatures
from gateway.audit.witness import Witness
from gateway.audit.witness_text import MAX_REQUEST_BYTES, AddCheckpoint, parse_answer
from gateway.installation import known_logs
from gateway.settings import Settings
from gateway.settings.log import Audit
from gateway.storage import log_restores, log_targets, log_witness
from gateway.storage.log_models import WitnessedLog, WitnessRequest
from tests.contract.audit.targets.kinds import ORIGIN, SIGNER, package
from tests.unit.console.conftest import START, World

KEY = CosignerKey("witness.example.no/w", bytes(range(32)))
URL = "/witness/add-checkpoint"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    audit = Audit.model_validate(
        {
            "witnessed": [{"origin": ORIGIN, "vkeys": [str(SIGNER.verifier)]}],
            "targets": [
                {"name": "arkiv", "kind": "directory", "path": str(tmp_path)},
                {"name": "ny", "kind": "directory", "path": str(tmp_path)},
            ],
        }
    )
    made = World(Settings(state=tmp_path, audit=audit))
    yield made
    made.services.database.close()


@pytest.fixture
def sealing(world: World, tmp_path: Path) -> Iterator[None]:
    stop = threading.Event()
    database, owner_id = world.services.database, world.services.place.owner_id
    witness = Witness(database, owner_id, known_logs(world.settings), lambda: KEY, tmp_path / "witness.memory")

    def run() -> None:
        while not stop.wait(0.05):
            witness.answer(START)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join(10)


def request(size: int, old: int, name: str = "entry", signer: note.SignerKey = SIGNER) -> bytes:
    sent = package(size, name, signer)
    return AddCheckpoint(old, sent.proof(old), sent.note).encode()


def test_a_growing_log_is_cosigned_and_another_history_is_not(world: World, sealing: None) -> None:
    browser = world.browser("192.0.2.9")  # from anywhere, without cookies
    for size, old in ((5, 0), (9, 5), (9, 9)):
        answer = browser.post(URL, content=request(size, old))
        assert answer.status_code == 200, answer.text
        text = note.parse(package(size).note).text
        assert cosignatures(text, parse_answer(answer.content), [KEY.verifier])[0].time_s == START.timestamp()
    stale = browser.post(URL, content=request(12, 5))
    assert (stale.status_code, stale.headers["content-type"], stale.text) == (409, "text/x.tlog.size", "9\n")
    assert browser.post(URL, content=request(9, 9, "other")).status_code == 409
    assert browser.post(URL, content=request(12, 9, "other")).status_code == 422
    with world.services.database.read() as session:
        assert session.query(WitnessRequest).count() == 0  # nothing is left behind
        assert session.query(WitnessedLog).count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n\nnonsense\n", 400),
        (request(5, 0).replace(b"old 0", b"old 6"), 400),
        (request(5, 0, signer=note.SignerKey(ORIGIN, bytes(range(32)))), 403),
        (b"x" * (MAX_REQUEST_BYTES + 1), 413),
    ],
)
def test_what_is_not_of_a_known_log_reaches_no_database(world: World, body: bytes, status: int) -> None:
    assert world.browser().post(URL, content=body).status_code == status
    assert world.browser().get(URL).status_code == 405
    with world.services.database.read() as session:
        assert session.query(WitnessRequest).count() == 0


def test_an_unknown_log_is_not_witnessed(world: World) -> None:
    from gateway.audit.checkpoint import Checkpoint, sign_checkpoint

    stranger = note.SignerKey("stranger.example.no", bytes(32))
    signed = sign_checkpoint(Checkpoint("stranger.example.no", 0, package(0).checkpoint.root), stranger)
    assert world.browser().post(URL, content=AddCheckpoint(0, (), signed).encode()).status_code == 404


def test_without_a_sealer_it_is_busy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "WAIT_S", 0.3)
    answer = world.browser().post(URL, content=request(5, 0))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    monkeypatch.setattr(log_witness, "MAX_WAITING", 0)
    assert "too many" in world.browser().post(URL, content=request(5, 0)).text
    with world.services.database.read() as session:
        assert session.query(WitnessRequest).count() == 0


def test_metrics_tell_how_the_log_stands(world: World) -> None:
    browser, owner_id = world.browser("127.0.0.1"), world.services.place.owner_id
    assert "gjestenett_log_restored 0.0" in browser.get("/metrics").text
    with world.services.database.write() as session:
        log_targets.succeeded(session, owner_id, "arkiv", "directory", size=7, sent_sha256="", request_id="", now=START)
        for _ in range(3):
            log_targets.failed(session, owner_id, "arkiv", "directory", reason="full", request_id="", now=START)
        found = [log_restores.Found(known_size=2, known_root="", known_from="x")]
        log_restores.report(session, owner_id, size=1, root="", found=found, now=START)
    text = browser.get("/metrics").text
    labels = '{kind="directory",target="arkiv"}'
    for figure, value in (
        ("failures", 3),
        ("alarm", 1),
        ("size", 7),
        ("last_success_timestamp_seconds", START.timestamp()),
    ):
        line = next(each for each in text.splitlines() if each.startswith(f"gjestenett_log_target_{figure}{labels}"))
        assert float(line.split()[1]) == value
    assert 'gjestenett_log_target_failures{kind="directory",target="ny"} 0.0' in text
    assert 'gjestenett_log_target_size{kind="directory",target="ny"}' not in text
    assert "gjestenett_log_restored 1.0" in text
