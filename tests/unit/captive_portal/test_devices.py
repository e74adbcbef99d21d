"""What a guest does about time and devices, page by page, and everything that can stand in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from threading import Thread
from typing import Any

import pytest

from captive_portal.guest.word_guessing import ALL_FREE
from gateway.access.receipts import format_receipt_code
from gateway.access.three_words import COUNT, words_of
from gateway.context import Services
from gateway.storage import grants
from gateway.terms.publish import publish, starter_texts

Counted = Callable[[], tuple[int, int, int]]
Apply = Callable[[], None]
BUTTON = {
    "nb": "Jeg har lest og godtar reglene", "nn": "Eg har lese og godtek reglane",
    "en": "I have read and accept the rules",
}  # fmt: skip
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


def token_of(page: str, action: str) -> str:
    """The token of the form that posts to `action`."""
    form = re.search(rf'<form[^>]*action="{action}[?"].*?</form>', page, re.DOTALL)
    assert form is not None, page
    return re.search(r'name="token" value="([^"]+)"', form[0])[1]  # type: ignore[index]


def press(guest: Any, action: str, path: str = "/status", **headers: str) -> Any:
    return guest.http.post(action, data={"token": token_of(guest.http.get(path).text, action)}, headers=headers)


def shown_words(guest: Any) -> str:
    """Press the button, and read what the page shows."""
    assert press(guest, "/words").headers["location"] == "/status"
    found = re.search(r'<p class="words" lang="nb">([^<]+)</p>', guest.http.get("/status").text)
    assert found is not None
    return found[1]


def add(guest: Any, words: str, *, headers: dict[str, str] | None = None, **fields: str) -> Any:
    token = token_of(guest.http.get("/add").text, "/add")
    return guest.http.post("/add", data={"token": token, "words": words, **fields}, headers=headers or {})


def main_of(page: str) -> str:
    return unescape(page.partition("<main")[2].partition("</main")[0])


@pytest.fixture
def new_rules(gateway_services: Services) -> Callable[..., None]:
    """Puts another version of the rules in force."""

    def put(label: str = "2.0", **texts: str) -> None:
        with gateway_services.database.write() as session:
            publish(
                session, gateway_services.place, {**starter_texts(), **texts}, label=label, adopting_body="",
                adopted_on=None, case_number="", binding_language="nb", next_review_on=None, published_by="it",
                now=gateway_services.clock() + timedelta(milliseconds=1),
            )  # fmt: skip

    return put


# --- coming back ---


@pytest.mark.parametrize("language", BUTTON)
def test_coming_back_takes_one_tap_and_names_nobody(guest: Any, clock: Any, counted: Counted, language: str) -> None:
    guest.accept(contact="kari@example.org")
    clock.advance(timedelta(days=3))
    page = guest.http.get(f"/?lang={language}").text
    assert BUTTON[language] in page
    assert 'name="name"' not in page
    assert "Kari" not in page
    assert "kari@" not in page
    answer = guest.http.post(f"/return?lang={language}", data={"token": token_of(page, "/return")})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/status?lang={language}")
    assert counted() == (2, 2, 2)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", "Det du skrev, blir slettet"),
        ("nn", "Det du skreiv, blir sletta"),
        ("en", "What you wrote is erased on"),
    ],
)
def test_it_says_of_what_was_written_when_it_is_erased(guest: Any, clock: Any, language: str, said: str) -> None:
    guest.accept()
    clock.advance(timedelta(days=3))
    assert said in guest.http.get(f"/?lang={language}").text


def test_the_form_stays_within_reach_for_somebody_else(guest: Any, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(days=3))
    assert 'href="/form"' in guest.http.get("/").text
    assert 'name="name"' in guest.http.get("/form").text
    assert guest.accept(name="Ola").headers["location"] == "/status"


def test_after_the_days_it_is_the_form_again(guest: Any, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(days=30))
    assert 'name="name"' in guest.http.get("/").text
    assert guest.http.get("/return").headers["location"] == "/"


def test_another_device_is_not_known(guest: Any, laptop: Any, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    assert 'name="name"' in laptop.http.get("/").text
    token = token_of(guest.http.get("/").text, "/return")
    assert laptop.http.post("/return", data={"token": token}).headers["location"] == "/"
    assert laptop.http.get("/status").headers["location"] == "/"


@pytest.mark.parametrize("how", ["forged", "cross-site", "no form", "old", "of the form", "empty"])
def test_a_return_that_was_not_pressed_here_and_now_changes_nothing(
    guest: Any, clock: Any, counted: Counted, how: str
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    token = token_of(guest.http.get("/").text, "/return")
    before, headers, status = counted(), {}, 303
    if how == "forged":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    elif how == "cross-site":
        headers, status = CROSS_SITE, 403
    elif how == "no form":
        headers, status = {"Content-Type": "text/plain"}, 415
    elif how == "old":
        clock.advance(timedelta(hours=2))
    elif how == "of the form":
        token = guest.token("/form")
    elif how == "empty":
        token = ""
    answer = guest.http.post("/return", data={"token": token}, headers=headers)
    assert (answer.status_code, answer.headers.get("location", "/")) == (status, "/")
    assert counted() == before


def test_a_replayed_return_gives_the_same_access(guest: Any, clock: Any, apply_grants: Apply, counted: Counted) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    token = token_of(guest.http.get("/").text, "/return")
    for _ in range(2):
        assert guest.http.post("/return", data={"token": token}).headers["location"] == "/status"
    assert counted() == (2, 2, 2)
    apply_grants()
    press(guest, "/sign-off")
    answer = guest.http.post("/return", data={"token": token})
    assert answer.headers["location"] == "/"  # it was for the first coming back
    assert counted() == (2, 2, 2)


def test_two_returns_at_once_make_one_acceptance(guest: Any, clock: Any, counted: Counted) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    token, found = token_of(guest.http.get("/").text, "/return"), []
    threads = [
        Thread(target=lambda: found.append(guest.http.post("/return", data={"token": token}).headers["location"]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["/status", "/status"]
    assert counted() == (2, 2, 2)


@pytest.mark.parametrize(
    ("language", "heading", "before", "now"),
    [("nb", "Dette er nytt", "Før:", "Nå:"), ("nn", "Dette er nytt", "Før:", "No:"),
     ("en", "What is new", "Before:", "Now:")],
)  # fmt: skip
def test_when_the_rules_have_changed_it_shows_what(
    guest: Any, clock: Any, new_rules: Any, counted: Counted, language: str, heading: str, before: str, now: str
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    text = starter_texts()[language]
    first = next(line for line in text.splitlines() if line.startswith("- ") or re.match(r"\d+\. ", line))
    new_rules(**{language: text.replace(first, f"{first} <b>Klokka tolv</b>.")})
    page = guest.http.get(f"/?lang={language}").text
    said = main_of(page)
    for word in (heading, before, now, BUTTON[language]):
        assert word in said
    assert "&lt;b&gt;" in page
    assert "<b>Klokka" not in page
    changed = page.partition('id="new-heading"')[2].partition("</section>")[0]
    assert changed.count('class="change"') == 1
    assert re.search(r"<ins>[^<]*Klokka tolv", unescape(changed).replace("<b>", ""))
    assert "Kari" not in page
    guest.http.post(f"/return?lang={language}", data={"token": token_of(page, "/return")})
    assert counted() == (2, 2, 2)


def test_rules_that_change_while_the_page_is_open_are_shown_and_not_accepted(
    guest: Any, clock: Any, new_rules: Any, counted: Counted
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    token = token_of(guest.http.get("/").text, "/return")
    new_rules(nb="# Regler\n\nVær snill.")
    assert guest.http.post("/return", data={"token": token}).headers["location"] == "/"
    assert counted() == (1, 1, 1)
    assert "Dette er nytt" in guest.http.get("/").text


def test_a_version_with_the_same_words_says_so(guest: Any, clock: Any, new_rules: Any) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    new_rules()
    assert "Ordlyden er den samme på dette språket" in guest.http.get("/").text


# --- extending ---


def capport(guest: Any) -> dict[str, Any]:
    return json.loads(guest.http.get("/captive-portal/api").text)  # type: ignore[no-any-return]


def test_the_page_and_the_api_offer_to_extend_and_it_works(guest: Any, apply_grants: Apply, clock: Any) -> None:
    guest.accept()
    apply_grants()
    assert "/extend" not in guest.http.get("/status").text
    assert capport(guest)["can-extend-session"] is False
    clock.advance(timedelta(hours=9))
    assert "Forleng til 23. november 2026 kl. 04.55" in guest.http.get("/status").text.replace("\u00a0", " ")
    told = capport(guest)
    assert (told["can-extend-session"], told["seconds-remaining"]) == (True, 3600)
    assert press(guest, "/extend").headers["location"] == "/status"
    assert "10 t 0 min" in guest.http.get("/status").text
    told = capport(guest)
    assert (told["can-extend-session"], told["seconds-remaining"]) == (False, 36000)


def test_a_device_that_is_held_back_is_told_of_no_extension(guest: Any, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(hours=9))
    told = capport(guest)
    assert (told["captive"], told["can-extend-session"]) == (True, False)


def test_under_new_rules_they_are_accepted_before_time_is_added(
    guest: Any, apply_grants: Apply, clock: Any, new_rules: Any, counted: Counted
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(hours=9))
    old = token_of(guest.http.get("/status").text, "/extend")
    new_rules(nb="# Regler\n\nVær snill.")
    page = guest.http.get("/status").text
    assert "/extend" not in page
    assert 'href="/return"' in page
    assert capport(guest)["can-extend-session"] is False
    guest.http.post("/extend", data={"token": old})
    assert capport(guest)["seconds-remaining"] == 3600
    assert press(guest, "/return", "/return").headers["location"] == "/status"
    apply_grants()
    assert capport(guest)["seconds-remaining"] == 36000
    assert counted() == (2, 2, 2)
    assert guest.http.get("/return").headers["location"] == "/status"


# --- a second device ---


@pytest.mark.parametrize("typed", ["{}", "  {}  ", "upper", "no spaces", "ascii"])
def test_three_words_bring_the_second_device_online(
    guest: Any, laptop: Any, apply_grants: Apply, counted: Counted, typed: str
) -> None:
    guest.accept()
    apply_grants()
    words = shown_words(guest)
    assert re.fullmatch(r"[a-zæøå]+ – [a-zæøå]+ – [a-zæøå]+", words)
    assert words in guest.http.get("/status").text  # as long as they last
    if typed == "upper":
        words = words.upper()
    elif typed == "no spaces":
        words = words.replace(" – ", "")
    elif typed == "ascii":
        words = words.replace("æ", "ae").replace("ø", "oe").replace("å", "aa").replace(" – ", "-")
    assert 'href="/add"' in laptop.http.get("/").text
    page = laptop.http.get("/legg-til")
    assert BUTTON["nb"] in page.text
    assert "Kari" not in page.text
    answer = add(laptop, typed.format(words) if "{" in typed else words)
    assert (answer.status_code, answer.headers["location"]) == (303, "/status")
    assert counted() == (2, 2, 2)
    apply_grants()
    assert "Du er på nett" in laptop.http.get("/status").text
    phone = guest.http.get("/status").text
    assert "••:••:••:••:00:02" in phone
    assert 'class="words"' not in phone  # used once
    assert guest.http.get("/add").headers["location"] == "/status"


def test_what_is_no_words_is_no_guess_and_unknown_words_are(guest: Any, laptop: Any, apply_grants: Apply) -> None:
    guest.accept()
    apply_grants()
    right = shown_words(guest)
    for _ in range(30):
        answer = add(laptop, "fjord fjor fjell")
        assert answer.status_code == 422
        assert "Sjekk skrivemåten" in answer.text
    wrong = next(" ".join(words_of(number)) for number in range(COUNT) if " – ".join(words_of(number)) != right)
    codes = [add(laptop, wrong).status_code for _ in range(15)]
    assert codes[:10] == [422] * 10
    assert codes[-1] == 429
    assert add(laptop, right).status_code == 429  # a right one would tell the guesser, too
    assert add(laptop, right).headers["retry-after"].isdigit()


def test_guesses_of_many_devices_together_are_slowed(
    gateway_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from captive_portal.guest import word_guessing
    from captive_portal.guest.site import Visit
    from gateway.link.neighbours import Neighbour

    now = [0.0]
    guessing = word_guessing.WordGuessing(lambda: now[0])

    def of(number: int) -> Any:
        return Visit(None, None, None, None, "", Neighbour("g", f"02:00:00:00:{number:02x}:00"), None)  # type: ignore[arg-type]

    for number in range(ALL_FREE):
        assert guessing.wait_s(of(number)) == 0
        guessing.missed(of(number))
    assert guessing.wait_s(of(200)) == 4
    now[0] += 4
    assert guessing.wait_s(of(201)) == 0


@pytest.mark.parametrize("how", ["forged", "cross-site", "no form", "expired", "anothers"])
def test_words_posted_from_elsewhere_add_nothing(
    guest: Any, laptop: Any, apply_grants: Apply, clock: Any, counted: Counted, how: str
) -> None:
    guest.accept()
    apply_grants()
    token = token_of(laptop.http.get("/add").text, "/add")
    headers, status = {}, 403
    if how == "forged":
        token = "0." + token
    elif how == "cross-site":
        headers = CROSS_SITE
    elif how == "no form":
        headers, status = {"Content-Type": "application/json"}, 415
    elif how == "expired":
        clock.advance(timedelta(hours=3))
        status = 409
    elif how == "anothers":
        token = "foreign." + token
    words = shown_words(guest)
    answer = laptop.http.post("/add", data={"token": token, "words": words}, headers=headers)
    assert answer.status_code == status
    assert counted() == (1, 1, 1)
    assert add(laptop, words).status_code == 303  # the words were not used up


def test_the_form_keeps_what_was_typed_and_escapes_it(laptop: Any) -> None:
    answer = add(laptop, "<script>\0fjord", same_device="1")
    assert answer.status_code == 422
    assert 'value="&lt;script&gt;fjord"' in answer.text
    assert "checked" in answer.text
    assert 'autofocus aria-labelledby="errors-heading"' in answer.text
    long = laptop.http.get("/add", params={"code": "x" * 5000 + '"><script>'}).text
    assert "<script>" not in long
    assert "x" * 81 not in long


def test_new_rules_while_the_second_device_reads_are_shown_first(
    guest: Any, laptop: Any, apply_grants: Apply, new_rules: Any
) -> None:
    guest.accept()
    apply_grants()
    words = shown_words(guest)
    token = token_of(laptop.http.get("/add").text, "/add")
    new_rules(nb="# Regler\n\nVær snill.")
    answer = laptop.http.post("/add", data={"token": token, "words": words})
    assert answer.status_code == 409
    assert "Vær snill." in answer.text
    assert words in answer.text
    assert add(laptop, words).status_code == 303


@pytest.mark.parametrize("action", ["/words", "/extend", "/end-device"])
@pytest.mark.parametrize("how", ["cross-site", "forged", "of sign-off", "anothers", "no token"])
def test_buttons_pressed_from_elsewhere_do_nothing(
    guest: Any, laptop: Any, apply_grants: Apply, clock: Any, action: str, how: str
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(hours=8))
    assert add(laptop, shown_words(guest)).status_code == 303
    apply_grants()
    page = guest.http.get("/status").text
    token, headers, who = token_of(page, action), {}, guest
    if how == "cross-site":
        headers = CROSS_SITE
    elif how == "forged":
        token = token.replace(token[:3], "999")
    elif how == "of sign-off":
        token = token_of(page, "/sign-off")
    elif how == "anothers":
        who = laptop
    elif how == "no token":
        token = ""
    answer = who.http.post(action, data={"token": token}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/status")
    after = guest.http.get("/status").text
    assert 'class="words"' not in after
    assert "2 t 0 min" in after
    assert "••:00:02" in after
    assert "Du er på nett" in laptop.http.get("/status").text


def test_the_most_devices_and_ending_one_of_them(
    gateway_services: Services, make_guest: Any, clock: Any, counted: Counted
) -> None:
    settings = gateway_services.settings
    one = settings.model_copy(update={"sessions": settings.sessions.model_copy(update={"devices_per_person": 2})})
    services = Services(one, gateway_services.database, gateway_services.place, gateway_services.clock)
    phone, laptop = make_guest(services), make_guest(services, "192.0.2.2")

    def apply() -> None:
        with services.database.write() as session:
            wanted = [row[0] for row in grants.grants_of_gateway(session, services.place.gateway_id, clock())]
            grants.record_applied(session, services.place.gateway_id, wanted, [], clock())

    phone.accept()
    apply()
    stale = token_of(phone.http.get("/status").text, "/words")
    assert add(laptop, shown_words(phone)).status_code == 303
    apply()
    page = phone.http.get("/status").text
    assert 'action="/words"' not in page
    assert "så mange enheter på nett som du kan ha" in page
    answer = phone.http.post("/words", data={"token": stale})
    assert answer.status_code == 409
    assert press(phone, "/end-device").headers["location"] == "/status"
    assert "••:00:02" not in phone.http.get("/status").text
    assert laptop.http.get("/status").headers["location"] == "/"
    assert counted() == (2, 2, 2)


# --- a new address ---


def receipt_of(guest: Any) -> str:
    return re.search(r"/receipt/([0-9A-Z]{16})", guest.http.get("/status").text)[1]  # type: ignore[index]


def test_the_receipt_lets_the_new_address_in_and_the_old_one_go(
    guest: Any, laptop: Any, apply_grants: Apply, counted: Counted
) -> None:
    guest.accept()
    apply_grants()
    code = receipt_of(guest)
    link = re.search(r'href="(/add[^"]+)"', laptop.http.get(f"/receipt/{code}?lang=nn").text)
    assert link is not None
    page = laptop.http.get(unescape(link[1])).text
    assert f'value="{code}"' in page
    answer = laptop.http.post("/add?lang=nn", data={"token": token_of(page, "/add"), "words": f" {code.lower()} "})
    assert answer.headers["location"] == "/status?lang=nn"
    apply_grants()
    assert guest.http.get("/status").headers["location"] == "/"
    assert counted() == (2, 2, 2)
    assert "/add" not in main_of(guest.http.get("/receipt/0000-0000-0000-0000").text)


def test_same_device_releases_the_one_that_showed_the_words(guest: Any, laptop: Any, apply_grants: Apply) -> None:
    guest.accept()
    apply_grants()
    assert add(laptop, shown_words(guest), same_device="1").status_code == 303
    assert guest.http.get("/status").headers["location"] == "/"


def test_a_name_is_shown_where_it_was_written_and_nowhere_else(
    guest: Any, laptop: Any, apply_grants: Apply, clock: Any
) -> None:
    guest.accept(contact="kari@example.org")
    apply_grants()
    first = receipt_of(guest)
    assert "Kari Nordmann" in guest.http.get(f"/receipt/{first}").text
    assert add(laptop, shown_words(guest)).status_code == 303
    added = receipt_of(laptop)
    clock.advance(timedelta(days=1))
    press(guest, "/return", "/")
    back = receipt_of(guest)
    for device, code, word in ((laptop, added, "tre ord fra en annen enhet"), (guest, back, "godtatt før")):
        page = device.http.get(f"/receipt/{code}").text
        assert "Kari" not in page
        assert word in page
        mine = device.http.post("/my-data", data={"code": code}).text
        assert "Kari" not in mine
        assert "kari@" not in mine
        assert format_receipt_code(code) in mine
    mine = guest.http.post("/my-data", data={"code": first}).text
    assert mine.count("Kari Nordmann") == 2  # both acceptances on this device


def test_a_locked_database_is_told_and_nothing_is_lost(
    guest: Any, laptop: Any, apply_grants: Apply, gateway_services: Services
) -> None:
    import sqlite3

    guest.accept()
    apply_grants()
    words = shown_words(guest)
    token = token_of(laptop.http.get("/add").text, "/add")
    lock = sqlite3.connect(gateway_services.database.sqlite_path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        answer = laptop.http.post("/add", data={"token": token, "words": words})
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert laptop.http.post("/add", data={"token": token, "words": words}).status_code == 303
