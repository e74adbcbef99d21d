"""An installation that has been in use for a while, in a made-up municipality: what pictures of the console are of.

Everything is written by the same functions that the pages use, in the order in which it happened in the last weeks.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from captive_portal.auth import accounts, own_account
from captive_portal.auth.accounts import Second
from captive_portal.auth.passkeys import NewKey
from captive_portal.auth.passwords import hash_password
from captive_portal.auth.second_factor import load_second_factor
from captive_portal.console.courses.host_answers import host_key, host_link
from gateway.access import blocking, courses, exemption_requests, host_requests
from gateway.access import grants as access
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.admission import Admitted, Device, admit
from gateway.access.course_plan import Wish
from gateway.audit.periods import parse_period
from gateway.audit.record import record
from gateway.clock import MUNICIPAL_ZONE, utc_now
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.storage import beats, dns_counters, grants, rules, staff
from gateway.storage.course_models import Course
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms import draft as rules_draft
from gateway.terms import drafting, proposing
from gateway.terms.publish import publish, short_texts, starter_texts
from tests.browser.test_console import PASSWORD, SECRET, RunningConsole
from tests.lab.certificates import Authority

IT, AUDITOR, HOST = "kari.nes", "revisor.hansen", "vert.voksenopplaering"
OTHER_IT = "ola.berg"
UNIT = "Voksenopplæringen"
SETTINGS = """
[owner.guidelines]
default = "IKT-reglementet, punkt 4"
[privacy]
controller = "Fjellbygda kommune, postmottak@fjellbygda.example.no"
dpo = "personvernombud@fjellbygda.example.no"
legal_basis = "6.1.e"
legal_basis_law = "kommuneloven § 25-1"
backup_days = 30
[wifi]
ssid = "Fjellbygda Gjest"
[hosts]
domains = ["fjellbygda.example.no"]
[[hosts.people]]
name = "Servicetorget"
email = "servicetorget@fjellbygda.example.no"
[mail]
host = "localhost"
sender = "gjestenett@fjellbygda.example.no"
"""
BEGAN = timedelta(days=30)
PEOPLE = (
    ("Anne-Margrethe Kvåle", "Nordfjell Kurs AS", "course"), ("Ola Nordmann", "Nordfjell Kurs AS", "course"),
    ("Ingrid Solheim", "Fagskolen i Innlandet", "course"), ("Mohammed Ali", "Tolketjenesten", "course"),
    ("Liv Bjørnstad", "Husflidslaget", "library"), ("Per Olav Haugen", "", "default"),
    ("Astrid Moen", "Røde Kors", "default"), ("Jan Erik Lie", "Rørlegger Lie", "default"),
    ("Sigrid Vangen", "Revisjon Øst", "default"), ("Ahmed Hassan", "", "default"),
)  # fmt: skip
LISTS = {
    "gaming": "spillborg.example\nkortspill.example\nbrettspill.example\nnav.no\ncloudfront.net\n",
    "gambling": "kasinobonus.example\noddsguru.example\nlykkehjul.example\n",
    "phishing": "nettbank-innlogging.example\npakke-varsel.example\n",
}


class Filled:
    """What was filled in, and what leads to the rooms that need it."""

    def __init__(self, running: RunningConsole, folder: Path) -> None:
        self.running, self.folder = running, folder
        self.services, self.place = running.services, running.services.place
        self.now = utc_now()
        self.course = self.grant = self.acceptance = self.request = self.course_request = ""
        self.setup_link = self.host_link = self.coming = ""
        self._to_come: list[tuple[datetime, Callable[[Any, datetime], Any]]] = []

    def then(self, when: datetime, what: Callable[[Any, datetime], Any]) -> None:
        """Have `what` happen at that moment, in a transaction of its own."""
        self._to_come.append((when, what))

    def happen(self) -> None:
        """Let everything happen, one after the other."""
        for when, what in sorted(self._to_come, key=lambda each: each[0]):
            with self.services.database.write() as session:
                what(session, when)
        self._to_come.clear()

    def ago(self, **how_long: float) -> datetime:
        """That long before now."""
        return self.now - timedelta(**how_long)


def fill(running: RunningConsole, folder: Path) -> Filled:
    """Fill a fresh installation, which was started with `SETTINGS` and the audit target of `audit_target`."""
    filled = Filled(running, folder)
    trusted_certificate(running)
    for part in (_accounts, _policy, _rules, _courses, _guests, _requests, _lookups, _around):
        part(filled)
    filled.happen()
    _lists(filled)
    running.compile_policy()
    return filled


def trusted_certificate(running: RunningConsole) -> None:
    """Give the portal a certificate that its devices would believe."""
    portal = running.services.settings.portal
    assert portal.tls_certificate is not None
    assert portal.tls_key is not None
    Authority(portal.tls_key.parent).issue([portal.hostname], portal.tls_certificate, portal.tls_key)


def copies(filled: Filled) -> None:
    """Send a checkpoint to where copies go; something has been sealed before."""
    _command(filled, "audit", "push")


def audit_target(folder: Path) -> str:
    """TOML of the place where copies of checkpoints go."""
    (folder / "revisjon").mkdir()
    return f'[[audit.targets]]\nname = "revisjonens-omrade"\nkind = "directory"\npath = "{folder}/revisjon"\n'


def _accounts(filled: Filled) -> None:
    password, factor = hash_password(PASSWORD), load_second_factor(filled.services.settings.state).lock(SECRET)
    wanted = (
        (IT, "it", "", False), (OTHER_IT, "it", "", True), (AUDITOR, "auditor", "", True), (HOST, "host", UNIT, False),
    )  # fmt: skip

    def add(session: Any, now: datetime) -> None:
        for name, role, unit, has_app in wanted:
            limits = {"unit": unit} if unit else {}
            link = accounts.add_account(session, filled.place, name, role, now, by=IT, **limits)
            second = Second(factor, 0, ()) if has_app else None
            assert accounts.redeem(session, filled.place, link.token, name, password, now, second=second) == "done", (
                name
            )
        auditor = staff.by_username(session, filled.place.owner_id, AUDITOR)
        assert auditor is not None
        assert auditor.password_hash is not None
        for number, called in enumerate(("Nøkkelen på nøkkelringen", "Nøkkelen i safen")):
            key = NewKey(bytes([number]) * 32, b"", 0, False, "usb")
            own_account.add_passkey(
                session, filled.place, auditor.id, auditor.password_hash, "localhost", key, called, now
            )

    def begin(session: Any, now: datetime) -> None:
        link = accounts.add_account(session, filled.place, "nils.vik", "it", now, by=IT)
        filled.setup_link = link.url(filled.services.settings.console)

    filled.then(filled.ago(days=29), add)
    filled.then(filled.now, begin)


def _lists(filled: Filled) -> None:
    for category, names in LISTS.items():
        path = filled.folder / f"{category}.txt"
        path.write_text(names + "".join(f"side{number}.{category}.example\n" for number in range(40)), encoding="utf-8")
        _command(filled, "lists", "import", category, str(path), "--name", f"kommunens-{category}", "--by", IT)


def _policy(filled: Filled) -> None:
    edits, place = draft_edits, filled.place
    titles = {"nb": "Gjester", "nn": "Gjester", "en": "Guests"}
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    by_day = [{"days": weekdays, "from": "08:00", "to": "16:00", "effect": "close"}]
    since, until = filled.ago(days=1), filled.now + timedelta(days=5)
    changes: tuple[tuple[float, str, str, Callable[[Any], Any]], ...] = (
        (20, IT, "Vedtak i kommunestyret, sak 26/41",
         lambda before: edits.with_cells(before, {("default", "gambling"): "closed"})),
        (19.5, IT, "Navn på gruppen", lambda before: edits.with_titles(before, "default", titles)),
        (18, IT, "Egen gruppe for kurs",
         lambda before: edits.with_group(before, "course", like="default", mark=None, title="Kurs")[0]),
        (15, OTHER_IT, "Biblioteket har fått eget nett",
         lambda before: edits.with_group(before, "library", like="default", mark=None, title="Bibliotek")[0]),
        (9, OTHER_IT, "Linjen ble for treg på dagtid",
         lambda before: edits.with_hours(before, "course", "streaming", "open", by_day)),
        (6, IT, "Kveldskurs går når IKT er hjemme",
         lambda before: edits.with_host_categories(before, ["gaming", "streaming"])),
        (4, IT, "Læringsspill som skolene bruker",
         lambda before: edits.with_top_names(
             edits.with_name(before, "default", "laerespill.example", "permit")[0], "default", on=True)),
        (1, IT, "Spillkveld på biblioteket",
         lambda before: edits.with_exemption(
             before, "library", ["gaming"], since, until, approved_by="Kari Nes", reason="Spillkveld for ungdom")[0]),
    )  # fmt: skip
    for days, by, note, edit in changes:

        def publish_it(session: Any, now: datetime, by: str = by, note: str = note, edit: Any = edit) -> None:
            def in_place(document: dict[str, Any]) -> None:
                changed = edit(document)
                document.clear()
                document.update(changed)

            generations.publish_change(session, place, in_place, by, note, now)

        filled.then(filled.ago(days=days), publish_it)

    def draft(session: Any, now: datetime) -> None:
        document = edits.with_cells(generations.draft(session, place), {("default", "piracy"): "closed"})
        generations.save_draft(session, place, document, now, IT)

    filled.then(filled.ago(hours=1), draft)


def _rules(filled: Filled) -> None:
    place, year = filled.place, filled.now.year
    longer = {
        "nb": "- Lås skjermen når du går fra den.", "nn": "- Lås skjermen når du går frå han.",
        "en": "- Lock your screen when you leave it.",
    }  # fmt: skip
    texts = {each: text.replace("\n\n---", f"\n{longer[each]}\n\n---", 1) for each, text in starter_texts().items()}

    def put(texts: Mapping[str, str], label: str, group: str) -> Callable[[Any, datetime], Any]:
        return lambda session, now: publish(
            session, place, texts, label=label, adopting_body="Kommunestyret", adopted_on=filled.ago(days=30).date(),
            case_number="26/41", binding_language="nb", next_review_on=filled.now.date() + timedelta(days=300),
            published_by=IT, now=now, group_key=group,
        )  # fmt: skip

    def draft(session: Any, now: datetime) -> None:
        begun = rules_draft.begin(texts, ("nb", "nn", "en"), f"{year}-2", binding="nb", adopting_body="Kommunestyret")
        changed = dict(begun.texts)
        changed["nb"] = changed["nb"].replace("nettsteder med risiko", "nettsteder som kan skade andre", 1)
        written = replace(begun, texts=changed, case_number="26/87")
        assert not isinstance(drafting.keep(session, place, "", written, "", OTHER_IT, now), drafting.Overtaken)

    def to_come(session: Any, now: datetime) -> None:
        written = rules_draft.Draft(short_texts(), f"bibliotek-{year}-2", "nb", "Kommunestyret", case_number="26/93")
        begins = filled.now + timedelta(days=20)
        done = drafting.publish_now(session, place, "library", written, drafting.Choice(begins), by=IT, now=now)
        filled.coming = done.version.id

    def proposal(session: Any, now: datetime) -> None:
        written = rules_draft.Draft(short_texts(), f"bibliotek-{year}-3", "nb", "Kommunestyret", case_number="26/99")
        row = drafting.keep(session, place, "library", written, "", OTHER_IT, now)
        assert not isinstance(row, drafting.Overtaken)
        account = staff.by_username(session, place.owner_id, OTHER_IT)
        assert account is not None
        made = proposing.propose(
            session, place, "library", row.edition, languages=("nb", "nn", "en"), choice=drafting.Choice(),
            by=proposing.Person(account.id, account.username), now=now,
        )  # fmt: skip
        assert isinstance(made, RulesProposal), made

    filled.then(filled.ago(hours=2.5), to_come)
    filled.then(filled.ago(hours=2), proposal)
    filled.then(filled.ago(days=19), put(texts, f"{year}-1", ""))
    filled.then(filled.ago(days=14.5), put(short_texts(), f"bibliotek-{year}-1", "library"))
    filled.then(filled.ago(hours=3), draft)


def _courses(filled: Filled) -> None:
    hour = filled.now.astimezone(MUNICIPAL_ZONE).replace(minute=0, second=0, microsecond=0)
    wanted = (
        ("Excel for alle", UNIT, -2, 5, "title"), ("Norsk for nybegynnere", UNIT, 20, 26, "code"),
        ("Førstehjelp på jobb", "HMS-avdelingen", 46, 52, "code"),
    )  # fmt: skip

    def add(session: Any, now: datetime) -> None:
        for title, unit, begins, ends, offered in wanted:
            wish = Wish(
                title, unit, hour + timedelta(hours=begins), hour + timedelta(hours=ends), "course", 60, offered
            )
            made = courses.add(session, filled.place, wish, ["default", "course"], by=HOST, now=now)
            assert isinstance(made, Course), made
            filled.course = filled.course or made.id

    filled.then(filled.ago(days=2), add)


def _guests(filled: Filled) -> None:
    place, last = filled.place, 49
    screen = Device("02:1a:2b:3c:4d:5e", UNIT, "Skjerm på møterom 2")
    online: list[Accepted] = []

    def come(number: int) -> Callable[[Any, datetime], Any]:
        def accepting(session: Any, now: datetime) -> None:
            name, organisation, kind = PEOPLE[number % len(PEOPLE)]
            version = rules.version_in_force(session, place.owner_id, now=now)
            assert version is not None
            sought = courses.Sought(course_id=filled.course) if kind == "course" and number >= 40 else None
            done = accept(
                session, place, Neighbour("lo", mac_of(number)), Applicant(name, organisation, "post@eksempel.example"),
                version_id=version.id, language=("nb", "nn", "en")[number % 3], address=f"10.77.0.{20 + number}",
                duration=timedelta(hours=10), now=now, sought=sought,
            )  # fmt: skip
            assert isinstance(done, Accepted), done
            if number >= 40:
                online.append(done)

        return accepting

    def let_in(session: Any, now: datetime) -> None:
        until = filled.now + timedelta(days=200)
        done = admit(session, place, screen, interface="lo", group_key="default", until=until, by=IT, now=now)
        assert isinstance(done, Admitted), done
        grants.record_applied(session, place.gateway_id, [done.grant_id], [], now)

    def apply(session: Any, now: datetime) -> None:
        grants.record_applied(session, place.gateway_id, [each.grant_id for each in online[:8]], [], now)
        filled.grant, filled.acceptance = online[5].grant_id, online[5].acceptance_id

    for number in range(30):
        filled.then(filled.ago(hours=24 * 14 - 10 * number), come(number))
    for number in range(40, last + 1):
        filled.then(filled.ago(minutes=120 - number), come(number))
    filled.then(filled.ago(days=3), let_in)
    filled.then(filled.ago(minutes=60), apply)
    filled.then(
        filled.ago(minutes=30), lambda session, now: access.revoke(session, place, online[-1].grant_id, IT, now)
    )
    filled.then(
        filled.ago(days=2.5),
        lambda session, now: record(
            session, place, "export", {"first": 0, "last": 9, "size": 9},
            {"staff": AUDITOR, "filter": "2026-01-01/2026-06-30", "purpose": "Halvårsrevisjon, sak 26/58"}, now,
        ),
    )  # fmt: skip


def _around(filled: Filled) -> None:
    """A device that is kept out, and services that are at work as long as pictures are taken."""
    place = filled.place
    keep = parse_period(filled.services.settings.privacy.acceptances)
    wish = blocking.Wish(mac_of(12), "Sender ut spam, sak 26/95", "Enheten din sender ut søppelpost. Få den renset.")

    def work(session: Any, now: datetime) -> None:
        for service in ("enforcer", "jobs", "portal"):
            beats.beat(session, place.gateway_id, service, now + timedelta(hours=1))

    filled.then(
        filled.ago(hours=20), lambda session, now: blocking.block(session, place, wish, keep=keep, by=OTHER_IT, now=now)
    )
    filled.then(filled.now, work)


def mac_of(number: int) -> str:
    """The address of a guest's device."""
    return f"02:00:5e:10:a3:{number:02x}"


