"""Exporting in the console: the form, the process behind it, the bar, the downloads and their end."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import pytest

from captive_portal.console.evidence import exports
from captive_portal.console.evidence.exports import ExportShelf
from gateway.audit import fields, verify_bundle
from gateway.audit.export import Order
from gateway.audit.export_child import FILE, Job
from gateway.audit.keyfile import create_key_file
from gateway.audit.sealer import Sealer
from gateway.installation import public_key_path, read_signing_key
from gateway.settings import signing_key_path
from gateway.storage.log_models import Disclosure, StagedLeaf

HTML = "<script>alert(1)</script>"
WANTED = {"first": "2026-11-01", "last": "2026-11-30", "reason": "Sak 26/1"}


@contextmanager
def sealing(world):
    """The real sealer, at work beside the console."""
    (world.settings.state / "keys").mkdir(mode=0o700, exist_ok=True)
    place, stop = world.services.place, threading.Event()
    key = create_key_file(signing_key_path(world.settings), place.log_origin)
    public_key_path(world.settings).write_text(f"{key.verifier}\n")
    arguments = (world.services.database, place.owner_id, place.log_origin, read_signing_key(world.settings))
    thread = threading.Thread(target=Sealer(*arguments, lambda: world.now).run, args=(stop.is_set,))
    thread.start()
    try:
        for _ in range(100):
            with world.services.database.read() as session:
                if session.query(StagedLeaf).count() == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def ready(browser, answer):
    """The page of an export when it has ended, and its address."""
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    for _ in range(300):
        page = browser.get(path)
        if "refresh" not in page.headers:
            return page, path
        assert page.headers["refresh"] == f"2; url={path}"
        assert "<progress" in page.text
        time.sleep(0.1)
    raise AssertionError("the export did not end")


def order(browser, **changes):
    return browser.fill("/acceptances/export", "/acceptances/export", **(WANTED | changes))


def recorded(world) -> list[dict[str, object]]:
    """What the leaves of exports say in clear."""
    with world.services.database.read() as session:
        texts = [row.value for row in session.query(Disclosure) if row.name == "filter"]
    return [json.loads(text) for text in texts]


def test_an_auditor_exports_a_bundle_that_verifies(world, tmp_path):
    world.publish_all()
    world.accepted("Ola Nordmann")
    auditor = world.signed_in("auditor", "rev")
    with sealing(world):
        page, path = ready(auditor, order(auditor))
    assert "gjestenett-kommune-2026-11-01-2026-11-30-made-20261122-1300" in page.text
    got = auditor.get(f"{path}/bundle")
    assert got.headers["content-type"] == "application/zip"
    assert got.headers["cache-control"] == "no-store"
    bundle = tmp_path / "got.zip"
    bundle.write_bytes(got.content)
    note = auditor.get(f"{path}/note")
    bundle.with_name("got.zip.note").write_text(note.text)
    assert verify_bundle.main([str(bundle), "--key", str(public_key_path(world.settings))]) == 0
    assert hashlib.sha256(got.content).hexdigest() in note.text
    view = zipfile.ZipFile(BytesIO(got.content)).read("view.csv").decode()
    assert "Ola Nordmann" in view
    assert "02:00:00:00:00:01" in view
    assert "192.0.2.7" in view, "what the account sees in the log it sees in its exports"
    assert recorded(world)[0]["fields"] == sorted(fields.ALL)
    with world.services.database.read() as session:
        assert {"rev", "Sak 26/1"} <= {row.value for row in session.query(Disclosure)}


def test_what_is_chosen_narrows_the_bundle_and_is_recorded(world):
    world.publish_all()
    world.accepted("Ola Nordmann", "02:00:00:00:00:01")
    world.accepted("Kari Nordmann", "02:00:00:00:00:02")
    browser = world.signed_in("it")
    chosen = {"device": "02-00-00-00-00-02", "name": "NORD", "version": "1", "xlsx": "1", "count": "1", "number": "77"}
    with sealing(world):
        _, path = ready(browser, order(browser, **chosen))
        archive = zipfile.ZipFile(BytesIO(browser.get(f"{path}/bundle").content))
    assert "Kari" in archive.read("view.csv").decode()
    assert "Ola" not in archive.read("view.csv").decode()
    assert archive.read("selection.txt").count(b"\n") == 1
    assert {"view.xlsx", "sample.csv"} <= set(archive.namelist())
    said = recorded(world)[0]
    assert said["filter"] == {
        "from": "2026-10-31T23:00:00.000Z", "to": "2026-11-30T23:00:00.000Z", "version": "1", "name": "NORD",
        "device": "02:00:00:00:00:02",
    }  # fmt: skip
    assert (said["sample"], said["views"]) == ({"count": 1, "number": "77"}, ["xlsx"])


def test_names_can_be_withheld(world):
    world.publish_all()
    world.accepted("Ola Nordmann")
    browser = world.signed_in("auditor")
    assert order(browser, withheld="1", name="Ola").status_code == 422
    with sealing(world):
        page, path = ready(browser, order(browser, withheld="1"))
        assert "2026-11-30-withheld-made-" in page.text
        archive = zipfile.ZipFile(BytesIO(browser.get(f"{path}/bundle").content))
    assert all(b"Ola Nordmann" not in archive.read(name) for name in archive.namelist())
    assert "Firma AS" in archive.read("view.csv").decode()


def test_an_export_says_what_is_wrong_and_records_nothing(world):
    world.publish_all()
    browser = world.signed_in("it")
    for field, values in {
        "reason": ["", "   ", "x" * 5000, "a\0b", "a\u202eb"],
        "first": ["", "2026-13-01", HTML, "2027-01-01"],
        "name": ["a\x07b", "x" * 101],
        "device": ["zz", "1", HTML],
        "count": ["0", "-1", "10001", "²", HTML],
        "number": ["17"],
    }.items():
        for value in values:
            answer = order(browser, **{field: value})
            assert answer.status_code == 422, (field, value)
            wrong = "count" if field == "number" else field
            assert f'href="#{wrong}"' in answer.text, (field, value)
            assert HTML not in answer.text
    assert 'href="#number"' in order(browser, count="5").text
    answer = order(browser)
    assert answer.status_code == 503, "nothing is sealed, and there is no key"
    assert "Sak 26/1" in answer.text
    assert "That did not work this time" in answer.text
    assert recorded(world) == []
    assert not list((world.settings.state / "run" / "exports").glob("*"))


def test_a_log_that_was_altered_gives_no_bundle_and_says_so(world):
    world.publish_all()
    world.accepted("Ola Nordmann")
    browser = world.signed_in("it")
    with sealing(world):
        direct = sqlite3.connect(world.services.database.sqlite_path)
        direct.execute("DROP TRIGGER leaf_refuse_update")
        direct.execute("UPDATE leaf SET entry = replace(entry, 'nb', 'nn') WHERE leaf_index = 2")
        direct.commit()
        direct.close()
        page, path = ready(browser, order(browser))
    assert "does not agree with its signed checkpoint" in page.text
    assert browser.get(f"{path}/bundle").status_code == 404
    assert len(recorded(world)) == 1, "that it was begun stays recorded"


def test_only_its_maker_sees_it_and_can_delete_it(world):
    world.publish_all()
    browser = world.signed_in("it", "kari")
    world.account("ola", "it")
    other = world.browser()
    with sealing(world):
        _, path = ready(browser, order(browser))
        other.app = browser.app
        stranger = browser.elsewhere("192.0.2.1")
        stranger.sign_in("ola")
        assert stranger.get(path).status_code == 410
        assert stranger.get(f"{path}/bundle").status_code == 410
        stranger.post(f"{path}/remove", data={"form_token": stranger.token_on("/acceptances")})
        assert browser.get(path).status_code == 200
        folder = world.settings.state / "run" / "exports" / path.rpartition("/")[2]
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        browser.fill(path, f"{path}/remove")
        assert browser.get(path).status_code == 410
        assert not folder.exists()


@pytest.fixture
def job(world):
    """A job whose process is `sleep`, unless the test says otherwise."""
    wish = Order(world.now, world.now, "x", "y")
    settings, place = world.settings, world.services.place
    return lambda folder: Job(
        settings.database_url, place.owner_key, place.site_key, "gateway-1", "", wish, world.now, folder
    )


def until(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_at_a_time_for_a_person_and_few_for_all(tmp_path, job, monkeypatch):
    monkeypatch.setattr(exports, "COMMAND", ("sleep", "60"))
    shelf = ExportShelf(tmp_path)
    first = shelf.start("rev", "a.zip", job)
    assert first is not None
    assert first.state.stage == "starting"
    assert shelf.start("rev", "b.zip", job) is None
    assert shelf.under_way("rev") == first
    second = shelf.start("it", "b.zip", job)
    assert second is not None
    assert shelf.start("third", "c.zip", job) is None
    shelf.discard(first.key)
    assert first.process.returncode == -9
    assert not first.folder.exists()
    assert shelf.start("third", "c.zip", job) is not None
    for key in list(shelf._kept):
        shelf.discard(key)


def test_one_that_is_ready_does_not_hold_the_next_back_while_its_process_leaves(tmp_path, job, monkeypatch):
    monkeypatch.setattr(exports, "COMMAND", ("sleep", "60"))
    shelf = ExportShelf(tmp_path)
    first = shelf.start("rev", "a.zip", job)
    assert shelf.start("rev", "b.zip", job) is None
    (first.folder / FILE).write_text(json.dumps({"stage": "done", "done": 1, "total": 1, "reason": ""}))
    assert shelf.under_way("rev") is None
    second = shelf.start("rev", "c.zip", job)
    assert second is not None
    for each in (first, second):
        shelf.discard(each.key)


def test_a_process_that_dies_has_failed(tmp_path, job, monkeypatch):
    monkeypatch.setattr(exports, "COMMAND", ("false",))
    kept = ExportShelf(tmp_path).start("rev", "a.zip", job)
    until(lambda: kept.state.stage == "failed")
    assert kept.state.reason == "unexpected"
    (kept.folder / FILE).write_text('{"stage": "failed", "reason": "space"}')
    assert kept.state.reason == "space"


def test_it_is_deleted_after_its_time_or_soon_after_everything_was_fetched(tmp_path, job, monkeypatch):
    monkeypatch.setattr(exports, "COMMAND", ("true",))
    kept = ExportShelf(tmp_path / "a", keep_s=0.1).start("rev", "a.zip", job)
    until(lambda: not kept.folder.exists())
    shelf = ExportShelf(tmp_path / "b", after_download_s=0.1)
    kept = shelf.start("rev", "a.zip", job)
    kept.bundle.with_name("bundle.zip.note").write_text("note")
    shelf.sent(kept, "bundle")
    time.sleep(0.3)
    assert kept.folder.exists(), "the note has not been fetched"
    shelf.sent(kept, "note")
    until(lambda: not kept.folder.exists())
    assert shelf.find(kept.key, "rev") is None


def test_a_start_empties_the_shelf(tmp_path, job, monkeypatch):
    monkeypatch.setattr(exports, "COMMAND", ("true",))
    kept = ExportShelf(tmp_path).start("rev", "a.zip", job)
    ExportShelf(tmp_path)
    assert not kept.folder.exists()


def test_the_state_of_a_job_travels_as_json(world, job, tmp_path):
    made = job(tmp_path)
    made = replace(made, order=replace(made.order, fields=frozenset({"name"}), name="Åse"))
    from pydantic import TypeAdapter

    assert TypeAdapter(Job).validate_json(made.encode()) == made
