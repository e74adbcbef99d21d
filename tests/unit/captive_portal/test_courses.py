"""Courses on the guests' form: offered by title while one is open, joined by a code however it is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.access import courses as access
from gateway.access.course_plan import Wish
from gateway.context import Services
from gateway.storage.course_models import Course
from gateway.storage.models import Acceptance, Grant

Make = Callable[..., Course]


@pytest.fixture
def make(gateway_services: Services) -> Make:
    def course(
        title: str = "Excel for alle",
        offered: str = "code",
        devices: int = 60,
        hours: float = 6,
        group: str = "default",
    ) -> Course:
        now = gateway_services.clock()
        wish = Wish(title, "Nybø skule", now, now + timedelta(hours=hours), group, devices, offered)
        with gateway_services.database.write() as session:
            made = access.add(session, gateway_services.place, wish, (group,), by="ola", now=now)
        assert isinstance(made, Course), made
        return made

    return course


def identified(services: Services) -> list[str]:
    with services.database.read() as session:
        return [row.identified_by for row in session.query(Acceptance)]


def with_codes_required(given: Services) -> Services:
    """The same services where everybody needs a course's code."""
    portal = given.settings.portal.model_copy(update={"ask_course_code": "required"})
    return replace(given, settings=given.settings.model_copy(update={"portal": portal}))


def test_without_a_course_no_code_is_asked_for(guest: Any) -> None:
    assert 'id="course_code"' not in guest.http.get("/").text
    assert "kurskoden" not in guest.http.get("/privacy").text


def test_the_one_course_that_is_open_is_named_and_its_code_asked_for(guest: Any, make: Make, clock: Any) -> None:
    make("Excel <for> alle")
    page = guest.http.get("/").text
    assert "Kurset «Excel &lt;for&gt; alle» varer til 22.\u00a0november 2026 kl.\u00a015.55" in page
    assert 'id="course_code"' in page
    assert "kurskoden" in guest.http.get("/privacy").text
    clock.advance(timedelta(hours=6))
    assert "Excel" not in guest.http.get("/").text


def test_with_two_open_or_a_hidden_one_none_is_named(guest: Any, make: Make) -> None:
    make("Skjult", "hidden")
    page = guest.http.get("/").text
    assert ("Skjult" in page, 'id="course_code"' in page) == (False, True)
    make("Excel")
    make("Word")
    page = guest.http.get("/").text
    assert ("Excel" in page, "Word" in page, 'id="course_code"' in page) == (False, False, True)


@pytest.mark.parametrize("spell", [str, str.upper, lambda code: code.replace("-", " "), lambda code: f" {code}. "])
def test_a_code_lets_in_however_it_is_typed(
    guest: Any, make: Make, gateway_services: Services, spell: Callable[[str], str]
) -> None:
    course = make(hours=2)
    assert guest.accept(course_code=spell(course.code)).status_code == 303
    assert identified(gateway_services) == ["course_code"]
    with gateway_services.database.read() as session:
        [grant] = session.query(Grant)
        assert (grant.course_id, grant.ends_at) == (course.id, course.ends_at)


def test_a_wrong_code_is_a_plain_error_and_keeps_what_was_typed(
    guest: Any, make: Make, counted: Callable[[], tuple[int, int, int]]
) -> None:
    make()
    answer = guest.accept(course_code="fjell elv", name="Kari")
    assert answer.status_code == 422
    assert "Ingen kurs her har denne koden nå" in answer.text
    assert 'href="#course_code"' in answer.text
    assert 'value="fjell elv"' in answer.text
    assert 'value="Kari"' in answer.text
    assert counted() == (0, 0, 0)


def test_whoever_guesses_waits(guest: Any, make: Make) -> None:
    course = make()
    for number in range(10):
        assert guest.accept(course_code=f"feil {number}").status_code == 422
    refused = [guest.accept(course_code="feil igjen"), guest.accept(course_code=course.code)]
    assert 429 in {answer.status_code for answer in refused}
    blocked = refused[-1]
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) >= 1
    assert "prøvd mange koder herfra" in blocked.text
    assert guest.accept().status_code == 303, "without a code nothing is guessed"


def test_a_full_course_says_so(guest: Any, laptop: Any, make: Make) -> None:
    course = make(devices=1)
    assert guest.accept(course_code=course.code).status_code == 303
    answer = laptop.accept(course_code=course.code)
    assert answer.status_code == 422
    assert "ikke plass til flere enheter" in answer.text


def test_a_course_offered_by_title_is_chosen_without_its_code_also_where_codes_are_required(
    gateway_services: Services, make: Make, make_guest: Any
) -> None:
    services = with_codes_required(gateway_services)
    course, guest = make("Åpent hus", "title"), make_guest(services)
    assert "Jeg er med på kurset «Åpent hus»" in guest.http.get("/").text
    assert guest.accept().status_code == 422
    assert guest.accept(course="x" * 5000).status_code == 422
    assert guest.accept(course="a\0b").status_code == 422
    assert guest.accept(course=course.id).status_code == 303
    with services.database.read() as session:
        [grant] = session.query(Grant)
        assert grant.course_id == course.id
    assert identified(services) == ["self_declared"]


def test_a_code_of_a_course_that_has_ended_meanwhile_is_not_dropped_silently(
    guest: Any, make: Make, clock: Any, counted: Callable[[], tuple[int, int, int]]
) -> None:
    course = make(hours=0.5)
    token = guest.token()
    clock.advance(timedelta(minutes=40))
    sent = {"token": token, "name": "Kari Nordmann", "course_code": course.code}
    answer = guest.http.post("/accept", data=sent)
    assert answer.status_code == 409
    assert "Ingen kurs er åpne her nå, så koden kan ikke brukes." in answer.text
    assert ('href="#accept"' in answer.text, 'value="Kari Nordmann"' in answer.text) == (True, True)
    assert counted() == (0, 0, 0)
    assert guest.http.post("/accept", data={**sent, "course_code": "  "}).status_code == 303, "as the form has it then"


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("offered", ["code", "title"])
def test_each_language_has_its_words(guest: Any, make: Make, language: str, offered: str) -> None:
    make("Excel", offered)
    page = guest.http.get(f"/?lang={language}").text
    said = {
        ("nb", "code"): "Kurset «Excel» varer til",
        ("nn", "code"): "Kurset «Excel» varer til",
        ("en", "code"): "The course “Excel” lasts until",
        ("nb", "title"): "Jeg er med på kurset «Excel»",
        ("nn", "title"): "Eg er med på kurset «Excel»",
        ("en", "title"): "I am at the course “Excel”",
    }[language, offered]
    assert said in page
