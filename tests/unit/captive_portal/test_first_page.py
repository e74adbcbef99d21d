"""The first page: five points with the whole text below, what is closed and why, whom to ask; few, small answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from captive_portal.assets import stylesheet, with_fallbacks
from captive_portal.guest.guideline_words import REASONS
from captive_portal.guest.site import Rules
from captive_portal.i18n import translators
from gateway.clock import MUNICIPAL_ZONE
from gateway.context import Services
from gateway.lists import generations
from gateway.lists.compile import built_in_lists, starter_lists
from gateway.look.arms import MAX_BYTES
from gateway.look.colours import palette
from gateway.settings import Look
from policies.categories import CATEGORIES, CLOSED_BY_DEFAULT
from tests.unit.captive_portal.conftest import compile_policy

FIRST_LOAD_BYTES = 60_000
LANGUAGES = ("nb", "nn", "en")
ARMS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z" fill="#a00"/></svg>'


def with_settings(services: Services, **changes: Any) -> Services:
    settings = services.settings.model_copy(update=changes)
    return Services(settings, services.database, services.place, services.clock)


def with_portal(services: Services, **changes: Any) -> Services:
    return with_settings(services, portal=services.settings.portal.model_copy(update=changes))


def wire_bytes(answer: Any) -> int:
    """What an answer takes on the wire: its body as it is sent, its headers, and the status line."""
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    return head + 40 + int(answer.headers["content-length"])


def load(guest: Any, path: str, headers: Mapping[str, str]) -> tuple[list[Any], Any]:
    page = guest.http.get(path, headers=headers)
    assets = dict.fromkeys(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    return [guest.http.get(asset, headers=headers) for asset in assets], page


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_load_is_one_page_and_two_files_below_60_kb(
    gateway_services: Services, make_guest: Any, tmp_path: Path, language: str, encoding: str
) -> None:
    """Also with arms as large as they may be, which is the most that a municipality can add."""
    drawn = ARMS.replace("M0 0h9", "M0 0h9" + "".join(f"M{n} {n * 7919 % 9973}" for n in range(2300)))
    (tmp_path / "arms.svg").write_text(drawn)
    assert MAX_BYTES * 0.8 < len(drawn) < MAX_BYTES
    services = with_settings(gateway_services, look=Look(arms=tmp_path / "arms.svg", accent="#a01020"))
    guest = make_guest(services)
    assets, page = load(guest, f"/?lang={language}", {"accept-encoding": encoding})
    assert len(assets) == 2
    assert "<script" not in page.text
    assert all(asset.headers["cache-control"].endswith("immutable") for asset in assets)
    total = sum(map(wire_bytes, [page, *assets]))
    print(f"first load, {language}, {encoding}: {total} bytes")
    assert total < FIRST_LOAD_BYTES


def test_files_are_sent_packed_to_whom_takes_it(guest: Any) -> None:
    path = re.search(r'href="(/static/guest[^"]+)"', guest.http.get("/").text)[1]  # type: ignore[index]
    packed = guest.http.get(path, headers={"accept-encoding": "br, gzip"})
    plain = guest.http.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("language", LANGUAGES)
def test_five_points_come_before_the_whole_text_and_both_before_the_button(guest: Any, language: str) -> None:
    page = guest.http.get(f"/?lang={language}").text
    summary, _, rest = page.partition("<details>")
    assert summary.count("<li>") - summary.partition("<main")[0].count("<li>") == 5
    whole, _, form = rest.partition("</details>")
    assert "2009" in whole
    assert 'id="accept"' in form


def test_a_text_without_a_break_is_shown_whole() -> None:
    rules = Rules("nb", Markup("<p>a</p>"))
    assert (rules.summary, rules.rest) == ("", "<p>a</p>")
    parted = Rules("nb", Markup("<p>a</p><hr><p>b</p><hr><p>c</p>"))
    assert (parted.summary, parted.rest) == ("<p>a</p>", "<p>b</p><hr><p>c</p>")
    assert f"{parted.summary}<hr>{parted.rest}" == parted.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_closed_is_told_with_the_guideline_behind_it(guest: Any, language: str) -> None:
    page = guest.http.get(f"/closed?lang={language}").text
    t = translators("guest", LANGUAGES)[language]
    listed = {each.category for each in (*starter_lists(), *built_in_lists())}
    assert CLOSED_BY_DEFAULT - listed == {"malware", "phishing", "encrypted_dns"}, (
        "closed, but nothing is known of them"
    )
    for key, category in CATEGORIES.items():
        closed = key in CLOSED_BY_DEFAULT and key in listed
        assert (f"<dt>{category.names[language]}</dt>" in page) == closed, key  # type: ignore[index]
        if closed:
            assert t(REASONS[category.guideline]) in page.replace("&#39;", "'")
    first = guest.http.get(f"/?lang={language}").text
    assert CATEGORIES["gaming"].names[language] in first  # type: ignore[index]
    assert f'href="/closed?lang={language}"' in first


def test_hours_and_exemptions_are_told(gateway_services: Services, make_guest: Any, clock: Any) -> None:
    now = clock()
    with gateway_services.database.write() as session:
        draft = generations.draft(session, gateway_services.place)
        local = now.astimezone(MUNICIPAL_ZONE)
        begin, end = (local + timedelta(hours=hours) for hours in (1, 3))
        draft["groups"]["default"]["schedules"] = [
            {"categories": ["streaming"], "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
             "from": f"{begin:%H:%M}", "to": f"{end:%H:%M}", "effect": "close"},
        ]  # fmt: skip
        draft["exemptions"] = [
            {"id": "e1", "group": "default", "categories": ["gaming"], "from": f"{local:%Y-%m-%dT%H:%M}",
             "until": f"{local + timedelta(days=1):%Y-%m-%dT%H:%M}", "approved_by": "IT", "reason": "course"},
        ]  # fmt: skip
        generations.save_draft(session, gateway_services.place, draft, now)
        generations.publish(session, gateway_services.place, "test", "hours", now)
    compile_policy(gateway_services)
    guest = make_guest(gateway_services)
    page = guest.http.get("/stengt").text
    assert f"Strømming: stenger {begin.day}." in page
    clock.advance(timedelta(hours=2))
    page = guest.http.get("/stengt").text
    assert "<dt>Strømming</dt>" in page
    assert "Åpner" in page
    assert "<dt>Nettspill</dt>" not in page
    assert "Nettspill: åpent med unntak til" in page


def test_whom_to_ask_stands_with_telephone_and_hours(gateway_services: Services, make_guest: Any) -> None:
    owner = gateway_services.settings.owner.model_copy(
        update={"helpdesk_phone": "61 00 00 00", "helpdesk_hours": "8–15"}
    )
    guest = make_guest(with_settings(gateway_services, owner=owner))
    for path in ("/", "/closed", "/accessibility"):
        assert '<a class="phone" href="tel:61000000">61 00 00 00</a> (8–15)' in guest.http.get(path).text


def test_the_statement_is_one_tap_away_before_accepting(gateway_services: Services, make_guest: Any) -> None:
    address = "https://uustatus.no/nb/erklaringer/publisert/abc"
    guest = make_guest(with_portal(gateway_services, accessibility_statement=address))
    assert 'href="/accessibility"' in guest.http.get("/").text
    page = guest.http.get("/tilgjengelighet").text
    assert f'<a class="address" href="{address}">' in page
    assert "<svg" in page
    assert "ikke lagt inn" in make_guest(gateway_services).http.get("/accessibility").text


def test_arms_and_colour_are_the_municipalitys(gateway_services: Services, make_guest: Any, tmp_path: Path) -> None:
    (tmp_path / "arms.svg").write_text(ARMS)
    guest = make_guest(with_settings(gateway_services, look=Look(arms=tmp_path / "arms.svg", accent="#a01020")))
    assets, page = load(guest, "/", {})
    css, mark = assets
    assert "--ds-color-accent-base-default:#a01020" in css.text
    assert 'fill="#a00"' in mark.text
    assert mark.headers["content-type"] == "image/svg+xml"
    assert mark.headers["content-security-policy"] == "default-src 'none'"
    assert 'rel="icon"' in page.text


LOST_ON_OLD_WEBVIEWS = re.compile(
    r"@layer|@container|@supports|:is\(|:where\(|:has\(|(?<![\w-])(?:min|max|clamp|calc|color-mix|light-dark)\("
    r"|(?<![\w-])(?:inset|gap|grid|aspect-ratio|margin-(?:block|inline)|padding-(?:block|inline))[\w-]*:"
)


@pytest.mark.parametrize("accent", [None, "#ffd500"])
def test_the_stylesheet_needs_nothing_that_old_webviews_lack(accent: str | None) -> None:
    css = stylesheet(palette(accent) if accent else None)
    rules = css[css.index("*, *::before") :]
    assert not LOST_ON_OLD_WEBVIEWS.search(rules)
    uses = re.findall(r"([a-z-]+): ([^;{}]*); (?:\1): ([^;{}]*var\([^;{}]*)", rules)
    assert len(uses) == len(re.findall(r"(?<![\w-])[a-z-]+: [^;{}]*var\(", rules)) > 50
    assert not [plain for _, plain, _ in uses if "var(" in plain]


def test_a_fallback_stands_before_what_it_is_for() -> None:
    css = "a { color: red; border: 1px solid var(--x) } /* var(--y): none */"
    assert with_fallbacks(css, {"--x": "#123456"}) == (
        "a { color: red; border: 1px solid #123456 ; border: 1px solid var(--x) } "
    )
