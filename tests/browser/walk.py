"""A guest's way through every page and state in one language: what axe examines, keyboards walk and pictures are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from captive_portal.i18n import translators
from gateway.access import grants
from gateway.clock import utc_now
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.storage import rules
from gateway.storage.models import Network
from gateway.terms.publish import publish, short_texts, starter_texts

LANGUAGES = ("nb", "nn", "en", "de")
STATEMENT = "https://uustatus.no/nb/erklaringer/publisert/00000000-0000-4000-8000-000000000000"
# every guest comes from loopback: with return_days the second walk would be that of somebody who comes back
NOBODY_RETURNS = """[sessions]
return_days = 0
"""
SETTINGS = f"""
languages = ["nb", "nn", "en", "de"]
accessibility_statement = "{STATEMENT}"
[portal.reviewers]
de = "the tests, which only look at it"
[privacy]
controller = "Fjellbygda kommune, postmottak@fjellbygda.example.no"
dpo = "personvernombud@fjellbygda.example.no"
legal_basis = "6.1.e"
legal_basis_law = "kommuneloven § 25-1"
backup_days = 30
{NOBODY_RETURNS}"""
NAME = "Kari Nordmann"


def add_library(portal: Any) -> None:
    """A group `library` with shorter rules of its own; nobody is in it yet."""
    services, now = portal.services, utc_now()
    with services.database.write() as session:
        before = generations.draft(session, services.place)
        draft, _ = draft_edits.with_group(before, "library", like="default", mark=None, title="Bibliotek")
        generations.save_draft(session, services.place, draft, now)
        generations.publish(session, services.place, "it", "a library", now)
        publish_rules(session, services, short_texts(), "B-1", "library")


def publish_rules(session: Any, services: Any, texts: dict[str, str], label: str, group_key: str = "") -> None:
    """Publish texts as the rules of a group or of everybody."""
    publish(
        session, services.place, texts, label=label, adopting_body="", adopted_on=None, case_number="",
        binding_language="nb", next_review_on=None, published_by="it", now=utc_now(), group_key=group_key,
    )  # fmt: skip


def put_into(portal: Any, group_key: str) -> None:
    """Let the guests' network belong to this group."""
    with portal.services.database.write() as session:
        session.scalars(select(Network).where(Network.interface == "lo")).one().group_key = group_key


def release(portal: Any) -> None:
    """End what a walk that was broken off has left open."""
    services, now = portal.services, utc_now()
    with services.database.write() as session:
        grants.sign_off(session, services.place, Neighbour("lo", "00:00:00:00:00:00"), now)


def every_page(portal: Any, page: Page, language: str) -> Iterator[str]:
    """Bring `page` to each page and state in turn, and yield what it is called. It ends signed off.

    `portal` runs with `SETTINGS` and has had `add_library`.
    """
    t = translators("guest", LANGUAGES)[language]

    def go(path: str) -> None:
        page.goto(f"{portal.url}{path}{'&' if '?' in path else '?'}lang={language}")

    def accept() -> None:
        page.get_by_role("button", name=t("I have read and accept the rules")).click()

    page.route("**/status*", without_refresh)  # the page that loads itself again would slip away
    put_into(portal, "default")
    go("/form")  # "/" shows a device that has been here before one button
    yield "welcome"
    page.locator("summary").click()
    yield "welcome-whole-text"
    accept()
    expect(page.locator(".errors")).to_be_focused()
    yield "welcome-error"
    for name, path in {
        "rules": "/rules", "closed": "/closed", "privacy": "/privacy", "accessibility": "/accessibility",
        "receipt-find": "/receipt", "receipt-find-error": "/receipt?code=x",
        "no-receipt": "/receipt/0000-0000-0000-0000",
    }.items():  # fmt: skip
        go(path)
        yield name
    put_into(portal, "library")
    go("/form")
    yield "welcome-library"
    put_into(portal, "default")
    go("/form")
    page.locator("#name").fill(NAME)
    _change_rules(portal)
    accept()
    yield "welcome-rules-changed"
    accept()
    go("/status")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("Connecting you …"))
    yield "waiting"
    portal.apply_grants()
    go("/status")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("You are online"))
    yield "online"
    code = page.locator("dl a.code").inner_text()
    go(f"/receipt/{code}")
    yield "receipt-being-sealed"
    portal.seal()
    go(f"/receipt/{code}")
    yield "receipt"
    go(f"/receipt/{code[:9]}")
    yield "receipt-short"
    go("/my-data")
    yield "my-data"
    page.get_by_role("button").click()
    yield "my-data-error"
    page.locator("#code").fill(code)
    page.get_by_role("button").click()
    expect(page.locator("dl").first).to_contain_text(NAME)
    yield "my-data-found"
    go("/nowhere")
    yield "not-found"
    go("/status")
    page.get_by_role("button", name=t("Sign off")).click()
    expect(page.get_by_role("status")).to_be_visible()
    yield "signed-off"
    page.unroute("**/status*")


def _change_rules(portal: Any) -> None:
    services = portal.services
    with services.database.write() as session:
        number = len(rules.versions(session, services.place.owner_id))
        publish_rules(session, services, starter_texts(), f"1.{number}")


def without_refresh(route: Route) -> None:
    """Fetch the page, and leave out that it loads itself again."""
    answer = route.fetch(max_redirects=0)
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    route.fulfill(response=answer, headers=headers)
