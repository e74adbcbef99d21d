"""Courses of guests who are known already: coming back, and joining from the status page while online."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.access import exemption_requests
from gateway.context import Services
from gateway.lists import draft_edits, generations
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Grant
from gateway.terms.publish import publish
from tests.unit.captive_portal.conftest import PHONE
from tests.unit.captive_portal.test_courses import Make, identified, make, with_codes_required

__all__ = ["make"]


def return_form(page: str) -> str:
    """The form of the page that leads to `/return`."""
    found = re.search(r'<form [^>]*action="/return".*?</form>', page, re.DOTALL)
    return found[0] if found else ""


def return_token(page: str) -> str:
    """The token of that form."""
    found = re.search(r'name="token" value="([^"]+)"', return_form(page))
    assert found is not None
    return found[1]


def write_code(guest: Any, path: str, **fields: str) -> Any:
    """Post the course form of a page, as a guest who taps the field and the button."""
    return guest.http.post("/return", data={"token": return_token(guest.http.get(path).text), **fields})


def seats(services: Services) -> list[tuple[str | None, bool]]:
    """Of each grant its course, and whether it stands; oldest first."""
    with services.database.read() as session:
        rows = session.query(Grant).order_by(Grant.starts_at, Grant.id)
        return [(row.course_id, row.revoked_at is None and row.ends_at > services.clock()) for row in rows]


def new_rules(services: Services) -> None:
    """Put another version of the rules in force."""
    with services.database.write() as session:
        publish(
            session, services.place, {"nb": "# Regler\n\nVær snill."}, label="2.0", adopting_body="",
            adopted_on=None, case_number="", binding_language="nb", next_review_on=None, published_by="it",
            now=services.clock(),
        )  # fmt: skip


def sign_off(services: Services) -> None:
    """End the access of every guest, as each does on the status page."""
    with services.database.write() as session:
        for grant in session.query(Grant):
            grant.ends_at = min(grant.ends_at, services.clock())


def test_who_comes_back_for_a_course_writes_its_code_and_nothing_else(
    guest: Any, make: Make, gateway_services: Services, clock: Any
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    assert 'name="course_code"' not in guest.http.get("/").text, "while no course is open"
    course = make("Excel")
    page = guest.http.get("/").text
    assert "Kurset «Excel» varer til" in page
    assert ('name="course_code"' in page, 'name="name"' in page, "(valgfritt)" in page) == (True, False, True)
    assert write_code(guest, "/", course_code=course.code.upper()).headers["location"] == "/status"
    assert seats(gateway_services) == [(None, False), (course.id, True)]
    assert identified(gateway_services) == ["self_declared", "known_device"]
    with gateway_services.database.read() as session:
        codes = session.query(Disclosure).filter(Disclosure.name == "course_code")
        assert course.code in {row.value for row in codes}, "as exports ask for those at a course"
    assert "Tilgangen din varer til kurset slutter." in guest.http.get("/status").text


def test_who_comes_back_without_a_code_still_presses_one_button(
    guest: Any, make: Make, gateway_services: Services, clock: Any
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    make()
    assert write_code(guest, "/", course_code=" ").headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (None, True)


@pytest.mark.parametrize("offered", ["code", "title", "hidden"])
def test_who_comes_back_during_a_course_is_told_which_and_until_when_and_asked_only_for_another(
    guest: Any, make: Make, gateway_services: Services, clock: Any, offered: str
) -> None:
    course = make("Excel", offered)
    guest.accept(course_code=course.code)
    sign_off(gateway_services)
    clock.advance(timedelta(minutes=5))
    form = return_form(guest.http.get("/").text)
    named = "det samme kurset igjen" if offered == "hidden" else "kurset «Excel» igjen"
    assert f"Du blir med på {named}. Det varer til 22.\u00a0november 2026 kl.\u00a015.55." in form
    assert ("Excel" in form) == (offered != "hidden"), "a copied address learns no hidden course's name"
    assert ('name="course_code"' in form, 'name="course"' in form) == (False, False), "there is no other one"
    other = make("Word")
    form = return_form(guest.http.get("/").text)
    assert ("Koden til et annet kurs" in form, "(valgfritt)" in form, "Kurskode" in form) == (True, True, False)
    answer = write_code(guest, "/", course_code="fjell elv")
    assert f"Du blir med på {named}" in answer.text
    assert "Koden til et annet kurs" in answer.text
    assert write_code(guest, "/").headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (course.id, True), "the course went along"
    sign_off(gateway_services)
    clock.advance(timedelta(minutes=5))
    assert write_code(guest, "/", course_code=other.code).headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (other.id, True)


def test_a_code_for_a_course_that_is_over_meanwhile_is_told_also_where_their_own_goes_along(
    guest: Any, make: Make, gateway_services: Services, clock: Any
) -> None:
    course, other = make("Excel"), make("Word", hours=0.5)
    guest.accept(course_code=course.code)
    sign_off(gateway_services)
    token = return_token(guest.http.get("/").text)
    clock.advance(timedelta(minutes=40))
    answer = guest.http.post("/return", data={"token": token, "course_code": other.code})
    assert answer.status_code == 422
    assert "Kurset er over, og koden kan ikke brukes lenger" in answer.text
    assert 'href="#accept"' in answer.text
    assert "Du blir med på kurset «Excel» igjen" in answer.text


def test_who_accepted_before_being_given_the_code_writes_it_on_the_status_page(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    assert return_form(guest.http.get("/status").text) == ""
    course = make("Excel")
    clock.advance(timedelta(minutes=5))
    form = return_form(guest.http.get("/status").text)
    assert ("Excel" in form, 'name="course_code"' in form) == (True, True)
    for joining in (form, return_form(write_code(guest, "/status", course_code="fjell elv").text)):
        assert ("Bli med på kurset</button>" in joining, "Jeg har lest og godtar reglene" in joining) == (True, False)
        assert "Når du blir med, godtar du på nytt reglene du har godtatt:" in joining
    assert write_code(guest, "/status", course_code=course.code).headers["location"] == "/status"
    assert seats(gateway_services) == [(None, False), (course.id, True)]
    apply_grants()
    assert return_form(guest.http.get("/status").text) == "", "they are there now"
    make("Word")
    page = guest.http.get("/status").text
    assert "course_code" in return_form(page), "there is another one"
    assert ("Er du på et annet kurs?" in page, "Koden til et annet kurs" in page) == (True, True)


def test_who_has_access_for_longer_than_the_course_is_told_beside_the_button_with_both_times(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    course = make("Excel", hours=0.5)
    told = "Nå varer tilgangen din til {}. Blir du med på kurset, varer den bare til {}"
    times = ("22.\u00a0november 2026 kl.\u00a019.55", "22.\u00a0november 2026 kl.\u00a010.26")
    for page in (guest.http.get("/status"), write_code(guest, "/status", course_code="fjell elv")):
        form = re.sub(r">\s+", ">", return_form(page.text))
        assert f"<p>{told.format(*times)}" in form, "a paragraph of its own, as large as the others"
    assert write_code(guest, "/status", course_code=course.code).headers["location"] == "/status"
    assert seats(gateway_services) == [(None, False), (course.id, True)]
    clock.advance(timedelta(minutes=30))
    assert write_code(guest, "/").headers["location"] == "/status", "after the course one button gives them their time"
    with gateway_services.database.read() as session:
        newest = session.query(Grant).order_by(Grant.starts_at.desc()).limit(1).one()
    assert (newest.course_id, newest.ends_at) == (None, clock() + timedelta(hours=10))


def test_where_no_course_is_named_the_present_end_is_told_and_a_longer_course_takes_nothing(
    guest: Any, make: Make, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    make("Lang", hours=12)
    form = return_form(guest.http.get("/status").text)
    assert ("Nå varer tilgangen" in form, "slutter da senest når kurset gjør det" in form) == (False, True)
    make("Skjult", "hidden", hours=0.5)
    form = return_form(guest.http.get("/status").text)
    assert (
        "Nå varer tilgangen din til 22.\u00a0november 2026 kl.\u00a019.55. "
        "Med en kurskode varer den til det kurset slutter, også når det er før."
    ) in form
    assert "10.26" not in form, "a hidden course is not told of"


def exempt(services: Services) -> None:
    """Give the guest of the phone an exemption of their own."""
    now, place = services.clock(), services.place
    with services.database.write() as session:
        asked = exemption_requests.ask(
            session, place, PHONE, exemption_requests.Wanted("game.example", ("gaming",)), now
        )
        assert isinstance(asked, exemption_requests.Asked)
        exemption_requests.grant(
            session, place, asked.request_id, "it", "", scope="session", until=now + timedelta(hours=2), now=now
        )


def test_who_has_an_exemption_of_their_own_is_told_beside_the_button_when_it_goes_along(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    course, told = make(), "Et unntak som bare gjelder deg, blir med bare hvis kurset hører til samme gruppe"
    assert told not in return_form(guest.http.get("/status").text)
    exempt(gateway_services)
    clock.advance(timedelta(minutes=1))
    assert told in return_form(guest.http.get("/status").text)
    assert told in return_form(write_code(guest, "/status", course_code="fjell elv").text)
    assert write_code(guest, "/status", course_code=course.code).headers["location"] == "/status"
    apply_grants()
    page = guest.http.get("/status").text
    assert ("game.example" in page, "Innvilget, og åpent til" in page) == (True, True)


def test_an_exemption_that_did_not_go_along_is_still_shown_as_one_that_ended(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    with gateway_services.database.write() as session:
        before = generations.draft(session, gateway_services.place)
        draft, _ = draft_edits.with_group(before, "library", like=None, mark=None, title="Bibliotek")
        generations.save_draft(session, gateway_services.place, draft, clock())
        generations.publish(session, gateway_services.place, "it", "a library", clock())
    guest.accept()
    exempt(gateway_services)
    apply_grants()
    clock.advance(timedelta(minutes=1))
    course, told = make(group="library"), "Ble innvilget, og sluttet å gjelde da du fikk ny tilgang."
    for page in (guest.http.get("/status").text, guest.http.get("/why").text):
        assert ("Innvilget, og åpent til" in page, told in page) == (True, False)
    assert write_code(guest, "/status", course_code=course.code).headers["location"] == "/status"
    apply_grants()
    for page in (guest.http.get("/status").text, guest.http.get("/why").text):
        assert ("game.example" in page, "Innvilget, og åpent til" in page, told in page) == (True, False, True)
    clock.advance(timedelta(hours=2))
    page = guest.http.get("/status").text
    assert ("Ble innvilget, og er over." in page, told in page) == (True, False)
    sign_off(gateway_services)
    clock.advance(timedelta(minutes=1))
    write_code(guest, "/")
    apply_grants()
    assert "game.example" not in guest.http.get("/status").text, "of the access before, and not of all"


def test_a_course_by_title_is_ticked_on_both_pages(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    course = make("Åpent hus", "title")
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    assert "Jeg er med på kurset «Åpent hus»" in return_form(guest.http.get("/status").text)
    assert write_code(guest, "/status", course=course.id).headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (course.id, True)
    clock.advance(timedelta(days=1))
    other = make("Åpent hus igjen", "title")
    assert write_code(guest, "/", course=other.id).headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (other.id, True)


@pytest.mark.parametrize("online", [True, False])
def test_a_wrong_code_of_a_known_guest_is_told_at_the_field_and_changes_nothing(
    guest: Any,
    make: Make,
    gateway_services: Services,
    apply_grants: Callable[[], None],
    clock: Any,
    counted: Callable[[], tuple[int, int, int]],
    online: bool,
) -> None:
    guest.accept()
    apply_grants()
    if not online:
        clock.advance(timedelta(days=1))
    make()
    answer = write_code(guest, "/status" if online else "/", course_code="fjell <elv")
    assert answer.status_code == 422, "no code has angle brackets"
    answer = write_code(guest, "/status" if online else "/", course_code="fjell elv")
    assert answer.status_code == 422
    assert "Ingen kurs her har denne koden nå" in answer.text
    assert ('href="#course_code"' in answer.text, 'value="fjell elv"' in answer.text) == (True, True)
    assert ("Du er på nett som før." in answer.text) == online
    form = return_form(answer.text)
    assert ("(valgfritt)" in form, " required" in form) == (not online, online), "online there is nothing but to join"
    heading = re.search(r'<h2 id="form-heading">(.*?)</h2>', answer.text)
    assert heading is not None
    assert heading[1] == ("Bli med på kurset" if online else "Godta og kom på nett")
    assert counted() == (1, 1, 1)
    assert seats(gateway_services) == [(None, online)]


def test_known_guests_guess_no_faster_than_others(guest: Any, make: Make, apply_grants: Callable[[], None]) -> None:
    guest.accept()
    apply_grants()
    course = make()
    answers = [write_code(guest, "/status", course_code=f"feil {number}") for number in range(12)]
    assert [answer.status_code for answer in answers[:10]] == [422] * 10
    blocked = write_code(guest, "/status", course_code=course.code)
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) >= 1
    assert "prøvd mange koder herfra" in blocked.text


def test_who_has_accepted_on_another_network_since_joins_by_the_status_page_of_this_one(
    guest: Any, elsewhere: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    clock.advance(timedelta(minutes=1))
    assert write_code(elsewhere, "/").headers["location"] == "/status"
    apply_grants()
    clock.advance(timedelta(minutes=1))
    course = make("Excel")
    for _ in range(2):
        wrong = write_code(guest, "/status", course_code="fjell elv")
        assert wrong.status_code == 422
        assert "Ingen kurs her har denne koden nå" in wrong.text
    token = return_token(wrong.text)
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.headers["location"] == "/status"
    assert seats(gateway_services) == [(None, False), (None, True), (course.id, True)]


def test_guesses_are_counted_also_of_who_has_accepted_on_another_network_since(
    guest: Any, elsewhere: Any, make: Make, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    clock.advance(timedelta(minutes=1))
    write_code(elsewhere, "/")
    apply_grants()
    make()
    answers = [write_code(guest, "/status", course_code=f"feil {number}").status_code for number in range(12)]
    assert answers[:10] == [422] * 10
    assert 429 in answers


def test_a_code_on_a_page_that_can_be_used_no_more_is_kept_and_told(
    guest: Any, elsewhere: Any, make: Make, gateway_services: Services, clock: Any, counted: Callable[[], Any]
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    course = make("Excel")
    old = return_token(guest.http.get("/").text)
    write_code(elsewhere, "/")  # the newest acceptance is another one from now on
    before = counted()
    assert guest.http.post("/return", data={"token": old}).headers["location"] == "/", "there the button is new"
    answer = guest.http.post("/return", data={"token": old, "course_code": course.code})
    assert (answer.status_code, counted()) == (409, before)
    assert "Trykk på knappen en gang til" in answer.text
    assert f'value="{course.code}"' in answer.text
    token = return_token(answer.text)
    assert guest.http.post("/return", data={"token": token, "course_code": course.code}).status_code == 303
    assert (course.id, True) in seats(gateway_services)


def test_a_code_on_a_page_that_was_open_for_too_long_is_kept_and_told(guest: Any, make: Make, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    course = make()
    token = return_token(guest.http.get("/").text)
    clock.advance(timedelta(hours=3))
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.status_code == 409
    assert f'value="{course.code}"' in answer.text
    forged = guest.http.post("/return", data={"token": "x", "course_code": course.code})
    assert forged.status_code == 403
    assert guest.http.post("/return", data={"token": token}).headers["location"] == "/"


def test_a_code_of_who_is_known_no_more_leads_to_the_form(
    guest: Any, make: Make, clock: Any, counted: Callable[[], Any]
) -> None:
    guest.accept()
    clock.advance(timedelta(days=29, hours=23))
    course = make()
    token = return_token(guest.http.get("/").text)
    clock.advance(timedelta(hours=1))
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.status_code == 409
    assert "Denne enheten kunne ikke bli med på kurset" in answer.text
    assert 'href="/form"' in answer.text
    assert counted() == (1, 1, 1)


def test_rules_that_change_while_a_code_is_written_are_shown_with_the_code(
    guest: Any, make: Make, clock: Any, gateway_services: Services
) -> None:
    guest.accept()
    clock.advance(timedelta(days=1))
    course = make()
    token = return_token(guest.http.get("/").text)
    new_rules(gateway_services)
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.status_code == 409
    assert ("Vær snill." in answer.text, f'value="{course.code}"' in answer.text) == (True, True)
    assert "Reglene er endret etter at du åpnet siden" in answer.text


def test_a_code_sent_twice_is_one_seat(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    course = make(devices=1)
    token = return_token(guest.http.get("/status").text)
    for _ in range(2):
        answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
        assert answer.headers["location"] == "/status"
    assert seats(gateway_services) == [(None, False), (course.id, True)]


def test_a_full_course_leaves_a_known_guest_the_access_that_they_have(
    guest: Any, laptop: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None]
) -> None:
    course = make(devices=1)
    assert laptop.accept(course_code=course.code).status_code == 303
    guest.accept()
    apply_grants()
    answer = write_code(guest, "/status", course_code=course.code)
    assert answer.status_code == 422
    assert "ikke plass til flere enheter" in answer.text
    assert sorted(seats(gateway_services), key=str) == sorted([(course.id, True), (None, True)], key=str)


def test_a_course_that_ends_while_the_page_is_open_is_told(guest: Any, make: Make, clock: Any) -> None:
    course = make(hours=0.5)
    guest.accept()
    page = return_form(guest.http.get("/status").text) or return_form(guest.http.get("/").text)
    assert page == "", "while it is being connected nothing can be done"
    clock.advance(timedelta(hours=11))
    course = make(hours=0.5)
    token = return_token(guest.http.get("/").text)
    clock.advance(timedelta(minutes=40))
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.status_code == 422
    assert "Kurset er over, og koden kan ikke brukes lenger" in answer.text
    assert 'href="#accept"' in answer.text


def test_a_course_that_ends_while_they_are_online_leaves_no_page_to_join_it(
    guest: Any, make: Make, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    course = make(hours=0.5)
    token = return_token(guest.http.get("/status").text)
    clock.advance(timedelta(minutes=40))
    answer = guest.http.post("/return", data={"token": token, "course_code": course.code})
    assert answer.status_code == 422
    assert "Denne enheten kunne ikke bli med på kurset" in answer.text
    assert "Kurset er over, og koden kan ikke brukes lenger." in answer.text
    assert return_form(answer.text) == ""


def test_where_guests_are_not_recognised_the_status_page_takes_a_code_all_the_same(
    gateway_services: Services, make: Make, make_guest: Any, apply_grants: Callable[[], None], clock: Any
) -> None:
    settings = gateway_services.settings
    sessions = settings.sessions.model_copy(update={"return_days": 0})
    services = Services(
        settings.model_copy(update={"sessions": sessions}),
        gateway_services.database,
        gateway_services.place,
        gateway_services.clock,
    )
    course, guest = make(), make_guest(services)
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    assert write_code(guest, "/status", course_code=course.code).headers["location"] == "/status"
    assert seats(services)[-1] == (course.id, True)


def test_where_a_code_is_required_a_known_guest_writes_the_code_alone(
    gateway_services: Services, make: Make, make_guest: Any, clock: Any
) -> None:
    services = with_codes_required(gateway_services)
    guest, first = make_guest(services), make()
    assert guest.accept(course_code=first.code).status_code == 303
    clock.advance(timedelta(days=1))
    assert return_form(guest.http.get("/").text) == "", "no course is open: there is nothing to come back to"
    course = make()
    page = guest.http.get("/").text
    told = ('name="name"' in page, " required" in return_form(page), "Har du ingen kode?" in page)
    assert told == (False, True, True)
    assert write_code(guest, "/", course_code=course.code).headers["location"] == "/status"
    assert seats(services)[-1] == (course.id, True)


def test_who_is_online_under_older_rules_is_told_where_the_code_is_written(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    guest.accept()
    apply_grants()
    clock.advance(timedelta(minutes=1))
    new_rules(gateway_services)
    told = "Der kan du også skrive en kurskode."
    page = guest.http.get("/status").text
    assert ("må du godta de nye" in page, told in page) == (True, False)
    course = make()
    page = guest.http.get("/status").text
    assert (told in page, return_form(page)) == (True, "")
    page = guest.http.get("/return").text
    heading = re.search(r'<h2 id="form-heading">(.*?)</h2>', page)
    assert heading is not None
    assert heading[1] == "Godta de nye reglene", "they are online"
    assert write_code(guest, "/return", course_code=course.code).headers["location"] == "/status"
    assert seats(gateway_services)[-1] == (course.id, True)
    apply_grants()
    clock.advance(timedelta(minutes=1))
    assert told not in guest.http.get("/status").text


def test_who_is_at_a_course_under_older_rules_is_there_as_before(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None], clock: Any
) -> None:
    course = make()
    guest.accept(course_code=course.code)
    apply_grants()
    clock.advance(timedelta(minutes=1))
    new_rules(gateway_services)
    assert "Du er med på kurset «Excel for alle» som før" in return_form(guest.http.get("/return").text)
    assert "Der kan du også skrive en kurskode." not in guest.http.get("/status").text, "no other one is open"


@pytest.mark.parametrize(("offered", "hours"), [("code", 6), ("title", 50), ("hidden", 6), ("hidden", 50)])
def test_who_is_at_a_course_reads_which_on_the_status_page(
    guest: Any, make: Make, apply_grants: Callable[[], None], offered: str, hours: float
) -> None:
    course = make("Excel <for> alle", offered, hours=hours)
    guest.accept(course_code=course.code)
    apply_grants()
    page = guest.http.get("/status").text
    named = "Du er med på kurset «Excel &lt;for&gt; alle». "
    told = "Tilgangen din varer til kurset slutter." if hours == 6 else "Kurset varer til"
    assert f"<p>{named if offered != 'hidden' else ''}{told}" in page
    assert ("Excel" in page) == (offered != "hidden")


def test_who_joins_another_course_reads_that_one_on_the_status_page(
    guest: Any, make: Make, apply_grants: Callable[[], None], clock: Any
) -> None:
    first, second = make("Excel"), make("Word")
    guest.accept(course_code=first.code)
    apply_grants()
    assert "Du er med på kurset «Excel»." in guest.http.get("/status").text
    clock.advance(timedelta(minutes=1))
    write_code(guest, "/status", course_code=second.code)
    apply_grants()
    page = guest.http.get("/status").text
    assert ("kurset «Word»." in page, "kurset «Excel»." in page) == (True, False)


def test_a_course_that_outlasts_access_says_so(
    guest: Any, make: Make, gateway_services: Services, apply_grants: Callable[[], None]
) -> None:
    course = make(hours=50)
    assert guest.accept(course_code=course.code).status_code == 303
    apply_grants()
    with gateway_services.database.read() as session:
        [grant] = session.query(Grant)
        assert grant.ends_at == grant.starts_at + timedelta(hours=24)
    assert "lenger enn tilgangen varer om gangen" in guest.http.get("/status").text
