"""Groups have their own rules and their own form: a library asks for no name, what was shown is recorded."""

from __future__ import annotations

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from gateway.access.receipts import format_receipt_code
from gateway.audit.entry import parse_entry
from gateway.cli import cli
from gateway.context import Services
from gateway.lists import draft_edits, generations
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Acceptance, Grant, Network, RulesVersion, Visitor
from gateway.terms.draft import Draft
from gateway.terms.drafting import Choice, publish_now
from gateway.terms.publish import publish, short_texts
from policies.categories import CATEGORIES
from tests.unit.captive_portal.conftest import compile_policy


def publish_for(services: Services, group_key: str, texts: dict[str, str], label: str) -> RulesVersion:
    with services.database.write() as session:
        return publish(
            session, services.place, texts, label=label, adopting_body="", adopted_on=None, case_number="",
            binding_language="nb", next_review_on=None, published_by="it", now=services.clock(), group_key=group_key,
        )  # fmt: skip


def add_group(services: Services, key: str) -> None:
    with services.database.write() as session:
        before = generations.draft(session, services.place)
        draft, _ = draft_edits.with_group(before, key, like=None, mark=None, title="Bibliotek")
        generations.save_draft(session, services.place, draft, services.clock())
        generations.publish(session, services.place, "test", "a group", services.clock())


@pytest.fixture
def library(gateway_services: Services) -> Services:
    """A gateway whose guest network belongs to the group `library`."""
    add_group(gateway_services, "library")
    with gateway_services.database.write() as session:
        network = session.scalars(select(Network).where(Network.interface == "guest0")).one()
        network.group_key = "library"
    return gateway_services


def leaves(services: Services) -> list[dict[str, Any]]:
    with services.database.read() as session:
        return [parse_entry(entry) for entry in session.scalars(select(StagedLeaf.entry).order_by(StagedLeaf.id))]


def test_a_library_asks_for_no_name_and_shows_its_own_shorter_rules(library: Services, make_guest: Any) -> None:
    version = publish_for(library, "library", short_texts(), "bibliotek 1")
    guest = make_guest(library)
    page = guest.http.get("/").text
    assert "Ta hensyn." in page
    assert "IKT-regler for gjestenettet" not in page
    for field in ("name", "organisation", "contact", "course_code"):
        assert f'name="{field}"' not in page
    assert "Ta hensyn." in guest.http.get("/rules").text
    assert "navnet ditt, slik du skriver det" not in guest.http.get("/privacy").text

    answer = guest.http.post("/accept", data={"token": guest.token(), "name": "Kari Nordmann"})
    assert answer.headers["location"] == "/status"
    leaf = leaves(library)[-1]
    shown = next(text for text in version.texts if text.language == "nb")
    assert leaf["rules"] == {
        "version": "bibliotek 1", "language": "nb", "group": "library",
        "text_sha256": shown.text_sha256, "html_sha256": shown.html_sha256,
    }  # fmt: skip
    with library.database.read() as session:
        assert session.scalars(select(Visitor.name)).all() == [""]  # nobody asked, so nothing is kept
        code = session.scalars(select(Acceptance.receipt_code)).one()
    assert "Ta hensyn." in guest.http.get(f"/receipt/{format_receipt_code(code)}").text


def test_everybody_else_has_the_owners_rules_and_form(library: Services, make_guest: Any) -> None:
    publish_for(library, "library", short_texts(), "bibliotek 1")
    with library.database.write() as session:
        session.scalars(select(Network).where(Network.interface == "guest0")).one().group_key = "default"
    guest = make_guest(library)
    page = guest.http.get("/").text
    assert "IKT-regler for gjestenettet" in page
    assert 'name="name"' in page
    guest.accept()
    assert "group" not in leaves(library)[-1]["rules"]


def test_a_form_of_other_rules_is_shown_again(library: Services, make_guest: Any) -> None:
    """Whose rules were accepted is decided by the network, not by the form."""
    guest = make_guest(library)
    token = guest.token()
    publish_for(library, "library", short_texts(), "bibliotek 1")
    answer = guest.http.post("/accept", data={"token": token})
    assert answer.status_code == 409
    assert "Ta hensyn." in answer.text


