"""What a guest sees of themselves on their own device, and what nobody else does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from gateway.access import erasure
from gateway.access.receipts import format_receipt_code
from gateway.audit.sealer import seal_staged
from gateway.installation import read_signing_key
from gateway.storage.models import Acceptance

SECRETS = ("Kari Nordmann", "Studieforbundet", "kari@eksempel.no", "192.0.2.1", "02:00:00:00:00:01")


def receipt_code(services: Any) -> str:
    with services.database.read() as session:
        return str(session.query(Acceptance.receipt_code).order_by(Acceptance.accepted_at.desc()).first()[0])


def ask(guest: Any, code: str, **options: Any) -> Any:
    return guest.http.post("/my-data", data={"code": code}, **options)


@pytest.fixture
def kari(guest: Any) -> Any:
    guest.accept(organisation="Studieforbundet", contact="kari@eksempel.no")
    return guest


def test_the_status_page_leads_to_it_and_a_device_alone_shows_nothing(kari: Any, apply_grants: Any) -> None:
    apply_grants()
    assert '<a href="/my-data">Hva er lagret om meg?</a>' in kari.http.get("/status").text
    for path in ("/my-data", "/innsyn"):
        page = kari.http.get(path)
        assert page.status_code == 200
        assert [secret for secret in SECRETS if secret in page.text] == []


def test_with_the_receipt_code_it_shows_everything(kari: Any, gateway_services: Any) -> None:
    code = receipt_code(gateway_services)
    page = ask(kari, format_receipt_code(code).lower().replace("-", " "))
    assert page.status_code == 200
    assert [secret for secret in SECRETS if secret not in page.text] == []
    assert "Slettes av seg selv</dt><dd>1.\u00a0juli 2027" in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_each_language_is_whole(kari: Any, gateway_services: Any, language: str) -> None:
    english = kari.http.get("/my-data?lang=en").text, ask_in(kari, "en", receipt_code(gateway_services)).text
    page = kari.http.get(f"/my-data?lang={language}").text, ask_in(kari, language, receipt_code(gateway_services)).text
    if language != "en":
        texts = re.compile(r">([^<>]{25,})<")
        shared = [set(texts.findall(one)) & set(texts.findall(other)) for one, other in zip(english, page, strict=True)]
        assert shared == [set(), set()]


def ask_in(guest: Any, language: str, code: str) -> Any:
    return guest.http.post(f"/my-data?lang={language}", data={"code": code})


def test_another_device_sees_nothing_with_the_code(kari: Any, laptop: Any, gateway_services: Any) -> None:
    page = ask(laptop, receipt_code(gateway_services))
    assert page.status_code == 422
    assert "Det finnes ingen kvittering med denne koden for denne enheten" in page.text
    assert [secret for secret in SECRETS if secret in page.text] == []


def test_whoever_has_the_device_now_sees_only_their_own(kari: Any, gateway_services: Any, clock: Any) -> None:
    first = receipt_code(gateway_services)
    clock.advance(timedelta(hours=11))
    kari.accept(name="Per Åsen")
    pers = ask(kari, receipt_code(gateway_services)).text
    assert "Per Åsen" in pers
    assert "Kari Nordmann" not in pers
    clock.advance(timedelta(hours=11))
    kari.accept(contact="kari@eksempel.no")
    karis = ask(kari, first).text
    assert karis.count("Kari Nordmann") == 2
    assert "Per Åsen" not in karis


@pytest.mark.parametrize("code", ["", "x", "0000000000000000", "'; --", "7" * 5000])
def test_what_is_no_code_of_hers_shows_nothing(kari: Any, code: str) -> None:
    page = ask(kari, code)
    assert page.status_code == 422
    assert [secret for secret in SECRETS if secret in page.text] == []


def test_another_site_cannot_ask(kari: Any, gateway_services: Any) -> None:
    page = ask(kari, receipt_code(gateway_services), headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 403
    assert "Kari" not in page.text


def test_whoever_has_been_erased_is_offline_and_unknown(kari: Any, apply_grants: Any, gateway_services: Any) -> None:
    apply_grants()
    services, place = gateway_services, gateway_services.place
    seal_staged(
        services.database, place.owner_id, place.log_origin, read_signing_key(services.settings), services.clock()
    )
    code = receipt_code(services)
    with services.database.read() as session:
        held = erasure.find(session, place, erasure.Wanted(receipt=code), services.clock())
        planned = erasure.plan(session, place, [item.acceptance_id for item in held], services.clock())
    with services.database.write() as session:
        assert isinstance(erasure.erase(session, place, planned, "it", "krav", services.clock()), erasure.Erased)
    assert ask(kari, code).status_code == 422
    assert kari.http.get(f"/receipt/{code}").status_code == 404
    assert kari.http.get("/status").headers["location"] == "/"
    assert kari.accept().status_code == 303  # the device may accept anew
