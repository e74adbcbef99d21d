"""Why is it closed: the page says what DNS decides, forgives what people paste, keeps no name, and sends a request."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.guest.typed_name import read_name, readable
from captive_portal.i18n import translators
from gateway.access import exemption_requests as requests
from gateway.context import Services
from gateway.lists.publish import publish
from gateway.lists.reader import current_path
from gateway.settings import Settings
from gateway.storage import exemption_requests
from policies.categories import CATEGORIES
from policies.document import default_document
from policies.names import normalise
from policies.snapshot import NamedList, compile_snapshot

LISTS = [
    NamedList("test/gaming", "gaming", "0" * 64, ("game.example", "xn--spill-ira.example")),
    NamedList("test/malware", "malware", "1" * 64, ("bad.example",)),
    NamedList("test/dating", "dating", "2" * 64, ("date.example",)),
    NamedList("test/adult", "adult", "3" * 64, ("adult.example",)),
    NamedList("test/crypto", "cryptomining", "4" * 64, ("mine.example",)),
]
DATING_OPENS = {"categories": ["dating"], "days": ["sun"], "from": "16:00", "to": "23:00", "effect": "open"}


def compile_into(services: Services, **top: Any) -> None:
    document = default_document() | top
    default = document["groups"]["default"]
    document["groups"]["default"] = default | {"schedules": [DATING_OPENS], "forbid": ["forbidden.example"]}
    document["groups"]["course"] = {"mark": 7, "closed": [], "permit": [], "forbid": []}
    publish(services.settings.state, compile_snapshot(document, LISTS, 1))


@pytest.fixture
def policy(gateway_services: Services) -> Services:
    compile_into(gateway_services)
    return gateway_services


@pytest.fixture
def online(guest: Any, policy: Services, apply_grants: Callable[[], None]) -> Any:
    assert policy
    guest.accept()
    apply_grants()
    return guest


def heading(page: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None
    return found[1].strip()


def look(guest: Any, name: str, **query: str) -> httpx.Response:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    answer = guest.http.get(f"/hvorfor?name={quote(name, safe='')}{more}")
    assert isinstance(answer, httpx.Response)
    return answer


def test_a_device_that_has_not_accepted_is_sent_to_the_rules(guest: Any, policy: Services) -> None:
    assert policy
    for path in ("/hvorfor?name=game.example", "/why", "/why/find"):
        assert guest.http.get(path).headers["location"] == "/"


@pytest.mark.parametrize(
    ("name", "said", "parts"),
    [
        ("www.game.example", "www.game.example er stengt", ["Nettspill", "Retningslinjene nevner nettspill"]),
        ("adult.example", "adult.example er stengt", ["Pornografi", "Retningslinjene nevner pornografi"]),
        ("date.example", "date.example er stengt", ["Datingtjenester", "22. november 2026 kl. 16.00"]),
        (
            "forbidden.example",
            "forbidden.example er stengt",
            ["Akkurat dette nettstedet er stengt. Spør IKT"],
        ),
        ("bad.example", "bad.example er stengt", ["Skadevare", "Det gis ikke unntak"]),
        ("mine.example", "mine.example er åpent", ["Ingenting stenger det for deg"]),
        ("ok.example", "ok.example er åpent", ["Ingenting stenger det for deg"]),
        ("www.nav.no", "www.nav.no er åpent", ["stenges aldri her"]),
        ("printer.local", "printer.local er stengt", ["Ingen nettsteder på internett"]),
        ("use-application-dns.net", "use-application-dns.net er stengt", ["Svaret er alltid nei"]),
    ],
)
def test_it_says_what_closes_a_name(online: Any, name: str, said: str, parts: list[str]) -> None:
    page = look(online, name)
    assert page.status_code == 200
    assert heading(page) == said
    for part in parts:
        assert part in page.text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://www.Game.Example/en/side?x=1#y", "www.game.example"),
        ("  www.game.example.  ", "www.game.example"),
        ("game.example:8080", "game.example"),
        ("kari@game.example", "game.example"),
        ("*.game.example", "game.example"),
        ("«game.example»", "game.example"),
        ("SPÏLL.example", None),
        ("spïll.example", None),
    ],
)
def test_what_people_paste_is_understood(online: Any, typed: str, meant: str | None) -> None:
    page = look(online, typed)
    assert page.status_code == 200
    assert heading(page).endswith(("er stengt", "er åpent"))
    if meant:
        assert heading(page) == f"{meant} er stengt"


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "<script>alert(1)</script>", "../../../etc/passwd", "a" * 300, "a." * 200 + "no", "x" * 5000,
        "127.0.0.1", "http://[2001:db8::1]/", "192.0.2.1:80", "a b", "a..b", "-\x00-", "\ud83d", "xn--", ".", "\\999",
        "javascript:alert(1)", "%00", "\r\nLocation: x", "{name}", "{{ 7*7 }}",
    ],
)  # fmt: skip
def test_what_is_no_name_is_said_and_never_run(online: Any, typed: str) -> None:
    page = online.http.get("/hvorfor?name=" + quote(typed.encode("utf-8", "surrogatepass"), safe=""))
    assert page.status_code in (200, 422)
    assert "<script" not in page.text
    assert "alert(1)</" not in page.text
    assert "49" not in re.findall(r'value="([^"]*)"', page.text)
    assert "location" not in page.headers
    assert len(page.text) < 20_000
    if page.status_code == 422:
        assert 'aria-invalid="true"' in page.text
        assert "Feil:" in page.text


@given(st.text(max_size=400))
def test_any_text_is_a_name_or_a_problem(typed: str) -> None:
    name, problem = read_name(typed)
    assert bool(name) != (problem is not None)
    if name:
        assert normalise(name) == name
        assert len(name) <= 253
        assert isinstance(readable(name), str)


def test_the_group_is_that_of_the_kernels_mark(online: Any, policy: Services, apply_grants: Callable[[], None]) -> None:
    from gateway.storage.models import Grant

    assert heading(look(online, "game.example")) == "game.example er stengt"
    with policy.database.write() as session:
        session.query(Grant).update({"mark": 7, "group_key": "course"})
    apply_grants()
    assert heading(look(online, "game.example")) == "game.example er åpent"
    with policy.database.write() as session:  # a mark that the policy does not know yet: the default rules hold
        session.query(Grant).update({"mark": 99})
    assert heading(look(online, "game.example")) == "game.example er stengt"


def test_without_a_compiled_policy_nothing_is_claimed(
    gateway_services: Services, make_guest: Any, apply_grants: Callable[[], None]
) -> None:
    current_path(gateway_services.settings.state).unlink()
    guest = make_guest(gateway_services)
    guest.accept()
    apply_grants()
    page = look(guest, "game.example")
    assert page.status_code == 200
    assert "er stengt" not in heading(page)
    assert "er åpent" not in heading(page)


def test_a_name_that_is_only_looked_at_is_kept_nowhere(online: Any, policy: Services, caplog: Any) -> None:
    name = "hemmelig-qzv.game.example"
    assert "er stengt" in look(online, name).text
    assert name not in caplog.text
    state = policy.settings.state
    assert not [path for path in state.rglob("*") if path.is_file() and b"hemmelig-qzv" in path.read_bytes()]


def token(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def ask(guest: Any, name: str, purpose: str = "en time om spill", **fields: str) -> httpx.Response:
    data = {"token": token(look(guest, name)), "name": name, "purpose": purpose, **fields}
    answer = guest.http.post("/why", data=data)
    assert isinstance(answer, httpx.Response)
    return answer


def waiting(services: Services) -> list[Any]:
    with services.database.read() as session:
        return list(exemption_requests.waiting(session, services.place.owner_id))


def test_a_request_is_sent_and_its_answer_shown(online: Any, policy: Services) -> None:
    answer = ask(online, "www.game.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/why?name=www.game.example&sent=1")
    page = online.http.get(answer.headers["location"])
    assert "Forespørselen er sendt" in page.text
    assert "Venter på svar" in page.text
    assert "Be om unntak</button>" not in page.text
    assert "Venter på svar" in online.http.get("/status").text
    assert ask(online, "www.game.example").status_code == 303  # pressed twice
    [asked] = waiting(policy)
    assert (asked.request.name, asked.request.purpose) == ("www.game.example", "en time om spill")
    with policy.database.write() as session:
        requests.decline(session, policy.place, asked.request.id, "it", "Bruk <b>biblioteket</b>", policy.clock())
    for page in (online.http.get("/status"), online.http.get("/hvorfor")):
        assert "Avslått" in page.text
        assert "Bruk &lt;b&gt;biblioteket&lt;/b&gt;" in page.text


def test_a_guest_takes_a_request_back(online: Any, policy: Services) -> None:
    ask(online, "www.game.example")
    page = look(online, "www.game.example")
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found is not None
    for wrong in ("nobody", "x" * 4000, "\x00"):
        online.http.post("/why/withdraw", data={"token": token(page), "request": wrong})
    assert len(waiting(policy)) == 1
    answer = online.http.post("/why/withdraw", data={"token": token(page), "request": found[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/why")
    assert waiting(policy) == []
    assert online.http.get("/why/withdraw").headers["location"] == "/why"


@pytest.mark.parametrize("name", ["bad.example", "forbidden.example", "ok.example", "printer.local", "<b>", ""])
def test_what_can_not_be_exempted_can_not_be_asked_for(online: Any, policy: Services, name: str) -> None:
    data = {"token": token(look(online, "game.example")), "name": name, "purpose": "x"}
    assert online.http.post("/why", data=data).status_code == 422
    assert waiting(policy) == []


@pytest.mark.parametrize("purpose", ["", "   ", "x" * 301, "a\nb", "\u202e"])
def test_what_it_is_for_is_one_line(online: Any, policy: Services, purpose: str) -> None:
    page = ask(online, "www.game.example", purpose)
    assert page.status_code == 422
    assert 'id="purpose-error"' in page.text
    assert waiting(policy) == []


def test_forms_of_others_send_nothing(online: Any, laptop: Any, policy: Services, clock: Any) -> None:
    page = look(online, "www.game.example")
    data = {"token": token(page), "name": "www.game.example", "purpose": "x"}
    laptop.accept()
    assert laptop.http.post("/why", data=data).status_code == 403
    for wrong in ("", "forged", "1.2.3.4", "x" * 4000):
        assert online.http.post("/why", data=data | {"token": wrong}).status_code == 403
    sign_off = re.search(r'name="token" value="([^"]+)"', online.http.get("/status").text)
    assert sign_off is not None
    assert online.http.post("/why", data=data | {"token": sign_off[1]}).status_code == 403
    assert online.http.post("/why", data=data, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert online.http.post("/why", json=data).status_code == 415
    clock.advance(timedelta(hours=3))
    stale = online.http.post("/why", data=data)
    assert stale.status_code == 403
    assert "Trykk på knappen" in stale.text
    assert waiting(policy) == []


def test_a_device_that_asks_too_often_waits(online: Any, policy: Services) -> None:
    for number in range(requests.WAITING_MAX):
        assert ask(online, f"n{number}.game.example").status_code == 303
    page = ask(online, "more.game.example")
    assert page.status_code == 429
    assert "allerede bedt om flere unntak" in page.text
    assert len(waiting(policy)) == requests.WAITING_MAX


def test_looking_up_names_by_the_hundred_is_slowed(online: Any, laptop: Any, apply_grants: Callable[[], None]) -> None:
    laptop.accept()
    apply_grants()
    answers = [look(online, f"n{number}.example") for number in range(130)]
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert slowed
    assert int(slowed[0].headers["retry-after"]) >= 1
    assert look(laptop, "game.example").status_code == 200


def test_the_municipalitys_own_rule_is_named(
    gateway_services: Services, make_guest: Any, apply_grants: Callable[[], None]
) -> None:
    settings: Settings = gateway_services.settings
    rules = {"default": "IKT-reglementet punkt 4", "dating": "IKT-reglementet <punkt 5>"}
    owner = settings.owner.model_copy(update={"guidelines": rules})
    services = Services(
        settings.model_copy(update={"owner": owner}),
        gateway_services.database,
        gateway_services.place,
        gateway_services.clock,
    )
    compile_into(services)
    guest = make_guest(services)
    guest.accept()
    apply_grants()
    assert "IKT-reglementet punkt 4" in look(guest, "game.example").text
    assert "IKT-reglementet &lt;punkt 5&gt;" in look(guest, "date.example").text


@pytest.mark.parametrize("language", ["de", "en", "nb", "nn"])
def test_every_category_has_a_rule_in_every_language(language: str) -> None:
    from captive_portal.guest.guideline_words import rule

    t = translators("guest", (language,))[language]
    said = {key: rule(t, key) for key in CATEGORIES}
    assert all(said.values())
    english = translators("guest", ("en",))["en"]
    if language != "en":
        assert all(said[key] != rule(english, key) for key in CATEGORIES)


@pytest.mark.parametrize("language", ["en", "nb", "nn"])
def test_pages_keep_the_language_that_was_chosen(online: Any, language: str) -> None:
    page = look(online, "www.game.example", lang=language)
    assert f'<html lang="{language}">' in page.text
    assert CATEGORIES["gaming"].names[language] in page.text  # type: ignore[index]
    data = {"token": token(page), "name": "www.game.example", "purpose": "x"}
    answer = online.http.post(f"/why?lang={language}", data=data)
    assert f"lang={language}" in answer.headers["location"]


@pytest.mark.parametrize(("block_answer", "leads"), [("zero", False), ("portal", True)])
def test_a_closed_sites_own_address_leads_to_the_explanation(
    gateway_services: Services, guest: Any, apply_grants: Callable[[], None], block_answer: str, leads: bool
) -> None:
    compile_into(gateway_services, block_answer=block_answer)
    portal = gateway_services.settings.public_url
    host = {"host": "WWW.Game.Example:80"}
    assert guest.http.get("/a?b=c", headers=host).headers["location"] == f"{portal}/"  # not accepted yet
    guest.accept()
    apply_grants()
    explained = f"{portal}/hvorfor?name=www.game.example" if leads else f"{portal}/"
    assert guest.http.get("/a?b=c", headers=host).headers["location"] == explained
    assert guest.http.post("/a", headers=host, data={"x": "y"}).headers["location"] == explained
    for strange in ("192.0.2.1", "<a b>", "a" * 300, "x..y", "[2001:db8::9]", "{x}"):
        assert guest.http.get("/", headers={"host": strange}).headers["location"] == f"{portal}/"
    probe = guest.http.get("/hotspot-detect.html", headers={"host": "captive.apple.com"})
    assert "Success" in probe.text


def test_another_language_is_asked_for_the_same_name(online: Any) -> None:
    page = look(online, 'steam.example"><b>&lang=x')
    assert "?name=steam.example%22%3E%3Cb%3E%26lang%3Dx&amp;lang=nn" in page.text


def test_where_no_gateway_holds_back_whoever_has_accepted_is_told_why(
    gateway_services: Services, make_guest: Any
) -> None:
    """DNS alone: another router lets devices through, and none is ever online by ours."""
    settings = gateway_services.settings
    off = settings.enforcement.model_copy(update={"enabled": False})
    sources = settings.dns.model_copy(update={"sources": {"192.0.2.0/24": "default"}})
    services = Services(
        settings.model_copy(update={"enforcement": off, "dns": sources}),
        gateway_services.database, gateway_services.place, gateway_services.clock,
    )  # fmt: skip
    compile_into(services, block_answer="portal")
    guest, portal, host = make_guest(services), services.settings.public_url, {"host": "www.game.example"}
    assert guest.http.get("/", headers=host).headers["location"] == f"{portal}/"
    guest.accept()
    assert guest.http.get("/", headers=host).headers["location"] == f"{portal}/hvorfor?name=www.game.example"
    assert "www.game.example er stengt" in guest.http.get("/hvorfor?name=www.game.example").text
    probe = {"host": "connectivitycheck.gstatic.com"}
    assert guest.http.get("/generate_204", headers=probe).headers["location"] == f"{portal}/"
