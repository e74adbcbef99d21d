"""The log's key: made once, never replaced in silence, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.audit.custody import CustodyError
from gateway.audit.keyfile import create_key_file
from gateway.installation import open_signing_key, prepare, public_key_path
from gateway.settings import load, signing_key_path


def again(services):
    prepared = prepare(services.settings, services.clock)
    prepared.database.close()


def test_a_later_start_keeps_the_key(services):
    before = open_signing_key(services)
    again(services)
    assert open_signing_key(services) == before
    assert public_key_path(services.settings).read_text() == f"{before.verifier}\n"


def test_a_lost_key_is_never_replaced(services):
    vkey = public_key_path(services.settings).read_text()
    signing_key_path(services.settings).unlink()
    again(services)
    assert not signing_key_path(services.settings).exists()
    assert public_key_path(services.settings).read_text() == vkey


def test_a_foreign_key_is_refused(services):
    path = signing_key_path(services.settings)
    path.unlink()
    create_key_file(path, services.place.log_origin)
    with pytest.raises(CustodyError, match="is not the key of this log"):
        again(services)
    with pytest.raises(CustodyError):
        open_signing_key(services)


def test_a_key_without_its_database_begins_no_second_history(services, tmp_path, monkeypatch):
    fresh = tmp_path / "fresh.sqlite3"
    monkeypatch.setenv("GJESTENETT_DATABASE__URL", f"sqlite:///{fresh}")
    settings = load(state=services.settings.state)
    for _ in range(2):  # and a second try does not get further
        with pytest.raises(CustodyError, match="restore that database"):
            prepare(settings, services.clock)


def test_a_second_machine_on_the_same_database_has_the_public_key_only(services, tmp_path, monkeypatch):
    url = services.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("GJESTENETT_DATABASE__URL", url.replace("postgresql+psycopg", "postgresql"))
    monkeypatch.setenv("GJESTENETT_ENFORCEMENT__GATEWAY", "gateway-2")
    settings = load(state=tmp_path / "second")
    second = prepare(settings, services.clock)
    second.database.close()
    assert not signing_key_path(settings).exists()
    assert public_key_path(settings).read_text() == public_key_path(services.settings).read_text()


def test_a_start_cut_off_before_its_commit_leaves_nothing_in_the_way(settings, clock, monkeypatch):
    import gateway.installation as installation

    monkeypatch.setattr(installation.terms, "starter_texts", lambda: {"nb": ""})  # fails inside the transaction
    with pytest.raises(Exception, match="empty"):
        prepare(settings, clock)
    monkeypatch.undo()
    prepare(settings, clock).database.close()
    assert signing_key_path(settings).exists()


def test_a_start_cut_off_after_its_commit_is_finished_by_the_next(services):
    path = signing_key_path(services.settings)
    path.rename(path.with_name(path.name + ".new"))
    again(services)
    assert path.exists()


def test_the_database_knows_the_key(services):
    with services.database.read() as session:
        assert session.execute(text("SELECT log_key FROM owner")).scalar() == str(open_signing_key(services).verifier)
