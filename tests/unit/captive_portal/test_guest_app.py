"""The guest's way through the portal, and everything that can stand in it."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from captive_portal.guest.allowance import Allowance
from captive_portal.guest_app import create_app
from gateway.context import Services
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.storage.models import Device, Network

DEVICES = {f"192.0.2.{number}": Neighbour("guest0", f"02:00:00:00:00:0{number}") for number in (1, 2)}
Counted = Callable[[], tuple[int, int, int]]


def test_from_the_rules_to_online(guest: Any, apply_grants: Callable[[], None], counted: Counted) -> None:
    page = guest.http.get("/")
    assert page.status_code == 200
    assert "Jeg har lest og godtar reglene" in page.text
    assert page.text.count("<h1") == 1
    answer = guest.accept(organisation="Studieforbundet")
    assert (answer.status_code, answer.headers["location"]) == (303, "/status")
    waiting = guest.http.get("/status")
    assert waiting.headers["refresh"] == "1; url=/status"
    assert "Du er på nett" not in waiting.text
    apply_grants()
    online = guest.http.get("/status")
    assert "Du er på nett" in online.text
    assert "refresh" not in online.headers
    assert "10 t 0 min" in online.text
    assert counted() == (1, 1, 1)
    assert guest.http.get("/").headers["location"] == "/status"


def test_what_is_recorded_of_websites_is_told_as_the_policy_in_force_has_it(guest: Any, services: Services) -> None:
    never, exception = "Hvilke nettsteder du besøker, blir ikke lagret.", "minst fem enheter"
    for number, on in enumerate((None, True, False)):
        if on is not None:
            with services.database.write() as session:
                draft = generations.draft(session, services.place)
                generations.save_draft(
                    session, services.place, draft_edits.with_top_names(draft, "default", on=on), services.clock()
                )
                generations.publish(session, services.place, "test", str(number), services.clock())
        text = guest.http.get("/").text
        assert (never in text, exception in text) == (not on, bool(on))


def test_waiting_slows_down_and_says_so(guest: Any, clock: Any) -> None:
    guest.accept()
    clock.advance(timedelta(seconds=16))
    page = guest.http.get("/status?lang=en")
    assert page.headers["refresh"] == "5; url=/status?lang=en"
    assert "longer than usual" in page.text


def test_nothing_is_enforced_on_loopback_and_the_page_says_so(services: Services, make_guest: Any) -> None:
    guest = make_guest(services, "127.0.0.1")
    assert guest.accept().status_code == 303
    page = guest.http.get("/status")
    assert "styrer ikke nettet" in page.text
    assert "refresh" not in page.headers
    assert "Du er på nett" not in page.text


def test_get_changes_nothing(guest: Any, counted: Counted) -> None:
    token = guest.token()
    answer = guest.http.get(f"/accept?token={token}&name=Kari")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert guest.http.get("/sign-off").headers["location"] == "/status"
    assert counted() == (0, 0, 0)


def test_signing_off_closes_and_says_so(guest: Any, apply_grants: Callable[[], None]) -> None:
    guest.accept()
    apply_grants()
    answer = guest.http.post("/sign-off?lang=nn", data={"token": guest.token("/status")})
    assert answer.headers["location"] == "/?lang=nn&signed_off=1"
    assert "Du er logga av" in guest.http.get(answer.headers["location"]).text
    assert guest.http.get("/status").headers["location"] == "/"


def test_signing_off_another_device_is_not_possible(guest: Any, laptop: Any, apply_grants: Callable[[], None]) -> None:
    guest.accept()
    laptop.accept()
    apply_grants()
    assert laptop.http.post("/sign-off", data={"token": guest.token("/status")}).headers["location"] == "/status"
    assert "Du er på nett" in laptop.http.get("/status").text
    assert "Du er på nett" in guest.http.get("/status").text


def test_a_stale_sign_off_form_does_not_end_a_newer_grant(
    guest: Any, apply_grants: Callable[[], None], counted: Counted
) -> None:
    guest.accept()
    apply_grants()
    old = guest.token("/status")
    guest.http.post("/sign-off", data={"token": old})
    again = guest.http.post("/sign-off", data={"token": old})
    assert again.headers["location"] == "/?signed_off=1"  # pressed twice: still signed off
    guest.accept()
    apply_grants()
    answer = guest.http.post("/sign-off", data={"token": old})
    assert (answer.status_code, answer.headers["location"]) == (303, "/status")
    assert "Du er på nett" in guest.http.get("/status").text
    assert guest.http.post("/sign-off", data={"token": guest.token("/status")}).headers["location"] == "/?signed_off=1"
    assert guest.http.get("/status").headers["location"] == "/"


PATHS = ("/", "/accept", "/status", "/sign-off", "/rules", "/regler", "/receipt", "/kvittering", "/privacy",
         "/personvern", "/receipt/0000-0000-0000-0000", "/receipt/0000-0000-0000-0000.tlog-proof",
         "/captive-portal/api", "/form", "/add", "/legg-til", "/return", "/extend", "/words",
         "/end-device")  # fmt: skip


POSTED = ("/accept", "/sign-off", "/add", "/return", "/extend", "/words", "/end-device")


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_methods_that_a_page_does_not_have_are_405_and_change_nothing(
    guest: Any, counted: Counted, path: str, accepted: bool
) -> None:
    if accepted:
        guest.accept()
    before = counted()
    allowed = "GET, HEAD, POST" if path in POSTED else "GET, HEAD"
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "QUX"):
        answer = guest.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), method
        assert answer.headers["cache-control"] == "no-store"
    if "POST" not in allowed:
        assert guest.http.post(path, data={"token": "x"}).status_code == 405
    head, get = guest.http.request("HEAD", path), guest.http.get(path)
    assert (head.status_code, head.headers.get("location")) == (get.status_code, get.headers.get("location"))
    assert head.content == b""
    assert counted() == before


def test_head_and_odd_methods_on_strangers_hosts(guest: Any) -> None:
    for method in ("HEAD", "OPTIONS", "PUT", "QUX"):
        answer = guest.http.request(method, "/x", headers={"Host": "www.example.com"})
        assert (answer.status_code, answer.headers["location"]) == (302, "http://gjest.internal/")
        assert answer.content == b""
    assert guest.http.request("HEAD", "/nothing").content == b""
    guest.accept()
    missing = guest.http.request("HEAD", "/nothing")
    assert (missing.status_code, missing.content) == (404, b"")


@pytest.mark.parametrize(
    ("accepts", "button"),
    [
        ("nb-NO,nb;q=0.9", "Jeg har lest og godtar reglene"),
        ("nn,nb;q=0.5", "Eg har lese og godtek reglane"),
        ("en-GB,en;q=0.9", "I have read and accept the rules"),
        ("no", "Jeg har lest og godtar reglene"),
        ("de;q=1, en;q=0.1", "I have read and accept the rules"),
        ("de", "Jeg har lest og godtar reglene"),
    ],
)
def test_language_of_the_browser(guest: Any, accepts: str, button: str) -> None:
    page = guest.http.get("/", headers={"Accept-Language": accepts})
    assert button in page.text
    assert page.headers["vary"] == "Accept-Language"


def test_language_by_link_is_kept_through_the_form(guest: Any, apply_grants: Callable[[], None]) -> None:
    page = guest.http.get("/?lang=nn", headers={"Accept-Language": "en"})
    assert '<html lang="nn">' in page.text
    assert 'action="/accept?lang=nn"' in page.text
    answer = guest.http.post("/accept?lang=nn", data={"token": guest.token("/?lang=nn"), "name": "Ola"})
    assert answer.headers["location"] == "/status?lang=nn"
    apply_grants()
    status = guest.http.get("/status?lang=nn", headers={"Accept-Language": "en"})
    assert 'href="/rules?lang=nn"' in status.text
    assert "/receipt/" in status.text


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Skriv navnet ditt"),
        ("name", "   ", "Skriv navnet ditt"),
        ("name", "\u202e\u200f", "Skriv navnet ditt"),
        ("name", "-", "Skriv navnet ditt"),
        ("name", "a" * 121, "høyst 120 tegn"),
        ("name", "Kari\0Nordmann", "tegn som ikke kan brukes"),
        ("name", "Kari\r\nNordmann", "tegn som ikke kan brukes"),
        ("name", "<script>alert(1)</script>", "tegn som ikke kan brukes"),
        ("organisation", "x" * 121, "høyst 120 tegn"),
        ("contact", "\x1b[31m", "tegn som ikke kan brukes"),
    ],
)
def test_bad_fields_are_named_and_what_was_typed_is_kept(
    guest: Any, counted: Counted, field: str, value: str, message: str
) -> None:
    answer = guest.accept(**{"organisation": "Studieforbundet", field: value})
    assert answer.status_code == 422
    assert message in answer.text
    assert f'href="#{field}"' in answer.text
    assert "<title>Feil:" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<script" not in answer.text
    assert "\0" not in answer.text
    if field != "organisation":
        assert 'value="Studieforbundet"' in answer.text
    assert counted() == (0, 0, 0)


def test_a_name_in_any_script_is_kept_as_it_is_and_direction_marks_are_not(guest: Any) -> None:
    guest.accept(name="  \u202eמרים\u202c   O’Brien-Østbø ")
    receipt = guest.http.get(f"/receipt/{_receipt_code(guest)}")
    assert "מרים O’Brien-Østbø" in receipt.text
    assert "\u202e" not in receipt.text


def test_a_form_of_another_device_is_not_accepted(guest: Any, laptop: Any, counted: Counted) -> None:
    answer = laptop.http.post("/accept", data={"token": guest.token(), "name": "Kari Nordmann"})
    assert answer.status_code == 403
    assert 'value="Kari Nordmann"' in answer.text
    assert counted() == (0, 0, 0)


@pytest.mark.parametrize("token", ["", "x", "1.2.3.4", "9" * 400, "æ.ø.å.x", "1.a.nb.\0"])
def test_a_forged_form_is_not_accepted(guest: Any, counted: Counted, token: str) -> None:
    assert guest.http.post("/accept", data={"token": token, "name": "Kari"}).status_code == 403
    assert counted() == (0, 0, 0)


def test_a_form_that_was_used_accepts_nothing_once_more(
    guest: Any, clock: Any, counted: Counted, apply_grants: Callable[[], None]
) -> None:
    form = {"token": guest.token(), "name": "Kari Nordmann"}
    clock.advance(timedelta(minutes=1))
    assert guest.http.post("/accept", data=form).status_code == 303
    assert guest.http.post("/accept", data=form).status_code == 303  # sent twice: the grant that stands
    assert counted() == (1, 1, 1)
    apply_grants()
    assert guest.http.post("/sign-off", data={"token": guest.token("/status")}).status_code == 303
    clock.advance(timedelta(minutes=1))
    again = guest.http.post("/accept", data=form)
    assert again.status_code == 409
    assert counted() == (1, 1, 1)
    fresh = re.search(r'name="token" value="([^"]+)"', again.text)
    assert fresh is not None
    assert guest.http.post("/accept", data=form | {"token": fresh[1]}).status_code == 303  # the button once more
    assert counted() == (2, 2, 2)


def test_devices_that_never_accept_leave_nothing_behind(gateway_services: Services, make_browser: Any) -> None:
    many = {f"10.77.{1 + number // 250}.{1 + number % 250}": number for number in range(300)}
    app = create_app(
        gateway_services,
        resolve=lambda peer: Neighbour("guest0", f"02:00:00:00:{many[peer] >> 8:02x}:{many[peer] & 255:02x}"),
    )
    for address in many:
        device = make_browser(app, gateway_services.settings.public_url, address, raises=True)
        assert device.get("/").status_code == 200
        assert device.get("/status").status_code == 303
    with gateway_services.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Device)) == 0
    assert len(app._site.kept._kept) == 1


def test_one_device_that_asks_without_end_is_slowed_and_others_are_not(
    gateway_services: Services, make_browser: Any
) -> None:
    app = create_app(gateway_services, resolve=DEVICES.get)
    app._allowance = Allowance(per_s=0.001, burst=5)
    base = gateway_services.settings.public_url
    phone, other = (make_browser(app, base, address, raises=True) for address in DEVICES)
    assert [phone.get("/rules").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    assert phone.get("/rules").headers["retry-after"] == "1"
    assert other.get("/rules").status_code == 200


def test_a_form_that_was_open_too_long_is_renewed_with_what_was_typed(guest: Any, clock: Any, counted: Counted) -> None:
    token = guest.token()
    clock.advance(timedelta(hours=2))
    answer = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"})
    assert answer.status_code == 409
    assert 'value="Kari Nordmann"' in answer.text
    assert counted() == (0, 0, 0)
    assert guest.accept().status_code == 303


def test_rules_that_changed_meanwhile_are_shown_before_they_are_accepted(
    guest: Any, gateway_services: Services, clock: Any, counted: Counted
) -> None:
    from gateway.terms.publish import publish

    token = guest.token()
    clock.advance(timedelta(minutes=1))
    with gateway_services.database.write() as session:
        publish(
            session, gateway_services.place, {"nb": "# Nye regler\n\nVær grei."}, label="2", adopting_body="",
            adopted_on=None, case_number="", binding_language="nb", next_review_on=None, published_by="it",
            now=clock(),
        )  # fmt: skip
    answer = guest.http.post("/accept?lang=en", data={"token": token, "name": "Kari"})
    assert answer.status_code == 409
    assert "The rules have changed" in answer.text
    assert "Vær grei." in answer.text
    assert '<section class="card rules" aria-label="Rules">\n<div lang="nb">' in answer.text
    assert counted() == (0, 0, 0)


def test_a_post_from_another_website_is_refused(guest: Any, counted: Counted) -> None:
    token = guest.token()
    for site in ("cross-site", "same-site"):
        answer = guest.http.post("/accept", data={"token": token, "name": "Kari"}, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    assert counted() == (0, 0, 0)


def test_two_submits_at_once_make_one_acceptance(guest: Any, counted: Counted) -> None:
    token = guest.token()
    answers: list[int] = []
    threads = [
        Thread(
            target=lambda: answers.append(guest.http.post("/accept", data={"token": token, "name": "Kari"}).status_code)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 4
    assert counted() == (1, 1, 1)


def test_a_device_without_neighbour_entry_is_helped_and_not_let_in(
    gateway_services: Services, make_guest: Any, counted: Counted
) -> None:
    stranger = make_guest(gateway_services, "198.51.100.7")
    for path in ("/", "/status"):
        page = stranger.http.get(path)
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert "Slå Wi-Fi av og på igjen." in page.text
    assert stranger.http.post("/accept", data={"token": "x", "name": "Kari"}).status_code == 503
    assert counted() == (0, 0, 0)


def test_forwarding_headers_are_not_believed(gateway_services: Services, make_guest: Any) -> None:
    stranger = make_guest(gateway_services, "198.51.100.7")
    lies = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Real-IP": "192.0.2.1"}
    assert stranger.http.get("/", headers=lies).status_code == 503


def test_a_network_that_is_not_set_up_is_said(gateway_services: Services, guest: Any) -> None:
    with gateway_services.database.write() as session:
        for network in session.query(Network).filter_by(interface="guest0"):
            session.delete(network)
    assert "ikke klart" in guest.accept().text


def test_a_locked_database_keeps_what_was_typed_and_lets_no_one_in(
    guest: Any, gateway_services: Services, counted: Counted
) -> None:
    token = guest.token()
    lock = sqlite3.connect(gateway_services.database.sqlite_path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        answer = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"})
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert 'value="Kari Nordmann"' in answer.text
    assert "kunne ikke lagres" in answer.text
    assert counted() == (0, 0, 0)
    assert guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"}).status_code == 303


def test_a_database_that_is_gone_says_try_again(guest: Any, gateway_services: Services) -> None:
    gateway_services.database.close()
    folder = gateway_services.database.sqlite_path.parent
    for file in folder.glob("gjestenett.sqlite3*"):
        file.unlink()
    for path in ("/", "/status", "/rules", "/receipt/0000-0000-0000-0000", "/captive-portal/api", "/nothing-here"):
        page = guest.http.get(path)
        assert (page.status_code, page.headers["retry-after"]) == (503, "5"), path
        assert "Prøv igjen om litt" in page.text
    probe = guest.http.get("/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    assert probe.status_code == 302


def test_receipt_shows_the_text_to_all_and_the_name_to_its_own_device(guest: Any, laptop: Any) -> None:
    guest.accept()
    code = _receipt_code(guest)
    own = guest.http.get(f"/receipt/{code}")
    other = laptop.http.get(f"/kvittering/{code[:4]}-{code[4:].lower()}?lang=en")
    assert "Kari Nordmann" in own.text
    assert "Kari Nordmann" not in other.text
    for page in (own, other):
        assert "IKT-regler for gjestenettet" in page.text
        assert "2026" in page.text
    assert "Being sealed" in other.text
    assert "22\u00a0November 2026 at\u00a009:55" in other.text


@pytest.mark.parametrize("code", ["0000000000000000", "short", "../../etc/passwd", "%00", "x" * 3000])
def test_no_receipt(guest: Any, code: str) -> None:
    guest.accept()
    assert guest.http.get(f"/receipt/{code}").status_code == 404


def test_rules_page_needs_no_device(gateway_services: Services, make_guest: Any) -> None:
    stranger = make_guest(gateway_services, "198.51.100.7")
    for path in ("/rules", "/regler"):
        page = stranger.http.get(path)
        assert page.status_code == 200
        assert "Administrasjonsutvalget".lower() in page.text.lower()


def test_unknown_path_leads_to_the_portal_until_accepted(guest: Any) -> None:
    answer = guest.http.get("/wp-login.php")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://gjest.internal/")
    assert answer.headers["connection"] == "close"
    guest.accept()
    assert guest.http.get("/wp-login.php").status_code == 404


def test_large_bodies_and_other_types_are_refused(guest: Any, counted: Counted) -> None:
    token = guest.token()
    for size in (16_500, 1_000_000):
        assert guest.accept(contact="x" * size).status_code == 413
    assert guest.http.post("/accept", json={"token": token, "name": "Kari"}).status_code == 415
    many = "&".join(f"f{number}=1" for number in range(30))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert guest.http.post("/accept", content=many, headers=form).status_code == 415
    assert guest.http.post("/accept", content=_in_pieces(), headers=form).status_code == 413
    assert guest.http.post("/accept", content=b"name=%ff%fe&token=x", headers=form).status_code == 422
    assert counted() == (0, 0, 0)


def test_pages_forbid_scripts_frames_and_caching(guest: Any) -> None:
    guest.accept()
    for path in ("/", "/status", "/rules", f"/receipt/{_receipt_code(guest)}", "/nothing"):
        page = guest.http.get(path)
        if page.status_code == 303:
            continue
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert " style=" not in page.text
        assert "set-cookie" not in page.headers


def test_first_load_is_small(guest: Any) -> None:
    page = guest.http.get("/")
    assets = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    assert len(assets) == 2
    sizes = [len(page.content)]
    for path in assets:
        asset = guest.http.get(path)
        assert "immutable" in asset.headers["cache-control"]
        sizes.append(len(asset.content))
    assert sum(sizes) <= 60_000


def test_fields_are_asked_as_configured(gateway_services: Services, make_guest: Any) -> None:
    settings = gateway_services.settings
    portal = settings.portal.model_copy(
        update={"ask_organisation": "no", "ask_contact": "required", "ask_course_code": "required"}
    )
    changed = settings.model_copy(update={"portal": portal})
    guest = make_guest(Services(changed, gateway_services.database, gateway_services.place, gateway_services.clock))
    page = guest.http.get("/").text
    assert 'id="organisation"' not in page
    assert guest.accept().status_code == 422
    assert guest.accept(contact="91234567").status_code == 422
    assert guest.accept(contact="91234567", course_code="FISK-2").status_code == 422, "no course has this code"


def test_form_key_is_private_and_kept(gateway_services: Services, guest: Any) -> None:
    key = gateway_services.settings.state / "keys" / "form.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    create_app(gateway_services)
    assert key.read_bytes() == before


def _receipt_code(guest: Any) -> str:
    found = re.search(r"/receipt/([0-9A-Z]{16})", guest.http.get("/status").text)
    assert found is not None
    return found[1]


async def _in_pieces() -> AsyncIterator[bytes]:
    for _ in range(2):
        yield b"x" * 9000


def test_a_read_only_database_records_nothing(guest: Any, gateway_services: Services, counted: Counted) -> None:
    from sqlalchemy import event

    token = guest.token()
    # what SQLite says when its file or file system can't be written to
    event.listen(gateway_services.database.engine, "begin", lambda raw: raw.exec_driver_sql("PRAGMA query_only=ON"))
    answer = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"})
    assert answer.status_code == 503
    assert 'value="Kari Nordmann"' in answer.text
    assert counted() == (0, 0, 0)


def test_with_a_certificate_plain_http_leads_to_https(gateway_services: Services, make_guest: Any) -> None:
    settings = gateway_services.settings
    portal = settings.portal.model_copy(
        update={"tls_certificate": Path("portal.pem"), "public_url": "https://gjest.example.no"}
    )
    guest = make_guest(
        Services(
            settings.model_copy(update={"portal": portal}),
            gateway_services.database,
            gateway_services.place,
            gateway_services.clock,
        )
    )
    assert guest.http.get("/").status_code == 200
    plain = guest.http.get("http://gjest.example.no/status?x=1")
    assert (plain.status_code, plain.headers["location"]) == (302, "https://gjest.example.no/status?x=1")
    elsewhere = guest.http.get("http://gjest.example.no//other.example/")
    assert elsewhere.headers["location"] == "https://gjest.example.no/other.example/"
    posted = guest.http.post("http://gjest.example.no/accept", data={"name": "Kari"})
    assert (posted.status_code, posted.headers["location"]) == (302, "https://gjest.example.no/")
    assert guest.http.get("http://gjest.example.no/captive-portal/api").json()["captive"] is True


def test_our_own_mistake_gets_a_page_and_a_check_still_gets_the_portal(
    gateway_services: Services, make_browser: Any
) -> None:
    def broken(_address: str) -> Neighbour | None:
        raise OSError("netlink is gone")

    app = create_app(gateway_services, resolve=broken)
    browser = make_browser(app, gateway_services.settings.public_url, "192.0.2.1", raises=False)
    page = browser.get("/")
    assert page.status_code == 500
    assert "Noe gikk galt" in page.text
    assert "netlink" not in page.text
    probe = browser.get("/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    assert probe.status_code == 302
