"""The receipt: what each code shows to whom, its proof, what erasure leaves, and that codes are not guessed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from captive_portal.guest.guessing import FREE_FINDS, FREE_MISSES, LONGEST_S
from gateway.access import erasure
from gateway.audit.entry import parse_entry
from gateway.audit.receipt import parse_receipt, verify_receipt
from gateway.audit.sealer import seal_staged
from gateway.context import Services
from gateway.installation import read_signing_key

NAME = "Kari Nordmann"


@pytest.fixture
def seal(gateway_services: Services) -> Any:
    """What the sealer does."""
    signer, place = read_signing_key(gateway_services.settings), gateway_services.place

    def run() -> None:
        while seal_staged(
            gateway_services.database, place.owner_id, place.log_origin, signer, gateway_services.clock()
        ):
            pass

    return run


@pytest.fixture
def code(guest: Any) -> str:
    """The receipt code of the guest, who has accepted."""
    guest.accept(contact="91234567")
    return re.search(r"/receipt/([0-9A-Z]{16})", guest.http.get("/status").text)[1]  # type: ignore[index]


def with_receipts_url(services: Services, url: str) -> Services:
    portal = services.settings.portal.model_copy(update={"receipts_url": url})
    changed = services.settings.model_copy(update={"portal": portal})
    return Services(changed, services.database, services.place, services.clock)


def test_the_own_device_sees_everything_that_has_to_be_kept(guest: Any, code: str) -> None:
    page = guest.http.get(f"/receipt/{code}").text
    grouped = "-".join(code[at : at + 4] for at in range(0, 16, 4))
    assert page.count(grouped) >= 2
    assert NAME in page
    assert "02:00:00:00:00:01" in page
    assert (
        f'<a class="address" href="http://gjest.internal/receipt/{code}">http://gjest.internal/receipt/{code}</a>'
        in page
    )
    assert re.search(r'<svg class="qr" [^>]*role="img" aria-label="QR-kode[^"]+"', page)
    assert "Lenken åpnes bare mens du er koblet til gjestenettet" in page


def test_the_link_elsewhere_shows_neither_name_nor_contact_nor_the_whole_device(
    guest: Any, laptop: Any, gateway_services: Services, make_guest: Any, code: str
) -> None:
    outside = make_guest(gateway_services, "198.51.100.7")
    assert NAME in guest.http.get(f"/receipt/{code}").text
    for browser in (laptop, outside):
        page = browser.http.get(f"/kvittering/{code}").text
        assert "22.\u00a0november 2026 kl.\u00a009.55" in page
        assert "••:••:••:••:00:01" in page
        for secret in (NAME, "91234567", "02:00:00:00:00:01", "192.0.2.1", "<svg"):
            assert secret not in page, secret


def test_the_short_code_shows_that_there_is_an_acceptance_and_nothing_else(guest: Any, laptop: Any, code: str) -> None:
    for browser in (guest, laptop):
        page = browser.http.get(f"/receipt/{code[:4]}-{code[4:8].lower()}")
        assert page.status_code == 200
        assert f"{code[:4]}-{code[4:8]}" in page.text
        assert "versjon 1.0 av reglene" in page.text
        assert "22.\u00a0november 2026 kl.\u00a009.55" in page.text
        for secret in (NAME, "91234567", "00:01", code, code[8:12], "sha", "IKT-regler for"):
            assert secret not in page.text, secret


def test_the_proof_verifies_names_nobody_and_waits_for_the_seal(
    guest: Any, laptop: Any, gateway_services: Services, seal: Any, code: str
) -> None:
    early = laptop.http.get(f"/receipt/{code}.tlog-proof")
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    assert "Blir forseglet" in guest.http.get(f"/receipt/{code}").text
    assert ".tlog-proof" not in guest.http.get(f"/receipt/{code}").text
    seal()
    page = laptop.http.get(f"/receipt/{code}").text
    path = re.search(r'href="([^"]+\.tlog-proof)"', page)[1]  # type: ignore[index]
    answer = laptop.http.get(path)
    assert answer.status_code == 200
    file_name = f"kvittering-{code[:4]}-{code[4:8]}.tlog-proof"
    assert answer.headers["content-disposition"] == f'attachment; filename="{file_name}"'
    receipt = parse_receipt(answer.content)
    assert receipt.extra is not None
    keys = [read_signing_key(gateway_services.settings).verifier]
    checkpoint = verify_receipt(receipt, receipt.extra, keys, gateway_services.place.log_origin)
    entry = parse_entry(receipt.extra)
    assert (entry["type"], entry["rules"]["version"], entry["rules"]["language"]) == ("acceptance", "1.0", "nb")
    assert entry["rules"]["text_sha256"] in page
    assert f"Forseglet som innførsel {receipt.index}" in page
    assert f"{checkpoint.size} innførsler" in page
    for secret in (NAME, "91234567", "02:00:00:00:00:01", "192.0.2.1", code):
        assert secret.encode() not in receipt.extra


def test_a_receipt_stays_the_same_while_the_log_grows(
    guest: Any, laptop: Any, seal: Any, gateway_services: Services, code: str
) -> None:
    seal()
    first = parse_receipt(guest.http.get(f"/receipt/{code}.tlog-proof").content)
    laptop.accept(name="Ola")
    seal()
    second = parse_receipt(guest.http.get(f"/receipt/{code}.tlog-proof").content)
    assert (first.index, first.extra) == (second.index, second.extra)
    keys = [read_signing_key(gateway_services.settings).verifier]
    sizes = [verify_receipt(each, each.extra or b"", keys).size for each in (first, second)]
    assert sizes[1] == sizes[0] + 1


def test_after_erasure_no_code_finds_it_and_the_proof_that_was_kept_still_holds(
    guest: Any, gateway_services: Services, seal: Any, code: str
) -> None:
    seal()
    kept = parse_receipt(guest.http.get(f"/receipt/{code}.tlog-proof").content)
    place, now = gateway_services.place, gateway_services.clock()
    with gateway_services.database.write() as session:
        found = erasure.find(session, place, erasure.Wanted(receipt=code), now)
        planned = erasure.plan(session, place, [each.acceptance_id for each in found], now)
        assert isinstance(erasure.erase(session, place, planned, "it", "krav", now), erasure.Erased)
    for path in (code, code[:8], f"{code}.tlog-proof"):
        page = guest.http.get(f"/receipt/{path}")
        assert page.status_code == 404
        assert NAME not in page.text
    verify_receipt(kept, kept.extra or b"", [read_signing_key(gateway_services.settings).verifier])


def test_the_text_is_that_of_the_language_it_was_accepted_in(guest: Any, laptop: Any) -> None:
    guest.http.post("/accept", data={"token": _token(guest, "/?lang=nn"), "name": "Ola"})
    code = re.search(r"/receipt/([0-9A-Z]{16})", guest.http.get("/status").text)[1]  # type: ignore[index]
    page = laptop.http.get(f"/receipt/{code}?lang=en").text
    assert "IKT-reglar for gjestenettet" in page
    assert 'lang="nn"' in page
    assert "Fingerprint of the text" in page


@pytest.mark.parametrize("typed", ["{0}-{1}", "{0} {1}", " {0}{1} ", "{2}"])
def test_a_code_is_found_as_it_is_typed(laptop: Any, code: str, typed: str) -> None:
    text = typed.format(code[:4], code[4:8].lower(), code)
    answer = laptop.http.get("/receipt", params={"code": text, "lang": "en"})
    target = code if typed == "{2}" else code[:8]
    assert (answer.status_code, answer.headers["location"]) == (303, f"/receipt/{target}?lang=en")


@pytest.mark.parametrize("typed", ["", "abc", "x" * 500, "<b>", "12345678901234567"])
def test_what_is_no_code_is_asked_for_again(laptop: Any, typed: str) -> None:
    answer = laptop.http.get("/receipt", params={"code": typed})
    assert answer.status_code == 404
    assert "Dette er ikke en kvitteringskode" in answer.text
    assert "<b>" not in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'aria-invalid="true"' not in laptop.http.get("/receipt").text


def test_guessing_is_slowed_by_device_and_a_right_code_elsewhere_is_not(guest: Any, laptop: Any, code: str) -> None:
    short = code[:8]
    wrong = [f"{number:08d}" if number % 2 else f"{number:016d}" for number in range(FREE_MISSES + 1)]
    statuses = [laptop.http.get(f"/receipt/{each}").status_code for each in wrong]
    assert statuses == [404] * FREE_MISSES + [429]
    for path in (f"/receipt/{code}", f"/receipt/{short}", f"/receipt/{code}.tlog-proof"):  # a hit would be a way round
        answer = laptop.http.get(path)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= LONGEST_S
    assert guest.http.get(f"/receipt/{code}").status_code == 200
    assert guest.http.get(f"/receipt/{short}").status_code == 200


def test_right_codes_and_what_is_no_code_are_no_guesses(laptop: Any, code: str) -> None:
    for _ in range(FREE_MISSES + 5):
        assert laptop.http.get(f"/receipt/{code}").status_code == 200
        assert laptop.http.get(f"/receipt/{code[:8]}").status_code == 200
        assert laptop.http.get("/receipt/no-code").status_code == 404


def test_a_right_short_code_is_not_asked_for_without_end(guest: Any, laptop: Any, code: str) -> None:
    statuses = [laptop.http.get(f"/receipt/{code[:8]}").status_code for _ in range(FREE_FINDS + 1)]
    assert statuses == [200] * FREE_FINDS + [429]
    answer = laptop.http.get(f"/receipt/{code[:8]}?lang=en")
    assert "Many codes were tried from here" in answer.text
    assert guest.http.get(f"/receipt/{code[:8]}").status_code == 200


def test_addresses_that_no_device_is_known_for_are_slowed_too(gateway_services: Services, make_guest: Any) -> None:
    stranger = make_guest(gateway_services, "198.51.100.7")
    statuses = [stranger.http.get(f"/receipt/{number:08d}").status_code for number in range(FREE_MISSES + 1)]
    assert statuses[-1] == 429


def test_receipts_open_at_the_address_that_is_set_for_them(gateway_services: Services, make_guest: Any) -> None:
    services = with_receipts_url(gateway_services, "https://kvittering.storvik.example.no/")
    guest = make_guest(services)
    guest.accept()
    code = re.search(r"/receipt/([0-9A-Z]{16})", guest.http.get("/status").text)[1]  # type: ignore[index]
    page = guest.http.get(f"/receipt/{code}").text
    assert f'href="https://kvittering.storvik.example.no/receipt/{code}"' in page
    assert "bare mens du er koblet til" not in page
    outside = make_guest(services, "198.51.100.7")
    answer = outside.http.get(f"/receipt/{code}", headers={"Host": "kvittering.storvik.example.no"})
    assert answer.status_code == 200
    assert NAME not in answer.text


def _token(guest: Any, path: str) -> str:
    return re.search(r'name="token" value="([^"]+)"', guest.http.get(path).text)[1]  # type: ignore[index]
