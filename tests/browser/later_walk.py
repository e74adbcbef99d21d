"""A guest's way on: back again, more devices, closed sites, courses and hosts, in one language; what pictures are of.

`walk` goes through the pages that axe examines in one go; these have tests of their own (`test_devices`, `test_why`,
`test_courses`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zlib import crc32

import dns.message
import dns.query
from playwright.sync_api import Page, expect
from sqlalchemy import select

from captive_portal.i18n import translators
from gateway.access import courses, exemption_requests, host_requests, recognised
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.course_plan import Wish
from gateway.clock import utc_now
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.lists.publish import publish as publish_snapshot
from gateway.storage import rules
from gateway.storage.course_models import Course, HostRequest
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.generations import in_force
from gateway.storage.models import Acceptance, Device, Grant
from gateway.terms.publish import starter_texts
from policies.lexical import Line, write_model
from policies.snapshot import NamedList, compile_snapshot
from tests.browser.name_service import running_name_service
from tests.browser.walk import NAME, publish_rules, put_into, release, without_refresh

LANGUAGES = ("nb", "nn", "en")
SETTINGS = """
[sessions]
devices_per_person = 3
[hosts]
groups = ["meeting"]
domains = ["fjellbygda.example.no"]
[[hosts.people]]
name = "Servicetorget"
email = "servicetorget@fjellbygda.example.no"
[[hosts.people]]
name = "Fjellbygda bibliotek"
email = "biblioteket@fjellbygda.example.no"
[mail]
host = "localhost"
sender = "gjestenett@fjellbygda.example.no"
"""
GAMES, QUIZ, JUDGED = "brettspill.example", "quiz.example", "spillhula.example"
BY_NAME = "utlodning.example"
ADDED = {
    "nb": "- Du kan ha tre enheter på nett samtidig.",
    "nn": "- Du kan ha tre einingar på nett samtidig.",
    "en": "- You may have three devices online at once.",
}
PURPOSES = {
    "nb": ("Kurset handler om spill i undervisningen", "Vi skal prøve en quiz for elevene"),
    "nn": ("Kurset handlar om spel i undervisinga", "Vi skal prøve ein quiz for elevane"),
    "en": ("The course is about games in teaching", "We are trying out a quiz for the pupils"),
}
ANSWERS = {
    "nb": "Bruk quizen i læringsplattformen i stedet.",
    "nn": "Bruk quizen i læringsplattforma i staden.",
    "en": "Please use the quiz in the learning platform.",
}
GRANTED = {
    "nb": "Lykke til med kurset.",
    "nn": "Lukke til med kurset.",
    "en": "Good luck with the course.",
}
TITLES = {"nb": "Excel for alle", "nn": "Excel for alle", "en": "Excel for everyone"}
OWN = "00:00:00:00:00:00"
OTHERS = ("02:00:5e:10:00:02", "02:00:5e:10:00:03", "02:00:5e:10:00:04")


def add_meeting(portal: Any) -> None:
    """A group `meeting`, where guests need a host; nobody is in it yet."""
    services, now = portal.services, utc_now()
    with services.database.write() as session:
        before = generations.draft(session, services.place)
        draft, _ = draft_edits.with_group(before, "meeting", like="default", mark=None, title="Møterom")
        generations.save_draft(session, services.place, draft, now)
        generations.publish(session, services.place, "it", "a group for meetings", now)


def later_pages(portal: Any, page: Page, language: str) -> Iterator[str]:
    """Bring `page` to each page and state in turn, and yield what it is called.

    `portal` runs with `walk.SETTINGS` and `SETTINGS`, has had `add_meeting`, and knows the device from `every_page`.
    """
    page.route("**/status*", without_refresh)
    page.route("**/why/find*", without_refresh)
    page.route("**/waiting*", without_refresh)
    with running_name_service(portal, _snapshot(portal)) as port:
        yield from _devices(portal, page, language)
        yield from _sites(portal, page, language, port)
    yield from _full(portal, page, language)
    yield from _hosts(portal, page, language)
    yield from _courses(portal, page, language)


def _devices(portal: Any, page: Page, language: str) -> Iterator[str]:
    t = translators("guest", LANGUAGES)[language]
    _go(portal, page, language, "/add")
    yield "add"
    page.locator("#words").fill("fjord fjel elg")
    page.locator("#accept").click()
    expect(page.locator(".errors")).to_be_focused()
    yield "add-error"
    _go(portal, page, language, "/")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("Welcome back"))
    yield "return"
    with portal.services.database.write() as session:
        texts = {each: _longer(text, ADDED[each]) for each, text in starter_texts().items()}
        publish_rules(session, portal.services, texts, "2.0")
    _go(portal, page, language, "/")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("The rules have changed"))
    yield "return-changed"
    page.locator("#accept").click()
    portal.apply_grants()
    with portal.services.database.write() as session:
        for grant in session.scalars(select(Grant)):
            grant.starts_at, grant.ends_at = (each - timedelta(hours=9) for each in (grant.starts_at, grant.ends_at))
        for acceptance in session.scalars(select(Acceptance)):
            acceptance.accepted_at -= timedelta(hours=9)
    _add_device(portal, OWN, OTHERS[0])
    portal.apply_grants()
    _go(portal, page, language, "/status")
    page.get_by_role("button", name=t("Show three words")).click()
    _go(portal, page, language, "/status")
    expect(page.locator(".words")).to_be_visible()
    yield "status-devices"


def _sites(portal: Any, page: Page, language: str, port: int) -> Iterator[str]:
    t = translators("guest", LANGUAGES)[language]
    place = portal.services.place
    _go(portal, page, language, "/why")
    yield "why"
    _go(portal, page, language, "/why?name=192.0.2.1")
    yield "why-error"
    _go(portal, page, language, f"/why?name={GAMES}")
    expect(page.locator("#purpose")).to_be_visible()
    yield "why-closed"
    page.locator("#purpose").fill(PURPOSES[language][0])
    page.get_by_role("button", name=t("Ask for an exemption")).click()
    expect(page.get_by_role("status")).to_be_visible()
    yield "why-asked"
    _go(portal, page, language, f"/why?name={JUDGED}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("{name} is closed", name=JUDGED))
    yield "why-judged"
    _go(portal, page, language, f"/why?name={QUIZ}")
    page.locator("#purpose").fill(PURPOSES[language][1])
    page.get_by_role("button", name=t("Ask for an exemption")).click()
    for name, state in (("yr.example", "why-open"), ("skadevare.example", "why-never"), (BY_NAME, "why-it")):
        _go(portal, page, language, f"/why?name={name}")
        yield state
    with portal.services.database.write() as session:
        for asked in session.scalars(select(ExemptionRequest).where(ExemptionRequest.name == QUIZ)):
            exemption_requests.decline(session, place, asked.id, "it", ANSWERS[language], utc_now())
    _go(portal, page, language, "/status")
    yield "status-requests"
    _go(portal, page, language, "/why/find")
    yield "find"
    page.get_by_role("button", name=t("Begin")).click()
    _go(portal, page, language, "/why/find")
    expect(page.get_by_text(t("Nothing so far."))).to_be_visible()
    for name in (f"www.{GAMES}", f"bilder.{GAMES}"):
        dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=20)
    _go(portal, page, language, "/why/find")
    expect(page.get_by_role("link", name=f"www.{GAMES}")).to_be_visible()
    yield "find-found"
    with portal.services.database.write() as session:
        [asked] = session.scalars(select(ExemptionRequest).where(ExemptionRequest.name == GAMES))
        until = utc_now() + timedelta(hours=2)
        exemption_requests.grant(
            session, place, asked.id, "it", GRANTED[language], scope="session", until=until, now=utc_now()
        )
    publish_snapshot(portal.services.settings.state, _snapshot(portal))
    portal.apply_grants()
    _go(portal, page, language, "/status")
    expect(page.get_by_text(GRANTED[language])).to_be_visible()
    yield "status-granted"
    _go(portal, page, language, f"/why?name={GAMES}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("{name} is open", name=GAMES))
    yield "why-exempted"


def _full(portal: Any, page: Page, language: str) -> Iterator[str]:
    """As many devices as there may be: with this one, and without it."""
    _add_device(portal, OTHERS[0], OTHERS[1])
    portal.apply_grants()
    _go(portal, page, language, "/status")
    yield "status-devices-full"
    release(portal)
    _add_device(portal, OTHERS[0], OTHERS[2])
    _go(portal, page, language, "/")
    page.locator("#accept").click()
    yield "too-many-devices"


def _hosts(portal: Any, page: Page, language: str) -> Iterator[str]:
    services = portal.services
    put_into(portal, "meeting")
    _go(portal, page, language, "/")
    expect(page.locator("#host")).to_be_visible()
    yield "form-hosts"
    _ask_host(page)
    _go(portal, page, language, "/waiting")
    yield "waiting-host"
    with services.database.write() as session:
        [asked] = session.scalars(select(HostRequest))
        asked.mail_tries, asked.mail_error = 1, "the mail server did not answer"
    _go(portal, page, language, "/waiting")
    yield "waiting-host-unmailed"
    durations = recognised.terms_of(services.settings).durations
    with services.database.write() as session:
        [asked] = session.scalars(select(HostRequest))
        host_requests.answer(session, services.place, asked.id, "denied", durations=durations, now=utc_now())
    _go(portal, page, language, "/waiting")
    yield "host-denied"
    _go(portal, page, language, "/form")
    _ask_host(page)
    with services.database.write() as session:
        for each in session.scalars(select(HostRequest).where(HostRequest.answer == "")):
            each.expires_at = utc_now() - timedelta(minutes=1)
    _go(portal, page, language, "/waiting")
    yield "host-over"
    _go(portal, page, language, "/form?more_asked=1")
    yield "form-more-asked"
    put_into(portal, "default")


def _courses(portal: Any, page: Page, language: str) -> Iterator[str]:
    services = portal.services
    with services.database.write() as session:  # the person has as many devices online as are allowed
        for grant in session.scalars(select(Grant).where(Grant.ends_at > utc_now())):
            grant.ends_at = utc_now()
    by_code = _add_course(portal, language, "code")
    _go(portal, page, language, "/form")
    yield "form-course-code"
    _go(portal, page, language, "/")
    expect(page.locator("#course_code")).to_be_visible()
    yield "return-course-code"
    page.locator("#accept").click()
    portal.apply_grants()
    _go(portal, page, language, "/status")
    expect(page.locator("#course-heading")).to_be_visible()
    yield "status-course-code"
    page.locator("#course_code").fill("fjord fjel elg")
    page.locator("form:has(#course_code) button").click()
    expect(page.locator(".errors")).to_be_focused()
    yield "status-course-code-error"
    release(portal)
    with services.database.write() as session:
        courses.end(session, services.place, by_code, by="it", now=utc_now())
    by_title = _add_course(portal, language, "title")
    _go(portal, page, language, "/form")
    yield "form-course"
    page.locator("#name").fill(NAME)
    page.locator("#course").check()
    page.locator("#accept").click()
    portal.apply_grants()
    _go(portal, page, language, "/status")
    release(portal)
    with services.database.write() as session:
        course = session.get(Course, by_title)
        assert course is not None
        course.max_devices = 1
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        assert version is not None
        applicant, seat = Applicant("Ola Nordmann", "", ""), courses.Sought(course_id=by_title, is_shared=True)
        taken = accept(
            session, services.place, Neighbour("lo", OTHERS[1]), applicant, version_id=version.id, language="nb",
            address="192.0.2.8", duration=timedelta(hours=8), now=utc_now(), sought=seat,
        )  # fmt: skip
        assert isinstance(taken, Accepted)
    _go(portal, page, language, "/")
    page.locator("#accept").click()
    yield "course-full"


def _go(portal: Any, page: Page, language: str, path: str) -> None:
    page.goto(f"{portal.url}{path}{'&' if '?' in path else '?'}lang={language}")


def _ask_host(page: Page) -> None:
    page.locator("#name").fill(NAME)
    page.locator("#host").select_option("Servicetorget")
    page.locator("#accept").click()


def _longer(text: str, point: str) -> str:
    """The rules with one point more in their summary."""
    summary, mark, rest = text.partition("\n---\n")
    return f"{summary.rstrip()}\n{point}\n{mark}{rest}"


def _snapshot(portal: Any) -> bytes:
    """The policy in force, with lists, and a judge that takes names with `spil` for games."""
    with portal.services.database.read() as session:
        published = in_force(session, portal.services.place.owner_id)
        assert published is not None
        document = published.document
    document["groups"]["default"]["judge"] = {"gaming": 0.9}
    document["groups"]["default"]["forbid"] = [BY_NAME]
    lists = [
        NamedList("test/gaming", "gaming", "0" * 64, (GAMES, QUIZ)),
        NamedList("test/malware", "malware", "1" * 64, ("skadevare.example",)),
    ]
    rows = 1 << 12
    table = [sum(128 << 8 * lane for lane in range(8))] * rows
    table[crc32(b"spil") & rows - 1] += 100
    model = write_model([Line("gaming", 1.0, -3.0)], (), table, {})
    return compile_snapshot(document, lists, 1, sections={"judge": model})


def _add_device(portal: Any, with_words: str, mac: str) -> None:
    """Let the device `mac` in by the words of one that is online."""
    services, now = portal.services, utc_now()
    terms = recognised.terms_of(services.settings)
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        assert version is not None
        online = select(Grant.id).join(Device).where(Device.mac == with_words, Grant.ends_at > now)
        grant_id = session.scalars(online.order_by(Grant.starts_at.desc()).limit(1)).one()
        words = recognised.show_words(session, services.place, Neighbour("lo", with_words), grant_id, terms, now)
        assert not isinstance(words, recognised.NotRecognised)
        reading = recognised.Reading(version.id, "nb", "192.0.2.7", now)
        done = recognised.add_by_words(session, services.place, Neighbour("lo", mac), words.number, reading, terms)
        assert isinstance(done, Accepted)


def _add_course(portal: Any, language: str, offered: str) -> str:
    services, now = portal.services, utc_now()
    ends_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=4)
    wish = Wish(TITLES[language], "Voksenopplæringen", now, ends_at, "default", 25, offered)
    with services.database.write() as session:
        made = courses.add(session, services.place, wish, ["default"], by="it", now=now)
        assert isinstance(made, Course)
        return made.id
