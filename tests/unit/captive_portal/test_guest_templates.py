"""What the guest pages say: whose fault it is, what is promised, and who to ask, in the guest's own language."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest

from captive_portal.guest import courses, form, form_words, hosts, why_words
from captive_portal.i18n import translators
from gateway.access.courses import NoSeat
from gateway.context import Services
from gateway.settings import Owner
from gateway.storage.models import Network

NOT_THE_GUEST = {
    "nb": "Det gikk ikke denne gangen",
    "nn": "Det gjekk ikkje denne gongen",
    "en": "That did not work this time",
}
THE_GUEST = {"nb": "Dette må du rette opp først", "nn": "Dette må du rette opp først", "en": "You must correct this"}
LANGUAGES = tuple(NOT_THE_GUEST)


def _post(guest: Any, language: str, token: str, name: str) -> str:
    answer = guest.http.post(f"/accept?lang={language}", data={"token": token, "name": name})
    assert answer.status_code >= 400
    return re.search(r'<h2 id="errors-heading">(.*?)</h2>', answer.text)[1]  # type: ignore[index]


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_guests_own_fields_are_theirs_to_correct(guest: Any, clock: Any, language: str) -> None:
    assert _post(guest, language, guest.token(), "").startswith(THE_GUEST[language])
    assert _post(guest, language, "forged", "Kari") == NOT_THE_GUEST[language]
    token = guest.token()
    clock.advance(timedelta(hours=2))
    assert _post(guest, language, token, "Kari") == NOT_THE_GUEST[language]


@pytest.mark.parametrize("language", [*LANGUAGES, "de", "pl", "uk"])
def test_what_to_correct_is_said_in_whole_sentences(language: str) -> None:
    t = translators("guest", [language])[language]
    said = [
        text
        for name in get_args(form.Field)
        for problem in get_args(form.Problem)
        for text in form_words.messages(form.Rejected({name: problem}), t).values()
    ]
    said += [str(courses.refusal(t, reason)) for reason in get_args(NoSeat)]
    said += [hosts.message(t, problem) for problem in get_args(hosts.HostProblem)]
    said += [words(t) for words in (*why_words.PROBLEMS.values(), *why_words.WRONG.values())]
    assert [text for text in said if not text.endswith(".") or text.endswith("..")] == []


def test_a_locked_database_is_not_the_guests_to_correct(guest: Any, gateway_services: Services) -> None:
    token = guest.token()
    lock = sqlite3.connect(gateway_services.database.sqlite_path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        assert _post(guest, "nb", token, "Kari") == NOT_THE_GUEST["nb"]
    finally:
        lock.execute("ROLLBACK")
        lock.close()


@pytest.mark.parametrize(
    ("language", "unit"), [("nb", "IKT-avdelingen"), ("nn", "IKT-avdelinga"), ("en", "the ICT department")]
)
def test_the_default_unit_is_called_by_its_name_in_each_language(guest: Any, language: str, unit: str) -> None:
    assert Owner.model_fields["unit"].default == "IKT-avdelingen", "the templates translate this default"
    footer = guest.http.get(f"/rules?lang={language}").text.partition("<footer")[2]
    assert unit in footer
    assert ("IKT-avdelingen" in footer) == (language == "nb")


@pytest.mark.parametrize(
    ("language", "unit"), [("nb", "IKT-avdelingen"), ("nn", "IKT-avdelinga"), ("en", "the ICT department")]
)
def test_who_to_tell_is_in_the_guests_language(
    guest: Any, gateway_services: Services, language: str, unit: str
) -> None:
    token = guest.token()
    with gateway_services.database.write() as session:
        for network in session.query(Network).filter_by(interface="guest0"):
            session.delete(network)
    page = guest.http.post(f"/accept?lang={language}", data={"token": token, "name": "Kari"}).text
    assert unit in page.partition("<main")[2].partition("</main")[0]


def test_a_unit_that_the_municipality_has_named_is_called_that(gateway_services: Services, make_guest: Any) -> None:
    settings = gateway_services.settings
    named = settings.model_copy(update={"owner": settings.owner.model_copy(update={"unit": "Servicekontoret"})})
    services = Services(named, gateway_services.database, gateway_services.place, gateway_services.clock)
    footer = make_guest(services, "192.0.2.1").http.get("/rules?lang=en").text.partition("<footer")[2]
    assert "Servicekontoret" in footer


def test_without_enforcement_no_time_online_is_promised(services: Services, make_guest: Any) -> None:
    guest = make_guest(services, "127.0.0.1")
    guest.accept()
    page = guest.http.get("/status").text
    for promise in ("Tid igjen", "Varer til", "Tilgangen din"):
        assert promise not in page
    assert "Gjelder til" in page


def test_with_enforcement_the_time_left_is_shown(guest: Any, apply_grants: Callable[[], None]) -> None:
    guest.accept()
    apply_grants()
    assert "Tid igjen" in guest.http.get("/status").text


def test_the_receipt_asks_to_be_kept_and_leads_back_for_its_own_device_only(guest: Any, laptop: Any) -> None:
    guest.accept()
    path = re.search(r'href="(/receipt/[^"]+)"', guest.http.get("/status").text)[1]  # type: ignore[index]
    own, other = guest.http.get(path).text, laptop.http.get(path).text
    assert "Ta vare på denne kvitteringen" in own
    assert '<a href="/status">Tilbake til statussiden</a>' in own
    assert "Ta vare på" not in other
    assert "Tilbake til statussiden" not in other


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_angle_bracket_never_stands_alone_on_a_line(guest: Any, language: str) -> None:
    answer = guest.http.post(f"/accept?lang={language}", data={"token": guest.token(), "name": "<b>"})
    assert re.search(r"&lt;\u00a0\w+\u00a0&gt;", answer.text)


def test_english_asks_to_enter_a_name(guest: Any) -> None:
    answer = guest.http.post("/accept?lang=en", data={"token": guest.token(), "name": ""})
    assert "Enter your name" in answer.text
