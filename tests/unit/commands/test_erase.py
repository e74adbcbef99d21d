"""Erasing with the command line: what it shows, refuses and leaves, in every file of the state directory."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.access.accept import Applicant, accept
from gateway.access.admission import Admitted, Device, admit
from gateway.audit.erasure_list import numbers, parse_erasure_list
from gateway.audit.export import Order, export
from gateway.audit.export_child import State, _write
from gateway.audit.sealer import seal_staged
from gateway.audit.verify_bundle import verify_bundle
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.installation import public_key_path, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.storage import leaves, rules
from gateway.storage.engine import open_database
from gateway.storage.log_models import Disclosure

NAME, MAC, CONTACT = "Tordis Ødegård-Solbakken", "a6:5e:d7:31:9c:4b", "tordis@solbakken.example"


@pytest.fixture
def guests(services):
    """Tordis among others, sealed."""
    done = {}
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
    for number, (name, mac, contact) in enumerate([("Ola Hansen", "02:00:00:00:00:01", ""), (NAME, MAC, CONTACT)] * 2):
        with services.database.write() as session:
            done[name] = accept(
                session, services.place, Neighbour("lo", mac), Applicant(name, "Solbakken AS", contact, "KURS-7"),
                version_id=version.id, language="nn", address="10.77.3.141", duration=timedelta(hours=10),
                now=utc_now() - timedelta(hours=20 * (1 - number // 2)),
            )  # fmt: skip
    seal(services)
    return done


def seal(services):
    place, signer = services.place, read_signing_key(services.settings)
    while seal_staged(services.database, place.owner_id, place.log_origin, signer, utc_now()):
        pass


def run(services, *arguments, **options):
    return CliRunner().invoke(cli, ["--state", str(services.settings.state), "audit", *arguments], **options)


def traces(services):
    """Tordis in every spelling that a file could have her in."""
    with services.database.read() as session:
        ids = [row.leaf_id for row in session.query(Disclosure).filter_by(name="name", value=NAME)]
        rows = session.query(Disclosure).filter(Disclosure.leaf_id.in_(ids)).all()
        salts = [row.salt for row in rows]
        codes = [row.value for row in rows if row.name == "receipt"]
    assert len(ids) == len(codes) == 2
    octets = bytes.fromhex(MAC.replace(":", ""))
    grouped = ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]
    texts = [NAME, CONTACT, MAC, MAC.upper(), MAC.replace(":", "-"), MAC.replace(":", ""), *salts, *codes, *grouped]
    found = [octets, *(json.dumps(text).strip('"').encode() for text in texts)]
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        found += [text.encode(encoding) for text in texts]
    found += [base64.b64encode(text.encode()).rstrip(b"=") for text in (NAME, CONTACT, MAC, *codes)]
    found += [base64.urlsafe_b64decode(salt + "==") for salt in salts]
    return found


def files_with(state: Path, marks):
    """Every file under `state` that holds one of the marks, also inside ZIP files."""
    found = {}
    for path in sorted(state.rglob("*")):
        if not path.is_file():
            continue
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        held = [mark for mark in marks if any(mark in content for content in contents)]
        if held:
            found[path.relative_to(state).as_posix()] = held
    return found


def export_to(services, out):
    out.parent.mkdir(parents=True, exist_ok=True)
    now = utc_now()
    order = Order(now - timedelta(days=2), now + timedelta(days=1), "revisor", "kontroll")
    return export(services.database, services.place, (read_signing_key(services.settings).verifier,), order, out, now)


def test_no_file_of_the_state_directory_holds_her_any_more(services, guests):
    state, marks = services.settings.state, traces(services)
    assert set(files_with(state, marks)) & {"gjestenett.sqlite3", "gjestenett.sqlite3-wal"}
    done = run(services, "erase", "--name", "tordis ØDEGÅRD", "--reason", "krav om sletting", "--yes")
    assert done.exit_code == 0, done.output
    assert files_with(state, marks) == {}
    assert b"Ola Hansen" in (state / "gjestenett.sqlite3").read_bytes()
    listed = parse_erasure_list((state / "erasure-list.txt").read_bytes())
    with services.database.read() as session:
        rows = list(leaves.entries(session, services.place.owner_id, 0, listed.size))
        known = leaves.disclosures(session, [leaf_id for _, leaf_id, _ in rows])
    bare = [index for index, leaf_id, entry in rows if b'"acceptance"' in entry and not known.get(leaf_id)]
    assert list(numbers(listed.leaves)) == bare
    assert len(bare) == 2


def test_an_export_under_way_goes_and_its_process_fails(services, guests, monkeypatch):
    """It has read her values already: nothing of what it writes later may be kept."""
    monkeypatch.setattr("gateway.audit.export.SIGNATURE_WAIT_S", 0.0)
    folder = services.settings.state / "run" / "exports" / "under-way"
    folder.mkdir(parents=True, mode=0o700)
    _write(folder, State("reading", 1, 9))
    done = None

    def tell(stage, number, total):
        nonlocal done
        if stage == "packing" and done is None:
            done = run(services, "erase", "--name", "Tordis", "--reason", "krav", "--yes")
        _write(folder, State(stage, number, total))

    now = utc_now()
    order = Order(now - timedelta(days=2), now + timedelta(days=1), "revisor", "kontroll")
    keys = (read_signing_key(services.settings).verifier,)
    with pytest.raises(OSError, match="No such file"):
        export(services.database, services.place, keys, order, folder / "bundle.zip", now, tell)
    assert done is not None
    assert done.exit_code == 0, done.output
    assert f"deleted: the export {folder}" in done.output
    assert not folder.exists()


def test_exports_in_our_folders_go_and_others_are_named(services, guests, monkeypatch):
    monkeypatch.setattr("gateway.audit.export.SIGNATURE_WAIT_S", 0.0)
    state = services.settings.state
    kept = state / "run" / "exports" / "token"
    export_to(services, kept / "bundle.zip")
    _write(kept, State("done", 1, 1))
    mine = state / "mine" / "vår.zip"
    export_to(services, mine)
    (state / "dnsmasq.leases").write_text(f"1795000000 {MAC} 10.77.3.141 iPhone 01:{MAC}\n")
    seal(services)
    done = run(services, "erase", "--device", MAC.upper().replace(":", "-"), "--reason", "krav", "--yes")
    assert done.exit_code == 0, done.output
    assert not kept.exists()
    assert mine.exists()
    assert f"deleted: the export {kept}" in done.output
    assert f"STILL HOLDS it and is yours to delete: {mine}" in done.output
    assert "dnsmasq.leases" in done.output


def test_receipts_and_bundles_of_before_verify_after(services, guests, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.audit.export.SIGNATURE_WAIT_S", 0.0)
    key = public_key_path(services.settings).read_text()
    before = export_to(services, tmp_path / "before.zip").bundle
    seal(services)
    assert run(services, "erase", "--contact", CONTACT, "--reason", "krav", "--yes").exit_code == 0
    seal(services)
    after = export_to(services, tmp_path / "after.zip").bundle
    for bundle in (before, after):
        report = verify_bundle(bundle, key, require_sidecar=False)
        assert report.ok, report.problems
    with zipfile.ZipFile(after) as archive:
        assert all(NAME.encode() not in archive.read(name) for name in archive.namelist())


def test_a_preview_erases_nothing_and_a_no_neither(services, guests):
    preview = run(services, "erase", "--name", "Tordis", "--preview")
    assert preview.exit_code == 0
    assert f"device: {MAC}" in preview.output
    assert "access ends at once" in preview.output
    assert re.search(r"personal values are erased, by number: [0-9,-]+ \(2 entries\)\n", preview.output)
    declined = run(services, "erase", "--name", "Tordis", "--reason", "krav", input="n\n")
    assert declined.exit_code == 1
    as_json = run(services, "erase", "--course", "kurs-7", "--preview", "--json")
    assert len(json.loads(as_json.output)["acceptances"]) == 4
    assert len(files_with(services.settings.state, [CONTACT.encode()])) > 0


def test_an_answer_of_yes_erases(services, guests):
    done = run(services, "erase", "--name", "Tordis", "--reason", "krav", input="y\n")
    assert done.exit_code == 0, done.output
    assert "erased: 2 acceptances, 2 entries" in done.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--reason", "krav", "--yes"], 2, "say who"),
        (["--name", "Tordis", "--yes"], 2, "--reason says why"),
        (["--name", "Tordis", "--reason", " ", "--yes"], 2, "--reason says why"),
        (["--name", "Ingen Slik", "--reason", "krav", "--yes"], 1, "nobody fits"),
        (["--device", "a6:5e", "--reason", "krav", "--yes"], 2, "no MAC address"),
        (["--receipt", "123", "--reason", "krav", "--yes"], 2, "no receipt code"),
        (["--name", "Tordis", "--reason", f"krav fra {NAME.lower()}", "--yes"], 1, "names them"),
        (["--name", "Tordis", "--reason", "krav", "--json"], 2, "--preview or --yes"),
    ],
)
def test_wrong_use_says_what_to_do_and_erases_nothing(services, guests, arguments, code, words):
    done = run(services, "erase", *arguments)
    assert (done.exit_code, words in done.output) == (code, True), done.output
    with services.database.read() as session:
        assert session.query(Disclosure).filter_by(value=NAME).count() == 2


def test_what_is_not_sealed_is_waited_for_and_then_said(services, guests, monkeypatch):
    monkeypatch.setattr("gateway.commands.erase.SEAL_WAIT_S", 0.3)
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        accept(
            session, services.place, Neighbour("lo", "02:00:00:00:00:99"), Applicant(NAME),
            version_id=version.id, language="nb", address="", duration=timedelta(hours=1), now=utc_now(),
        )  # fmt: skip
    done = run(services, "erase", "--name", "Tordis", "--reason", "krav", "--yes")
    assert done.exit_code == 1
    assert "wait to be sealed" in done.output
    with services.database.read() as session:
        assert session.query(Disclosure).filter_by(value=NAME).count() == 3


def test_a_reader_in_the_way_of_the_log_is_said(services, guests, monkeypatch):
    monkeypatch.setattr("gateway.storage.erasures.wipe.__defaults__", (None, 0.5))
    other = open_database(services.settings.database_url)
    with other.read() as session:
        session.query(Disclosure).count()
        done = run(services, "erase", "--name", "Tordis", "--reason", "krav", "--yes")
    assert done.exit_code == 0
    assert "write-ahead log could not be emptied yet" in done.output
    other.close()


def test_a_device_that_was_only_let_in_is_erased_and_told_of_by_its_address(services, tmp_path):
    with services.database.write() as session:
        done = admit(
            session, services.place, Device("0a:00:27:00:00:0c", "Nybø skule", "skjerm"), interface="lo",
            group_key=None, until=utc_now() + timedelta(days=9), by="it-ola", now=utc_now(),
        )  # fmt: skip
    assert isinstance(done, Admitted)
    seal(services)
    out = tmp_path / "svar.html"
    told = run(services, "access-request", "--device", "0A-00-27-00-00-0C", "--out", str(out))
    assert told.exit_code == 0, told.output
    assert "Nybø skule" in out.read_text(encoding="utf-8")
    seal(services)
    erased = run(services, "erase", "--device", "0a00.2700.000c", "--reason", "krav", "--yes")
    assert erased.exit_code == 0, erased.output
    assert "admitted by staff" in erased.output
    assert "erased: 0 acceptances, 1 admission, 1 entry" in erased.output
    assert "not finished" not in erased.output
    assert files_with(services.settings.state, [b"0a:00:27:00:00:0c", "Nybø skule".encode()]) == {}