def _requests(filled: Filled) -> None:
    place = filled.place
    asked: list[str] = []

    def ask(number: int, name: str, categories: tuple[str, ...], purpose: str) -> Callable[[Any, datetime], Any]:
        def asking(session: Any, now: datetime) -> None:
            wanted = exemption_requests.Wanted(name, categories, purpose)
            done = exemption_requests.ask(session, place, Neighbour("lo", mac_of(number)), wanted, now)
            assert isinstance(done, exemption_requests.Asked), done
            asked.append(done.request_id)
            if number < 44:  # of a course
                filled.course_request = done.request_id
            else:
                filled.request = done.request_id

        return asking

    def ask_host(session: Any, now: datetime) -> None:
        version = rules.version_in_force(session, place.owner_id, now=now)
        assert version is not None
        done = host_requests.ask(
            session, place, Neighbour("lo", mac_of(112)), Applicant("Tone Rud", "Kommunearkivet", ""),
            host_requests.Host("servicetorget@fjellbygda.example.no", "Servicetorget"), version_id=version.id,
            language="nb", address="10.77.0.99", wait=timedelta(hours=2), now=now,
        )  # fmt: skip
        assert isinstance(done, host_requests.Asked), done
        settings = filled.services.settings
        filled.host_link = host_link(settings, host_key(settings), done.request_id)

    filled.then(filled.ago(minutes=50), ask(47, "lykkehjul.example", ("gambling",), "Trekning av premier på årsmøtet"))
    filled.then(
        filled.ago(minutes=40),
        lambda session, now: exemption_requests.decline(
            session, place, asked[0], IT, "Pengespill åpnes ikke på gjestenettet.", now
        ),
    )
    filled.then(
        filled.ago(minutes=25),
        ask(41, "kortspill.example", ("gaming",), "Vi øver på regneark med et kortspill"),
    )
    filled.then(
        filled.ago(minutes=20),
        ask(46, "store.spillborg.example", ("gaming",), "Vi skal vise elevene hvordan en nettbutikk virker"),
    )
    filled.then(
        filled.ago(minutes=10), ask(45, "brettspill.example", ("gaming",), "Kurset handler om spill i undervisningen")
    )
    filled.then(filled.now, ask_host)


