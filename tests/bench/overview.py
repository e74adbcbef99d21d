"""What the console's first page asks, at a million acceptances and as many grants, on both databases.

The rows are made by the database itself, three minutes apart; 400 days of hourly DNS counters of 20 categories stand
beside them. `all in 30 days`: every row stands in the chart, as no municipality would have it; the console counts a day
that is over once. Each figure is the best of five. `python -m tests.bench overview ROWS` takes fewer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from captive_portal.console.lookups import REFUSED
from captive_portal.console.overview.accepted import AcceptedDays
from captive_portal.console.overview.series import bounds_of
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import dns_counters, overview, schema
from gateway.storage.dns_models import DnsAnswers
from gateway.storage.engine import Database, Session, open_database
from gateway.storage.models import Device, RulesVersion, Visitor
from gateway.storage.places import Place, add_place, network_on
from tests.bench import databases

ROWS = 1_000_000
ONLINE = 500
KEPT_DAYS = 400
CATEGORIES = [f"category{number}" for number in range(20)]
START = datetime(2020, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=3)
TARGET_MS = 200

_ROWS = {
    True: "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {rows})",
    False: "WITH n AS (SELECT generate_series(0, {rows} - 1) AS n)",
}
_KEY = {True: "printf('%032x', n)", False: "lpad(to_hex(n), 32, '0')"}
_AT = {
    True: "strftime('%Y-%m-%d %H:%M:%f000', '2020-01-01', (n * 180 + {s}) || ' seconds')",
    False: "timestamptz '2020-01-01 00:00+00' + (n * 180 + {s}) * interval '1 second'",
}
_ACCEPTANCES = """INSERT INTO acceptance (id, owner_id, site_id, visitor_id, device_id, rules_version_id, language,
 text_sha256, identified_by, accepted_at, receipt_code, leaf_id)
 {n} SELECT {key}, '{owner}', '{site}', '{visitor}', '{device}', '{version}', 'nb', 'a', 'self_declared', {at}, {key},
 {key} FROM n"""
_GRANTS = """INSERT INTO access_grant (id, network_id, device_id, acceptance_id, group_key, mark, starts_at, ends_at)
 {n} SELECT {key}, '{network}', '{device}', {key}, CASE n % 3 WHEN 0 THEN 'course' ELSE 'default' END, 1, {at}, {ends}
 FROM n"""


def main(arguments: tuple[str, ...] | list[str] = ()) -> int:
    """Print a table a database; 1 when what the page asks takes longer than `TARGET_MS` together."""
    rows = int(arguments[0]) if arguments else ROWS
    slowest = databases.on_both("overview", lambda database, url: _measured(database, url, rows))
    return 1 if slowest > TARGET_MS else 0


def _measured(name: str, url: str, rows: int) -> float:
    database = open_database(url)
    schema.upgrade(database)
    began = time.perf_counter()
    place = _fill(database, rows)
    print(f"{name}: {rows:,} acceptances made in {time.perf_counter() - began:.0f} s", flush=True)
    now = START + STEP * rows
    together = 0.0
    for question, ask in _questions(place, now, rows).items():
        best = min(_timed(database, ask) for _ in range(5))
        together += 0.0 if question.startswith("(") else best
        print(f"  {question:56} {best:8.1f} ms", flush=True)
    print(f"  {'what the page asks, together':56} {together:8.1f} ms", flush=True)
    database.close()
    return together


def _timed(database: Database, ask: Callable[[Session], object]) -> float:
    with database.read() as session:
        began = time.perf_counter()
        ask(session)
        return (time.perf_counter() - began) * 1000


def _questions(place: Place, now: datetime, rows: int) -> dict[str, Callable[[Session], Any]]:
    owner, days, hours = place.owner_id, bounds_of("day", now, MUNICIPAL_ZONE), bounds_of("hour", now, MUNICIPAL_ZONE)
    whole, counted = [START + STEP * (rows * part // 30) for part in range(31)], AcceptedDays()
    return {
        "who is online": lambda session: overview.online(session, owner, now),
        "who is held up": lambda session: overview.held_up(session, place.gateway_id, now, now),
        "acceptances of each of 30 days": lambda session: overview.acceptances_between(session, owner, days),
        "(the same, all in 30 days, counted for the first time)": lambda session: AcceptedDays().count(
            session, owner, whole, now
        ),
        "the same, all in 30 days, and then again": lambda session: counted.count(session, owner, whole, now),
        "(look-ups refused, 24 hours)": lambda session: dns_counters.answers_in_periods(session, owner, REFUSED, hours),
        "look-ups refused, 30 days": lambda session: dns_counters.answers_in_periods(session, owner, REFUSED, days),
        "what waits to be sealed": lambda session: overview.oldest_staged(session, owner),
    }


def _fill(database: Database, rows: int) -> Place:
    with database.write() as session:
        place = add_place(
            session, owner_key="k", owner_name="K", log_origin="x.test/l", site_key="s1", gateway_key="g",
            interfaces=["lo"], now=START,
        )  # fmt: skip
        owner_id = place.owner_id
        version = RulesVersion(
            owner_id=owner_id, label="1", binding_language="nb", published_at=START, texts=[]
        )  # fmt: skip
        visitor = Visitor(owner_id=owner_id, name="Kari", name_key="kari", created_at=START)
        device = Device(
            owner_id=owner_id, mac="02:00:00:00:00:01", mac_tail="1", first_seen_at=START, last_seen_at=START
        )
        session.add_all([version, visitor, device])
        session.flush()
        network = network_on(session, place.gateway_id, "lo")
        assert network is not None
        keys = {
            "owner": owner_id, "site": place.site_id, "version": version.id, "visitor": visitor.id, "device": device.id,
            "network": network.id,
        }  # fmt: skip
    lite = database.is_sqlite
    open_s = ONLINE * int(STEP.total_seconds())
    at, ends = _AT[lite].format(s=0), _AT[lite].format(s=open_s)
    values = {"n": _ROWS[lite].format(rows=rows), "key": _KEY[lite], "at": at, "ends": ends, **keys}
    with database.engine.execution_options(writes=True).begin() as connection:
        for statement in (_ACCEPTANCES, _GRANTS):
            made = statement.format(**values)
            connection.exec_driver_sql(made if lite else made.replace("%", "%%"))
        hour = (START + STEP * rows).replace(minute=0, second=0, microsecond=0)
        every = {"owner_id": owner_id, "gateway_id": place.gateway_id, "group_key": "default", "outcome": "refused"}
        for day in range(KEPT_DAYS):
            counted = [
                {**every, "hour": hour - timedelta(days=day, hours=back), "category": category, "answers": 1 + back}
                for back in range(24)
                for category in CATEGORIES
            ]
            connection.execute(insert(DnsAnswers), counted)
    if not lite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return place
