"""The notice says everything that article 13 asks for, as the settings are, and is marked while it can't."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from gateway.context import Services
from gateway.lists import draft_edits, generations
from gateway.settings import Privacy

FILLED = Privacy(
    controller="Storvik kommune, postmottak@storvik.example.no",
    dpo="Ombudet, 61 00 00 01",
    legal_basis="6.1.e",
    legal_basis_law="kommuneloven § 25-1",
    backup_days=33,
)
EXAMPLE = {"nb": "Dette er et eksempel", "nn": "Dette er eit døme", "en": "This is an example"}
LANGUAGES = tuple(EXAMPLE)
HEADINGS = {
    "nb": ("Hvem som er ansvarlig", "Hva som lagres", "Hvorfor, og med hvilken rett", "Hvilke nettsteder du besøker",
           "Hvor lenge", "Hvem som ser det", "Hva du kan be om", "Hvis du vil klage"),
    "nn": ("Kven som er ansvarleg", "Kva som blir lagra", "Kvifor, og med kva rett", "Kva nettstader du vitjar",
           "Kor lenge", "Kven som ser det", "Kva du kan be om", "Om du vil klage"),
    "en": ("Who is responsible", "What is recorded", "Why, and by which right", "Which websites you visit",
           "How long", "Who sees it", "What you can ask for", "If you want to complain"),
}  # fmt: skip


def told(services: Services, make_guest: Any, privacy: Privacy = FILLED, **changes: Any) -> Any:
    settings = services.settings.model_copy(update={"privacy": privacy, **changes})
    return make_guest(Services(settings, services.database, services.place, services.clock))


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2].partition("</main")[0])).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_complete_notice_says_it_all_and_is_no_example(
    gateway_services: Services, make_guest: Any, language: str
) -> None:
    page = told(gateway_services, make_guest).http.get(f"/privacy?lang={language}")
    assert page.status_code == 200
    text = words(page.text)
    for heading in HEADINGS[language]:
        assert f"<h2>{heading}</h2>" in page.text
    for fact in (FILLED.controller, FILLED.dpo, "kommuneloven § 25-1", "Datatilsynet", "33", "2027", "400", "MAC"):
        assert fact in text, fact
    assert EXAMPLE[language] not in text
    assert "[" not in text
    assert "{" not in text
    assert text.count("artikkel 6 nr. 1 bokstav e" if language != "en" else "article 6(1)(e)") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_is_marked_on_the_page_and_before_accepting(guest: Any, language: str) -> None:
    text = words(guest.http.get(f"/personvern?lang={language}").text)
    assert EXAMPLE[language] in text
    for key in ("controller", "dpo", "legal_basis", "legal_basis_law", "backup_days"):
        assert f": privacy.{key}]" in text
    assert ": privacy.authority]" not in text
    assert EXAMPLE[language] in words(guest.http.get(f"/?lang={language}").text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_layer_stands_before_the_button_and_leads_to_the_whole(
    gateway_services: Services, make_guest: Any, language: str
) -> None:
    page = told(gateway_services, make_guest).http.get(f"/?lang={language}").text
    form = page.partition("<form")[2].partition('type="submit"')[0]
    assert f'href="/privacy?lang={language}"' in form
    assert "2027" in form
    assert EXAMPLE[language] not in page


@pytest.mark.parametrize(
    ("day", "said"),
    [("until 07-01", "1.\u00a0juli 2027"), ("until 01-31", "31.\u00a0januar 2027"), ("40 days", "1.\u00a0januar 2027")],
)
def test_the_day_of_erasure_is_that_of_the_settings(
    gateway_services: Services, make_guest: Any, day: str, said: str
) -> None:
    guest = told(gateway_services, make_guest, FILLED.model_copy(update={"acceptances": day}))
    assert said in guest.http.get("/privacy").text
    assert said in guest.http.get("/").text


@pytest.mark.parametrize(
    ("basis", "law", "said"),
    [("6.1.c", "forvaltningsloven", "bokstav c); forvaltningsloven"), ("6.1.f", "", "bokstav f)")],
)
def test_each_legal_basis_has_its_words(
    gateway_services: Services, make_guest: Any, basis: str, law: str, said: str
) -> None:
    privacy = FILLED.model_copy(update={"legal_basis": basis, "legal_basis_law": law})
    text = words(told(gateway_services, make_guest, privacy).http.get("/privacy").text)
    assert said in text
    assert "[" not in text


def test_only_what_is_asked_for_is_said_to_be_recorded(gateway_services: Services, make_guest: Any) -> None:
    portal = gateway_services.settings.portal
    more = portal.model_copy(update={"ask_course_code": "optional", "ask_contact": "no", "ask_organisation": "no"})
    few, many = (told(gateway_services, make_guest, portal=one).http.get("/privacy").text for one in (more, portal))
    assert ("kurskoden" in few, "telefonnummeret" in few, "organisasjonen" in few) == (True, False, False)
    assert ("kurskoden" in many, "telefonnummeret" in many, "organisasjonen" in many) == (False, True, True)


def test_who_is_asked_nothing_reads_when_what_is_kept_is_erased(gateway_services: Services, make_guest: Any) -> None:
    nothing = {"ask_name": "no", "ask_contact": "no", "ask_organisation": "no", "ask_course_code": "no"}
    portal = gateway_services.settings.portal.model_copy(update=nothing)
    assert "Det som blir lagret, blir slettet" in told(gateway_services, make_guest, portal=portal).http.get("/").text


@pytest.mark.parametrize(("need", "without"), [("required", True), ("optional", False)])
def test_no_access_without_a_name_is_said_only_where_it_is_so(
    gateway_services: Services, make_guest: Any, need: str, without: bool
) -> None:
    portal = gateway_services.settings.portal.model_copy(update={"ask_name": need})
    text = words(told(gateway_services, make_guest, portal=portal).http.get("/privacy?lang=en").text)
    assert "your name, as you write it" in text
    assert "does not call optional, you do not get access" in text
    assert ("without a name" in text) == without


def test_names_that_are_kept_are_told_of(gateway_services: Services, make_guest: Any) -> None:
    guest = told(gateway_services, make_guest)
    assert "minst fem enheter" not in guest.http.get("/privacy").text
    with gateway_services.database.write() as session:
        draft = generations.draft(session, gateway_services.place)
        generations.save_draft(
            session,
            gateway_services.place,
            draft_edits.with_top_names(draft, "default", on=True),
            gateway_services.clock(),
        )
        generations.publish(session, gateway_services.place, "test", "on", gateway_services.clock())
    assert "minst fem enheter" in guest.http.get("/privacy").text


def test_without_backups_it_says_so(gateway_services: Services, make_guest: Any) -> None:
    privacy = FILLED.model_copy(update={"backup_days": 0})
    assert "ikke vare på sikkerhetskopier" in told(gateway_services, make_guest, privacy).http.get("/privacy").text
