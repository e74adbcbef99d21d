"""From an acceptance to a bundle that verifies, on both databases: stage, seal, export, verify."""

from __future__ import annotations

import threading
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import delete, text

from gateway.access.accept import Applicant, accept
from gateway.audit import merkle
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.errors import BundleError
from gateway.audit.export import Order, export
from gateway.audit.receipt import make_receipt, verify_receipt
from gateway.audit.sample import Sample
from gateway.audit.sealer import Sealer, seal_staged
from gateway.audit.verify_bundle import verify_bundle
from gateway.clock import utc_now
from gateway.installation import public_key_path, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.storage import leaves, rules
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance


def accept_one(services, number):
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        return accept(
            session,
            services.place,
            Neighbour("lo", f"02:00:00:00:00:{number:02x}"),
            Applicant(f"Gjest {number}"),
            version_id=version.id,
            language="nn",
            address=f"10.77.0.{number}",
            duration=timedelta(hours=10),
            now=services.clock(),
        )


def seal_all(services):
    signer, place = read_signing_key(services.settings), services.place
    sealed = 0
    while count := seal_staged(services.database, place.owner_id, place.log_origin, signer, services.clock()):
        sealed += count
    return sealed


@pytest.fixture
def sealing(services):
    """The sealer's own loop, beside the test."""
    stop = threading.Event()
    signer, place = read_signing_key(services.settings), services.place
    sealer = Sealer(services.database, place.owner_id, place.log_origin, signer, services.clock)
    thread = threading.Thread(target=sealer.run, args=(stop.is_set,))
    thread.start()
    yield
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def export_all(services, out):
    now = services.clock()
    order = Order(now - timedelta(days=1), now + timedelta(days=1), "revisor", "årlig kontroll")
    return export(services.database, services.place, (read_signing_key(services.settings).verifier,), order, out, now)


def test_exported_acceptances_verify(services, sealing, tmp_path):
    for number in range(1, 8):
        accept_one(services, number)
    wait_until_sealed(services)
    summary = export_all(services, tmp_path / "bundle.zip")
    assert summary.sidecar is not None
    report = verify(services, summary)
    assert report.ok, report.problems
    with zipfile.ZipFile(summary.bundle) as archive:
        view = archive.read("view.csv").decode("utf-8-sig")
    assert all(f"Gjest {number}" in view for number in range(1, 8))


def test_every_leaf_has_a_receipt_that_verifies(services):
    for number in range(1, 6):
        accept_one(services, number)
        seal_all(services)  # a head of each size
    key = read_signing_key(services.settings).verifier
    owner_id = services.place.owner_id
    with services.database.read() as session:
        head = leaves.find_head(session, owner_id)
        for index, _, entry in list(leaves.entries(session, owner_id, 0, head.size)):
            receipt = make_receipt(
                index,
                head.size,
                lambda level, node: leaves.node(session, owner_id, level, node),
                head.checkpoint.encode(),
            )
            assert verify_receipt(receipt, entry, (key,)).size == head.size


def test_old_checkpoints_are_consistent_with_the_new_head(services):
    seal_all(services)
    with services.database.read() as session:
        old = leaves.find_head(session, services.place.owner_id).checkpoint.encode()
    for number in range(1, 6):
        accept_one(services, number)
    seal_all(services)
    key = read_signing_key(services.settings).verifier
    with services.database.read() as session:
        owner_id = services.place.owner_id
        new = open_checkpoint(leaves.find_head(session, owner_id).checkpoint.encode(), (key,))
        before = open_checkpoint(old, (key,))
        proof = merkle.consistency_proof(
            before.size, new.size, lambda level, node: leaves.node(session, owner_id, level, node)
        )
    assert merkle.verify_consistency(before.size, before.root, new.size, new.root, proof)


