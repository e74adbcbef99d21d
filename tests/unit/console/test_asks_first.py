"""What takes something away asks first on a page of its own, or can be undone: no such form is added unseen."""

from __future__ import annotations

import re

import pytest

from captive_portal.console.pages import all_pages
from gateway.telemetry import Totals

TAKES_AWAY = re.compile(r"/(end|end-others|remove|discard|revoke|delete|close|decline|rollback|publish|switch)\b")
UNDONE = {
    "/account/sessions/{id}/end": "one signs in there again",
    "/account/sessions/end-others": "one signs in there again",
    "/sessions/{id}/end": "they sign in again",
    "/account/tokens/{id}/revoke": "another token is made",
    "/tokens/{id}/revoke": "whose it was makes another",
    "/acceptances/exports/{key}/remove": "it is made again; it would go by itself within an hour",
    "/lists/source/{key}/switch": "the same button switches it back",
    "/policy/exemptions/{id}/end": "it ends in the draft alone, which is published or thrown away",
    "/policy/draft/publish": "the page that it stands on is the question: what will change; one can go back",
    "/exemptions/{request}/decline": "the page that it stands on is the question, with the answer to write",
    "/courses/{course}/requests/{request}/decline": "as IT's, with the answer to write",
    "/courses/{course}/openings/{opening}/close": "it is opened again",
}
"""Forms that act at once, and how that is undone."""


def test_whatever_takes_away_asks_first_or_can_be_undone(world):
    pages = all_pages(world.services, Totals())
    asked = {page.path for page in pages if page.method == "GET"}
    taking = {page.path for page in pages if page.method == "POST" and TAKES_AWAY.search(page.path)}
    assert len(taking) >= 12
    assert taking - asked - set(UNDONE) == set(), "ask on a page of the same address, or say here how it is undone"
    assert set(UNDONE) <= taking, "no such form any more"


@pytest.mark.parametrize("path", ["/devices/{grant}/end", "/courses/{course}/end", "/lists/source/{key}/remove"])
def test_these_ask(world, path):
    assert path in {page.path for page in all_pages(world.services, Totals()) if page.method == "GET"}