def _lookups(filled: Filled) -> None:
    owner, gateway = filled.place.owner_id, filled.place.gateway_id
    hour = dns_counters.hour_of(filled.now)
    answers: dict[Any, int] = {}
    for back in range(24):
        when = hour - timedelta(hours=back)
        busy = 12 if 7 <= when.hour <= 15 else 1
        for group, outcome, category, count in (
            ("default", "answered", "", 140), ("course", "answered", "", 60), ("default", "refused", "gaming", 6),
            ("default", "refused", "dating", 1), ("course", "refused", "gambling", 2),
            ("_not_accepted", "answered", "", 9),
        ):  # fmt: skip
            answers[when, group, outcome, category] = count * busy
    names = {
        (hour, "default", "judged", "gaming", "spillhula.example"): 14,
        (hour, "default", "judged", "gambling", "storgevinst.example"): 9,
        (hour, "default", "refused", "gaming", "brettspill.example"): 31,
    }

    def count_them(session: Any, now: datetime) -> None:
        dns_counters.add_answers(session, owner, gateway, answers)
        dns_counters.add_names(session, owner, gateway, names)

    filled.then(filled.now, count_them)


def _command(filled: Filled, *arguments: str) -> None:
    config = filled.folder / "gjestenett.toml"
    state = filled.services.settings.state
    subprocess.run(
        [sys.executable, "-m", "gateway.cli", "--config", str(config), "--state", str(state), *arguments],
        check=True, timeout=120,
    )  # fmt: skip