def test_export_finds_an_entry_changed_behind_the_triggers(services, tmp_path):
    accept_one(services, 1)
    seal_all(services)
    with services.database.write() as session:
        if services.database.is_sqlite:
            session.execute(text("DROP TRIGGER leaf_refuse_update"))
        else:
            session.execute(text("ALTER TABLE leaf DISABLE TRIGGER USER"))
        rows = list(leaves.entries(session, services.place.owner_id, 0, 3))
        index, _, entry = rows[-1]
        changed = entry.replace(b'"nn"', b'"nb"')
        assert changed != entry
        session.execute(text("UPDATE leaf SET entry = :e WHERE leaf_index = :i"), {"e": changed, "i": index})
    with pytest.raises(BundleError, match="do not lead to the signed root"):
        export_all(services, tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()


def test_erased_disclosures_leave_a_bundle_that_verifies(services, sealing, tmp_path):
    accepted = accept_one(services, 1)
    wait_until_sealed(services)
    with services.database.write() as session:
        leaf_id = session.get(Acceptance, accepted.acceptance_id).leaf_id
        session.execute(delete(Disclosure).where(Disclosure.leaf_id == leaf_id))
    summary = export_all(services, tmp_path / "bundle.zip")
    assert verify(services, summary).ok
    with zipfile.ZipFile(summary.bundle) as archive:
        assert all(b"Gjest 1" not in archive.read(name) for name in archive.namelist())


def test_chosen_acceptances_with_a_sample_and_every_view(services, sealing, tmp_path):
    for number in range(1, 8):
        accept_one(services, number)
    wait_until_sealed(services)
    with services.database.write() as session:
        gone = session.query(Acceptance).filter_by(language="nn").first().leaf_id
        session.execute(delete(Disclosure).where(Disclosure.leaf_id == gone))
    now, told = services.clock(), []
    order = Order(
        now - timedelta(days=1), now + timedelta(days=1), "revisor", "kontroll", "nn", name="gjest",
        sample=Sample(3, "4711"), xlsx=True,
    )  # fmt: skip
    keys = (read_signing_key(services.settings).verifier,)
    out = tmp_path / "bundle.zip"
    summary = export(services.database, services.place, keys, order, out, now, lambda *step: told.append(step))
    assert summary.sidecar.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} >= {"bundle.zip", "bundle.zip.note"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")], "nothing is left beside it"
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        rows = archive.read("view.csv").decode("utf-8-sig").splitlines()
        assert len(archive.read("selection.txt").split()) == len(rows) - 1 == 6, "who is erased is not found"
        assert len(archive.read("sample.csv").splitlines()) == 4
        assert "view.xlsx" in archive.namelist()
    assert told[0] == ("reading", 0, summary.entries)
    assert [stage for stage, _, _ in told[-2:]] == ["packing", "signing"]


def test_guests_are_accepted_while_an_export_runs(services, sealing, tmp_path):
    for number in range(1, 4):
        accept_one(services, number)
    wait_until_sealed(services)
    accepted = []

    def beside(stage, done, total):
        if stage == "reading" and not accepted:
            accepted.append(accept_one(services, 9))

    now = services.clock()
    order = Order(now - timedelta(days=1), now + timedelta(days=1), "revisor", "kontroll")
    keys = (read_signing_key(services.settings).verifier,)
    summary = export(services.database, services.place, keys, order, tmp_path / "bundle.zip", now, beside)
    assert accepted
    assert verify(services, summary).ok
    with zipfile.ZipFile(summary.bundle) as archive:
        assert b"Gjest 9" not in archive.read("view.csv"), "it holds what was sealed when it began"


def test_an_order_that_can_not_be_met_is_not_recorded(services, sealing, tmp_path):
    accept_one(services, 1)
    wait_until_sealed(services)
    now = services.clock()
    order = Order(now, now, "revisor", "kontroll", name="x", fields=frozenset())
    with pytest.raises(BundleError, match="withholds"):
        export(services.database, services.place, (), order, tmp_path / "bundle.zip", now)
    wait_until_sealed(services)
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        stored = list(leaves.entries(session, services.place.owner_id, 0, head.size))
    assert all(b'"type":"export"' not in entry for _, _, entry in stored)


def test_export_without_a_reason_or_a_head_is_refused(services, tmp_path):
    with pytest.raises(BundleError, match="nothing is sealed"):
        export_all(services, tmp_path / "bundle.zip")
    now = services.clock()
    with pytest.raises(BundleError, match="purpose"):
        export(services.database, services.place, (), Order(now, now, "x", "  "), tmp_path / "b.zip", now)


def test_export_is_itself_a_leaf(services, sealing, tmp_path):
    wait_until_sealed(services)
    export_all(services, tmp_path / "bundle.zip")
    wait_until_sealed(services)
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        entries = [entry for _, _, entry in leaves.entries(session, services.place.owner_id, 0, head.size)]
    assert b'"type":"export"' in entries[-1]


def verify(services, summary):
    key = public_key_path(services.settings).read_text()
    return verify_bundle(summary.bundle, key, sidecar=summary.sidecar.read_bytes())


def wait_until_sealed(services, timeout_s=10):
    """Until nothing is staged."""
    waited = threading.Event()
    for _ in range(int(timeout_s / 0.05)):
        with services.database.read() as session:
            if not leaves.staged(session, services.place.owner_id, 1):
                return
        waited.wait(0.05)
    raise AssertionError("the sealer did not seal in time")
