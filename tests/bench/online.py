"""The list of devices online at a million grants, of which twenty thousand are open, on both databases.

Each figure is a page as the console asks it: who is on it, and all that is shown of them, in milliseconds by the clock
and, after the stroke, of processor time. Every filter in every order, both ways round: the first page and the
thirty-first or the middle one, the slower, each the best of three. The last page is the first the other way round.
`python -m tests.bench online ROWS OPEN` takes others.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from sqlalchemy import insert, text

from captive_portal.console.devices import ending, question
from captive_portal.console.devices.online import COUNTED
from captive_portal.console.devices.question import TABLE, Question
from captive_portal.console.visit import Visit
from gateway.storage import console_queries, online, schema, traffic
from gateway.storage.control_models import GrantTraffic
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, Session, open_database
from gateway.storage.keyset import Cut
from gateway.storage.keyset import Place as KeysetPlace
from gateway.storage.log_models import Disclosure
from gateway.storage.models import (
    Acceptance,
    AppliedGrant,
    Device,
    Grant,
    Network,
    RulesVersion,
    Visitor,
    fold,
    mac_tail,
)
from gateway.storage.places import Place, add_place
from tests.bench import databases
from tests.bench.search import FIRST, LAST

ROWS, OPEN = 1_000_000, 20_000
COURSES = 40
BATCH = 20_000
THIRTY_PAGES = 1_500
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TARGET_MS = 200
Ask = Callable[[Visit, Question, Cut], object]


class Took(NamedTuple):
    """Milliseconds."""

    by_clock: float
    of_processor: float

    def __str__(self) -> str:
        return f"{self.by_clock:.0f}/{self.of_processor:.0f}"


def main(arguments: tuple[str, ...] | list[str] = ()) -> int:
    """Print a table a database; 1 when a page takes longer than `TARGET_MS`."""
    rows, opened = (int(given) for given in (*arguments, *(str(ROWS), str(OPEN))[len(arguments) :])[:2])
    slowest = databases.on_both("online", lambda database, url: _filled(database, url, rows, opened))
    return 1 if slowest > TARGET_MS else 0


def _filled(name: str, url: str, rows: int, opened: int) -> float:
    database = open_database(url)
    schema.upgrade(database)
    began = time.perf_counter()
    place, course_id = _fill(database, rows, opened)
    print(f"{name}: {rows:,} grants, {opened:,} open, made in {time.perf_counter() - began:.0f} s", flush=True)
    slowest = measure(database, place, course_id)
    database.close()
    return slowest


def measure(database: Database, place: Place, course_id: str) -> float:
    """Ask everything, print it, and return the slowest in ms."""
    slowest = 0.0
    for asked, filters in _questions(course_id).items():
        took = []
        for column in TABLE.columns:
            for descending in (True, False):
                worst = Took(0, 0)
                for where in _places(database, place, Question(**filters), column.key, descending):
                    cut = Cut(column.key, descending, TABLE.size, where)
                    worst = max(worst, min(_timed(database, _page, place, Question(**filters), cut) for _ in range(3)))
                took.append(worst)
        slowest = max(slowest, *(each.by_clock for each in took))
        print(f"  {asked:32}" + "".join(f"{each!s:>9}" for each in took) + " ms", flush=True)
    for name, of_page in {"how many, and the courses": _beside, "ending all: who is meant": _meant}.items():
        best = min(_timed(database, of_page, place, Question(find="nordm"), Cut("", True, 1)) for _ in range(3))
        slowest = max(slowest, best.by_clock)
        print(f"  {name:32}{best!s:>9} ms", flush=True)
    return slowest


def _timed(database: Database, ask: Ask, place: Place, asked: Question, cut: Cut) -> Took:
    with database.read() as session:
        backend = databases.backend_of(session)
        began, spent = time.perf_counter(), databases.processor_s(backend)
        ask(_visit(session, place), asked, cut)
        return Took((time.perf_counter() - began) * 1000, (databases.processor_s(backend) - spent) * 1000)


def _visit(session: Session, place: Place) -> Visit:
    return cast(Visit, SimpleNamespace(session=session, services=SimpleNamespace(place=place), now=NOW))


def _page(visit: Visit, asked: Question, cut: Cut) -> Sequence[Grant]:
    """A page as the console asks it, without what stands beside its table."""
    ids = question.found(visit, asked, cut).rows
    console_queries.applied_among(visit.session, ids)
    traffic.of_grants(visit.session, ids)
    return online.whole(visit.session, ids)


def _beside(visit: Visit, _asked: Question, _cut: Cut) -> None:
    online.count(visit.session, visit.services.place.owner_id, NOW, most=COUNTED + 1)
    online.courses(visit.session, visit.services.place.owner_id, NOW)


def _meant(visit: Visit, asked: Question, _cut: Cut) -> None:
    question.found(visit, asked, ending.OLDEST_FIRST)


def _places(database: Database, place: Place, asked: Question, by: str, descending: bool) -> list[KeysetPlace | None]:
    """Nowhere, and a row in the midst of the table or, where a walk there would be long, thirty pages on. Not the last:
    behind it is nothing, and the first page would be found as well.
    """
    found: list[KeysetPlace | None] = [None]
    with database.read() as session:
        visit = _visit(session, place)
        ids = question.found(visit, asked, Cut(by, descending, THIRTY_PAGES)).rows
        if ids:
            [grant] = online.whole(session, [ids[-1] if len(ids) == THIRTY_PAGES else ids[len(ids) // 2]])
            found.append(question.place_of(grant, by, traffic.of_grants(session, [grant.id])))
    return found


def _questions(course_id: str) -> Mapping[str, Mapping[str, str]]:
    return {
        "all": {},
        "a course": {"course": course_id},
        "a group": {"group": "course"},
        "a rare group": {"group": "library"},
        "a network": {"network": "lo"},
        "accepted": {"kind": "accepted"},
        "admitted": {"kind": "admitted"},
        "waiting for the gateway": {"state": "waiting"},
        "let through": {"state": "through"},
        "a common name (nordm)": {"find": "nordm"},
        "a rare name (o nordmannab)": {"find": "o nordmannab"},
        "a name that nobody has (qqzzx)": {"find": "qqzzx"},
        "the end of an address": {"find": "ab:cd"},
        "a course by its name": {"find": "excel 7"},
    }


def _fill(database: Database, rows: int, opened: int) -> tuple[Place, str]:
    with database.write() as session:
        place = add_place(
            session, owner_key="k", owner_name="K", log_origin="x.test/l", site_key="s1", gateway_key="g",
            interfaces=["lo", "guest1"], now=NOW,
        )  # fmt: skip
        version = RulesVersion(
            owner_id=place.owner_id, label="1", binding_language="nb", published_at=NOW, texts=[]
        )  # fmt: skip
        courses = [
            Course(
                owner_id=place.owner_id, title=f"Excel {number}", unit=f"Nybø skule {number % 9}",
                code=f"fjell-hav-sol-{number}", code_key=f"fjell hav sol {number}", site_id=place.site_id,
                offered="code", starts_at=NOW - timedelta(days=12), ends_at=NOW + timedelta(days=1),
                group_key="course", max_devices=500, created_at=NOW, created_by="it",
            )
            for number in range(COURSES)
        ]  # fmt: skip
        session.add_all([version, *courses])
        session.flush()
        networks = [network.id for network in session.query(Network)]
        known = (version.id, [course.id for course in courses])
    with database.engine.execution_options(writes=True).begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-400000")
        for batch in _batches(place, networks, *known, rows, opened):
            for model, found in batch.items():
                if found:
                    connection.execute(insert(model), found)
        if not database.is_sqlite:
            connection.execute(text("ANALYZE"))
    return place, known[1][0]


def _batches(
    place: Place, networks: list[str], version_id: str, courses: list[str], rows: int, opened: int
) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    chance, owner_id = random.Random(1), place.owner_id
    for first in range(0, rows, BATCH):
        made: dict[Any, list[dict[str, Any]]] = {
            model: [] for model in (Visitor, Device, Acceptance, Disclosure, Grant, AppliedGrant, GrantTraffic)
        }
        for number in range(first, min(rows, first + BATCH)):
            is_open = number >= rows - opened
            at = NOW - timedelta(seconds=rows - number) if is_open else NOW - timedelta(minutes=rows - number)
            ends_at = NOW + timedelta(seconds=60 + number % 36_000) if is_open else at + timedelta(hours=10)
            revoked_at = None if is_open or number % 7 else at + timedelta(hours=1)
            if not is_open and revoked_at is None:
                ends_at = min(ends_at, NOW)
            key = f"{chance.getrandbits(128):032x}"
            name = f"{chance.choice(FIRST)} {chance.choice(LAST)}{''.join(chance.choices('abcdefgh', k=2))}"
            mac = f"{chance.getrandbits(48):012x}"
            mac = ":".join(mac[start : start + 2] for start in range(0, 12, 2))
            made[Visitor].append(
                {"id": key, "owner_id": owner_id, "name": name, "name_key": fold(name), "organisation": "Kurs AS",
                 "created_at": at}
            )  # fmt: skip
            made[Device].append(
                {"id": key, "owner_id": owner_id, "mac": mac, "mac_tail": mac_tail(mac), "first_seen_at": at,
                 "last_seen_at": at}
            )  # fmt: skip
            made[Acceptance].append(
                {"id": key, "owner_id": owner_id, "site_id": place.site_id, "visitor_id": key, "device_id": key,
                 "rules_version_id": version_id, "language": "nb", "text_sha256": "a" * 64,
                 "identified_by": "self_declared", "accepted_at": at, "receipt_code": f"{number:016}", "leaf_id": key}
            )  # fmt: skip
            is_admitted = number % 1_000 == 999
            if is_admitted:
                made[Disclosure].append({"leaf_id": key, "name": "unit", "salt": "s", "value": f"Room {number}"})
            course = courses[number // 5 % len(courses)] if number % 5 == 0 and not is_admitted else None
            group = "course" if course else "library" if number % 2_000 == 1 else "default"
            made[Grant].append(
                {"id": key, "network_id": networks[number % 2], "device_id": key,
                 "acceptance_id": None if is_admitted else key, "admission_leaf_id": key if is_admitted else None,
                 "course_id": course, "group_key": group, "mark": 1, "starts_at": at, "ends_at": ends_at,
                 "revoked_at": revoked_at}
            )  # fmt: skip
            if is_open and number % 10:
                made[AppliedGrant].append({"gateway_id": place.gateway_id, "grant_id": key, "applied_at": at})
                made[GrantTraffic].append(
                    {"grant_id": key, "sent": number, "received": chance.getrandbits(33), "counted_at": NOW}
                )
        yield made
