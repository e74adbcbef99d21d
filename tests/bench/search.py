"""Searching acceptances and the log by every question that the console asks, at a million rows, on both databases.

Names are made of few parts, so that fragments are common, rare or missing; a site in a hundred and one in ten thousand;
four versions one after the other in time. Each figure is the slowest of the first page and one in the middle, best of
three. `python -m tests.bench search ROWS` takes fewer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, text

from gateway.storage import schema
from gateway.storage.engine import Database, open_database
from gateway.storage.headings import LeafQuery, find_leaves
from gateway.storage.log_models import Disclosure, Leaf, LeafHeading
from gateway.storage.models import Acceptance, Device, RulesVersion, Site, Visitor, fold, mac_tail
from gateway.storage.places import Place, add_place
from gateway.storage.search import AcceptanceQuery, search_acceptances
from tests.bench import databases

ROWS = 1_000_000
BATCH = 20_000
START = datetime(2020, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=3)
FIRST = [
    "Anne",
    "Kari",
    "Ola",
    "Per",
    "Ingrid",
    "Åse",
    "Bjørn",
    "Nils",
    "Sigrid",
    "Mohammed",
    "Jan",
    "Liv",
    "Tor",
    "Eva",
    "Marit",
    "Bo",
]
LAST = [
    "Nordmann",
    "Hansen",
    "Berg",
    "Kvalvågnes",
    "Olsen",
    "Haugen",
    "Lie",
    "Dahl",
    "Solberg",
    "Moen",
    "Andersen",
    "Bakke",
    "Lund",
    "Strand",
]
TARGET_MS = 200
Measure = Callable[[Database, int, Place, list[str], list[str], str], float]


def main(arguments: tuple[str, ...] | list[str] = ()) -> int:
    """Print a table a database; 1 when a question takes longer than `TARGET_MS`."""
    return on_both(int(arguments[0]) if arguments else ROWS, _measured)


def on_both(rows: int, measure: Measure) -> int:
    """Fill both databases, measure each, and return 1 when something takes longer than `TARGET_MS`."""
    slowest = databases.on_both("search", lambda database, url: _filled(database, url, rows, measure))
    return 1 if slowest > TARGET_MS else 0


def _filled(name: str, url: str, rows: int, measure: Measure) -> float:
    database = open_database(url)
    schema.upgrade(database)
    began = time.perf_counter()
    place, sites, versions, mac = _fill(database, rows)
    print(f"{name}: {rows:,} acceptances made in {time.perf_counter() - began:.0f} s", flush=True)
    slowest = measure(database, rows, place, sites, versions, mac)
    database.close()
    return slowest


def _measured(database: Database, rows: int, place: Place, sites: list[str], versions: list[str], mac: str) -> float:
    middle = START + STEP * (rows // 2)
    slowest = 0.0
    for question, ask in _questions(place, sites, versions, mac, rows).items():
        took = []
        for before in (None, (middle, "0" * 32)):
            best = min(_timed(database, ask, before) for _ in range(3))
            took.append(best)
        slowest = max(slowest, *took)
        print(f"  {question:44} {took[0]:8.1f} ms  {took[1]:8.1f} ms", flush=True)
    return slowest


def _timed(database: Database, ask: Callable[[Any, Any], object], before: object) -> float:
    with database.read() as session:
        began = time.perf_counter()
        ask(session, before)
        return (time.perf_counter() - began) * 1000


def _questions(
    place: Place, sites: list[str], versions: list[str], mac: str, rows: int
) -> Mapping[str, Callable[[Any, Any], object]]:
    def acceptances(query: AcceptanceQuery) -> Callable[[Any, Any], object]:
        return lambda session, before: search_acceptances(session, place.owner_id, query, before=before, limit=51)

    def log(query: LeafQuery) -> Callable[[Any, Any], object]:
        return lambda session, before: find_leaves(
            session, place.owner_id, query, before=before and (before[0], 0), limit=51
        )

    year = START + STEP * (rows // 4), START + STEP * (rows // 3)
    return {
        "everything": acceptances(AcceptanceQuery()),
        "a period": acceptances(AcceptanceQuery(*year)),
        "the oldest version": acceptances(AcceptanceQuery(version_id=versions[0])),
        "a site of one in 10,000": acceptances(AcceptanceQuery(site_ids=(sites[2],))),
        "a rare site under the newest version": acceptances(
            AcceptanceQuery(site_ids=(sites[2],), version_id=versions[3])
        ),
        "all sites by name": acceptances(AcceptanceQuery(site_ids=tuple(sites))),
        "a name that is common (nordm)": acceptances(AcceptanceQuery(name="nordm")),
        "a name that is rare (bergabc)": acceptances(AcceptanceQuery(name="bergabc")),
        "a name that is fairly rare (bo lundk)": acceptances(AcceptanceQuery(name="bo lundk")),
        "a name that nobody has (qqzzx)": acceptances(AcceptanceQuery(name="qqzzx")),
        "common pieces that nobody has (anne perb)": acceptances(AcceptanceQuery(name="anne perb")),
        "a rare name at a rare site": acceptances(AcceptanceQuery(name="bergabc", site_ids=(sites[2],))),
        "a device by its last four digits": acceptances(AcceptanceQuery(mac=mac[-5:])),
        "a course": acceptances(AcceptanceQuery(course="KURS-3")),
        "a receipt": acceptances(AcceptanceQuery(receipt=f"{rows // 2:016}")),
        "the log": log(LeafQuery()),
        "the log, a rare type": log(LeafQuery(("export",))),
        "the log, a common type in a period": log(LeafQuery(("acceptance",), *year)),
    }


def _fill(database: Database, rows: int) -> tuple[Place, list[str], list[str], str]:
    with database.write() as session:
        place = add_place(
            session, owner_key="k", owner_name="K", log_origin="x.test/l", site_key="s1", gateway_key="g",
            interfaces=["lo"], now=START,
        )  # fmt: skip
        others = [Site(owner_id=place.owner_id, key=key) for key in ("s2", "s3")]
        versions = [
            RulesVersion(
                owner_id=place.owner_id, label=str(number), binding_language="nb", published_at=START + STEP * number,
                texts=[],
            )
            for number in range(4)
        ]  # fmt: skip
        session.add_all([*others, *versions])
        session.flush()
        sites, version_ids = [place.site_id, *(site.id for site in others)], [version.id for version in versions]
    mac = ""
    with database.engine.execution_options(writes=True).begin() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-400000")
        for batch in _batches(place, sites, version_ids, rows):
            mac = batch[Device][-1]["mac"]
            _insert(connection, batch)
        if not database.is_sqlite:
            connection.execute(text("ANALYZE"))
    return place, sites, version_ids, mac


def _rarity(number: int) -> int:
    return 2 if number % 10_000 == 0 else int(number % 100 == 0)


def _insert(connection: Connection, batch: Mapping[Any, list[dict[str, Any]]]) -> None:
    for model, found in batch.items():
        connection.execute(insert(model), found)


def _batches(
    place: Place, sites: list[str], versions: list[str], rows: int
) -> Iterator[dict[Any, list[dict[str, Any]]]]:
    chance = random.Random(1)
    for first in range(0, rows, BATCH):
        made: dict[Any, list[dict[str, Any]]] = {
            model: [] for model in (Visitor, Device, Acceptance, Disclosure, LeafHeading, Leaf)
        }
        for number in range(first, min(rows, first + BATCH)):
            at, owner_id = START + STEP * number, place.owner_id
            tail = "".join(chance.choices("abcdefghijklmnopqrst", k=3))
            name = f"{chance.choice(FIRST)} {chance.choice(LAST)}{tail}"
            key = f"{chance.getrandbits(128):032x}"
            mac = f"{number:012x}" if number < 256 else f"{chance.getrandbits(48):012x}"
            mac = ":".join(mac[start : start + 2] for start in range(0, 12, 2))
            made[Visitor].append(
                {"id": key, "owner_id": owner_id, "name": name, "name_key": fold(name), "created_at": at}
            )
            made[Device].append(
                {"id": key, "owner_id": owner_id, "mac": mac, "mac_tail": mac_tail(mac), "first_seen_at": at,
                 "last_seen_at": at}
            )  # fmt: skip
            made[Acceptance].append(
                {
                    "id": key, "owner_id": owner_id, "site_id": sites[_rarity(number)],
                    "visitor_id": key, "device_id": key, "rules_version_id": versions[number * 4 // rows],
                    "language": "nb", "text_sha256": "a" * 64, "identified_by": "self_declared", "accepted_at": at,
                    "receipt_code": f"{number:016}", "leaf_id": key,
                }
            )  # fmt: skip
            if number % 50 == 0:
                made[Disclosure].append(
                    {"leaf_id": key, "name": "course_code", "salt": "s", "value": f"kurs-{number // 2500}"}
                )
            kind = "export" if number % 50_000 == 7 else "acceptance"
            made[LeafHeading].append({"owner_id": owner_id, "leaf_index": number, "type": kind, "at": at, "site": "s1"})
            made[Leaf].append({"owner_id": owner_id, "leaf_index": number, "leaf_id": key, "entry": b"{}"})
        yield made
