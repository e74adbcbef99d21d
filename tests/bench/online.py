"""The list of devices online at a million grants of history and ten thousand open, on both databases.

Each figure is a whole page as the console asks it: everybody that the question means, sorted, and fifty in full; best
of three. `python -m tests.bench online ROWS OPEN` takes fewer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import insert, text

from captive_portal.console.devices import question
from captive_portal.console.devices.question import PAGE_SIZE, Question
from captive_portal.console.visit import Visit
from gateway.storage import console_queries, online, schema, traffic
from gateway.storage.control_models import GrantTraffic
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, Session, open_database
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

ROWS, OPEN = 1_000_000, 10_000
BATCH = 20_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TARGET_MS = 200


def main(arguments: tuple[str, ...] | list[str] = ()) -> int:
    """Print a table a database; 1 when a page takes longer than `TARGET_MS`."""
    rows, opened = (int(given) for given in (*arguments, *(str(ROWS), str(OPEN))[len(arguments) :])[:2])
    slowest = databases.on_both("online", lambda database, url: _measured(database, url, rows, opened))
    return 1 if slowest > TARGET_MS else 0


def _measured(name: str, url: str, rows: int, opened: int) -> float:
    database = open_database(url)
    schema.upgrade(database)
    began = time.perf_counter()
    place, course_id = _fill(database, rows, opened)
    print(f"{name}: {rows:,} grants, {opened:,} open, made in {time.perf_counter() - began:.0f} s", flush=True)
    slowest = 0.0
    for asked, ask in _questions(place, course_id).items():
        took = [_timed(database, ask) for _ in range(3)]
        processor = min(used for _, used in took)
        best = min(by_clock for by_clock, _ in took)
        slowest = max(slowest, best)
        print(f"  {asked:44} {best:8.1f} ms by the clock, {processor:8.1f} of our processor time", flush=True)
    database.close()
    return slowest


def _timed(database: Database, ask: Callable[[Session], object]) -> tuple[float, float]:
    with database.read() as session:
        began, used = time.perf_counter(), time.process_time()
        ask(session)
        return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def _questions(place: Place, course_id: str) -> Mapping[str, Callable[[Session], object]]:
    def page(
        find: str = "", sort: str = "since", number: int = 1, *, turned: bool = False, **filters: str
    ) -> Callable[[Session], object]:
        asked = Question(find=find, sort=sort, page=number, turned=turned, **filters)

        def ask(session: Session) -> object:
            visit = cast(Visit, SimpleNamespace(session=session, services=SimpleNamespace(place=place), now=NOW))
            found = question.found(visit, asked, (asked.page - 1) * PAGE_SIZE)
            grants = online.whole(session, found.ids)
            assert grants or find in ("qqzzx", "ab:cd")
            console_queries.applied_among(session, found.ids)
            traffic.of_grants(session, found.ids)
            online.count(session, place.owner_id, NOW)
            online.courses(session, place.owner_id, NOW)
            return grants

        return ask

    return {
        "the newest": page(),
        "by name": page(sort="name"),
        "by name, the last page": page(sort="name", number=150),
        "by traffic": page(sort="traffic"),
        "by end, turned": page(sort="until", turned=True),
        "a course": page(course=course_id),
        "a group": page(group="course"),
        "waiting for the gateway": page(state="waiting"),
        "let through, by name": page(state="through", sort="name"),
        "a common name (nordm)": page(find="nordm", sort="name"),
        "a common name, the newest": page(find="nordm"),
        "a name that nobody has (qqzzx)": page(find="qqzzx"),
        "the end of an address": page(find="ab:cd"),
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
        course = Course(
            owner_id=place.owner_id, title="Excel", unit="Nybø skule", code="fjell-hav-sol",
            code_key="fjell hav sol",
            site_id=place.site_id,
            offered="code", starts_at=NOW, ends_at=NOW,
            group_key="course", max_devices=500, created_at=NOW, created_by="it",
        )  # fmt: skip
        session.add_all([version, course])
        session.flush()
        networks = [network.id for network in session.query(Network)]
        known = (version.id, course.id)
    with database.engine.execution_options(writes=True).begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-400000")
        for batch in _batches(place, networks, *known, rows, opened):
            for model, found in batch.items():
                if found:
                    connection.execute(insert(model), found)
        if not database.is_sqlite:
            connection.execute(text("ANALYZE"))
    return place, known[1]


def _batches(
    place: Place, networks: list[str], version_id: str, course_id: str, rows: int, opened: int
) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    chance, owner_id = random.Random(1), place.owner_id
    for first in range(0, rows, BATCH):
        made: dict[Any, list[dict[str, Any]]] = {
            model: [] for model in (Visitor, Device, Acceptance, Grant, AppliedGrant, GrantTraffic)
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
            made[Grant].append(
                {"id": key, "network_id": networks[number % 2], "device_id": key, "acceptance_id": key,
                 "course_id": course_id if number % 5 == 0 else None,
                 "group_key": "course" if number % 5 == 0 else "default", "mark": 1, "starts_at": at,
                 "ends_at": ends_at, "revoked_at": revoked_at}
            )  # fmt: skip
            if is_open and number % 10:
                made[AppliedGrant].append({"gateway_id": place.gateway_id, "grant_id": key, "applied_at": at})
                made[GrantTraffic].append(
                    {"grant_id": key, "sent": number, "received": chance.getrandbits(33), "counted_at": NOW}
                )
        yield made