def test_the_publication_says_whose_rules_they_are(library: Services) -> None:
    publish_for(library, "library", short_texts(), "bibliotek 1")
    publish_for(library, "", {"nb": "# R"}, "1.1")
    own, everybodys = leaves(library)[-2:]
    assert (own["type"], own["group"]) == ("rules_published", "library")
    assert "group" not in everybodys


def test_the_command_publishes_for_a_group_of_the_policy(library: Services, tmp_path: Any) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[privacy]\ncontroller = "K"\ndpo = "D"\nlegal_basis = "6.1.e"\nlegal_basis_law = "L"\nbackup_days = 0\n'
        '[portal]\nlanguages = ["nb", "nn", "en"]\n'
    )

    def run(*arguments: str) -> Any:
        common = ["--config", str(config), "--state", str(library.settings.state)]
        return CliRunner().invoke(cli, [*common, "terms", *arguments])

    folder = tmp_path / "rules"
    written = run("starter", "--short", "--out", str(folder))
    assert written.exit_code == 0, written.output
    file = str(folder / "short-rules.nb.md")
    assert "Ta hensyn" in (folder / "short-rules.nb.md").read_text(encoding="utf-8")
    assert run("starter", "--short", "--out", str(folder)).exit_code == 2
    wrong = run("publish", file, "--language", "nb", "--label", "b1", "--group", "nobody")
    assert wrong.exit_code == 2
    assert "no group 'nobody'" in wrong.output
    right = run("publish", file, "--language", "nb", "--label", "b1", "--group", "library")
    assert right.exit_code == 0, right.output
    assert "rules b1 are in force for the group library" in right.output
    listed = json.loads(run("list", "--json").output)
    assert {row["label"]: row["group"] for row in listed} == {"1.0": "", "b1": "library"}


def test_guests_are_told_of_rules_to_come_and_asked_for_them_from_their_moment(
    gateway_services: Services, make_guest: Any
) -> None:
    now = gateway_services.clock()
    with gateway_services.database.write() as session:
        draft = Draft({"nb": "# Nye regler\n\nVær stille."}, "1.1", "nb")
        choice = Choice(now + timedelta(hours=1), ask_again=True)
        publish_now(session, gateway_services.place, "", draft, choice, by="it", now=now)
    guest = make_guest(gateway_services)
    page = unescape(guest.http.get("/rules").text)
    assert "IKT-regler for gjestenettet" in page
    assert "Nye regler gjelder fra" in page
    assert "Vær stille." in page
    assert "Vær stille." not in guest.http.get("/").text
    stale = guest.token()
    later = Services(
        gateway_services.settings, gateway_services.database, gateway_services.place, lambda: now + timedelta(hours=1)
    )
    after = make_guest(later)
    assert "Vær stille." in after.http.get("/").text
    assert "Nye regler gjelder fra" not in after.http.get("/rules").text
    answer = after.http.post("/accept", data={"token": stale, "name": "Kari Nordmann"})
    assert answer.status_code == 409, "the form of the old rules is no acceptance of the new ones"
    assert after.accept().status_code == 303
    assert leaves(later)[-1]["rules"]["version"] == "1.1"


def test_what_is_closed_is_told_of_the_group_that_the_device_is_in(gateway_services: Services, guest: Any) -> None:
    gaming = CATEGORIES["gaming"].names["nb"]
    with gateway_services.database.write() as session:
        draft, _ = draft_edits.with_group(
            generations.draft(session, gateway_services.place), "course", like="default", mark=None, title=""
        )
        draft["groups"]["course"]["closed"].remove("gaming")
        generations.save_draft(session, gateway_services.place, draft, gateway_services.clock())
        generations.publish(session, gateway_services.place, "test", "", gateway_services.clock())
    compile_policy(gateway_services)
    assert f"<dt>{gaming}</dt>" in guest.http.get("/closed").text
    guest.accept()
    with gateway_services.database.write() as session:
        session.scalars(select(Grant)).one().group_key = "course"
    assert f"<dt>{gaming}</dt>" not in guest.http.get("/closed").text
