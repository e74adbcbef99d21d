"""Every table of the console that is in the database, at a million rows each, on both databases.

Each order in both directions, each filter, the first page, one in the middle and the last one (which is the first one
the other way round); the figure is the slowest of them, each the best of three. `python -m tests.bench tables ROWS`
takes fewer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from gateway.storage import checkpoints, courses, dns_counters, exemption_requests, generations, lists, rules, staff
from gateway.storage.engine import Database, Session
from gateway.storage.headings import LeafQuery, page_of_leaves
from gateway.storage.keyset import Cut
from gateway.storage.places import Place
from gateway.storage.search import AcceptanceQuery, page_of_acceptances
from tests.bench.search import ROWS, START, STEP, on_both

GUEST = "guest"
STAFF = 1_000
UNITS = 40
Ask = Callable[[Session, Cut], object]


@dataclass(frozen=True)
class Question:
    """A table with a filter, in an order; `middle` is a place in the midst of it."""

    by: str
    ask: Ask
    middle: tuple[Any, Any]


def main(arguments: tuple[str, ...] | list[str] = ()) -> int:
    """Print a table a database; 1 when a page takes longer than wanted."""
    return on_both(int(arguments[0]) if arguments else ROWS, measure)


def measure(database: Database, rows: int, place: Place, sites: list[str], versions: list[str], mac: str) -> float:
    """Fill the other tables, ask everything, and return the slowest in ms."""
    began = time.perf_counter()
    with database.engine.execution_options(writes=True).begin() as connection:
        if not connection.execute(text("SELECT count(*) FROM checkpoint")).scalar():
            _fill(connection, place, rows, is_sqlite=database.is_sqlite)
    print(f"  the other tables: {time.perf_counter() - began:.0f} s", flush=True)
    slowest = 0.0
    for name, question in _questions(place, rows, sites, versions, mac).items():
        worst = 0.0
        for descending in (True, False):
            for where in (None, question.middle):
                cut = Cut(question.by, descending, 50, where)
                worst = max(worst, min(_timed(database, question.ask, cut) for _ in range(3)))
        slowest = max(slowest, worst)
        print(f"  {name:64} {worst:8.1f} ms", flush=True)
    return slowest


def _timed(database: Database, ask: Ask, cut: Cut) -> float:
    with database.read() as session:
        began = time.perf_counter()
        ask(session, cut)
        return (time.perf_counter() - began) * 1000


def _questions(place: Place, rows: int, sites: list[str], versions: list[str], mac: str) -> Mapping[str, Question]:
    owner, half = place.owner_id, START + STEP * (rows // 2)
    year, now = (START + STEP * (rows // 4), START + STEP * (rows // 3)), START + STEP * rows

    def with_cut(function: Callable[..., object], *between: object) -> Ask:
        return lambda session, cut: function(session, owner, *between, cut)

    def accepted(by: str, **asked: Any) -> Question:
        ask = partial(_accepted, owner, AcceptanceQuery(**asked))
        return Question(by, ask, (half, "0" * 32) if by == "at" else (None, "middle"))

    def log(by: str, *asked: Any) -> Question:
        place = (half, 0) if by == "at" else (rows // 2, rows // 2)
        return Question(by, with_cut(page_of_leaves, LeafQuery(*asked)), place)

    narrowed: dict[str, dict[str, Any]] = {
        "": {},
        "a period": {"since": year[0], "until": year[1]},
        "everything, as a period": {"since": START, "until": now},
        "the oldest version": {"version_id": versions[0]},
        "a site of one in 100": {"site_ids": (sites[1],)},
        "a site of one in 10,000": {"site_ids": (sites[2],)},
        "all sites": {"site_ids": tuple(sites)},
        "a rare name": {"name": "bergabc"},
        "a fairly rare name": {"name": "bo lundk"},
        "a device": {"mac": mac[-5:]},
        "a course": {"course": "KURS-3"},
        "a receipt": {"receipt": f"{rows // 2:016}"},
    }
    found = {
        f"acceptances by {by}, {name}": accepted(by, **asked)
        for by in ("at", "name")
        for name, asked in narrowed.items()
    }
    found["acceptances by at, a common name"] = accepted("at", name="nordm")
    for by in ("number", "at"):
        found |= {
            f"the log by {by}": log(by),
            f"the log by {by}, a common type": log(by, ("acceptance",)),
            f"the log by {by}, a rare type (exports made)": log(by, ("export",)),
            f"the log by {by}, a period": log(by, (), *year),
            f"the log by {by}, everything as a period": log(by, (), START, now),
            f"the log by {by}, all but the last two hours": log(by, (), START, now - STEP * 40),
            f"the log by {by}, a common type in a period": log(by, ("acceptance",), *year),
        }
    for name, since, until in (("", None, None), (", a period", *year)):
        found |= {
            f"checkpoints{name}": Question(
                "signed", with_cut(checkpoints.page_of_checkpoints, since, until), (half, 0)
            ),
            f"generations{name}": Question(
                "published", with_cut(generations.page_of_generations, since, until), (half, 0)
            ),
        }
    for group in (None, "", "library"):
        found[f"versions of the rules, group {group!r}"] = Question(
            "published", with_cut(rules.page_of_versions, group), (half, "0")
        )
    for units in (None, ["unit 3"], ["unit 3", "unit 5", "no unit"]):
        ask = with_cut(courses.page_of_courses_over, units, half + timedelta(days=900))
        found[f"courses that are over, units {len(units) if units else 'all'}"] = Question("ends", ask, (half, "0"))
    found["courses: the units"] = Question("", lambda session, _: courses.units(session, owner), (None, ""))
    for by, decisions in (("asked", ("",)), ("decided", ("granted", "declined")), ("decided", ("declined",))):
        ask = with_cut(exemption_requests.page_of_requests, decisions)
        found[f"requests by {by}, {' or '.join(decisions) or 'waiting'}"] = Question(by, ask, (half, "0"))
    for name in ("", "name-37", "nobody"):
        ask = with_cut(staff.page_of_sessions, now, timedelta(days=4000), name)
        found[f"signed-in browsers, {name or 'all'}"] = Question("seen", ask, (half, "0"))
    history = with_cut(lists.page_of_history, place.gateway_id, "list")
    found["refreshes of a list"] = Question("id", history, (None, rows // 2))
    answers = lambda session, _: dns_counters.answers_between(session, owner, half, half + timedelta(hours=24))  # noqa: E731
    found["lookups of 24 hours, by group and category"] = Question("", answers, (None, ""))
    return found


def _accepted(owner_id: str, query: AcceptanceQuery, session: Session, cut: Cut) -> object:
    if cut.place == (None, "middle"):  # by name: any row does
        some = session.execute(text("SELECT id FROM acceptance WHERE receipt_code = :code"), {"code": f"{7:016}"})
        cut = Cut(cut.by, cut.descending, cut.limit, (None, some.scalar() or ""))
    return page_of_acceptances(session, owner_id, query, cut)


def _fill(connection: Connection, place: Place, rows: int, *, is_sqlite: bool) -> None:
    def at(number: str) -> str:
        if is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', '2020-01-01', '+' || (({number}) * 3) || ' minutes')"
        return f"timestamptz '2020-01-01 00:00+00' + ({number}) * interval '3 minutes'"

    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows - 1})"
        if is_sqlite
        else f"WITH n(i) AS (SELECT generate_series(0, {rows - 1}))"
    )
    owner, site, gateway = f"'{place.owner_id}'", f"'{place.site_id}'", f"'{place.gateway_id}'"
    decision = "CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN 'granted' ELSE 'declined' END"
    connection.execute(
        text(
            "INSERT INTO access_grant (id, network_id, device_id, acceptance_id, group_key, mark, starts_at, ends_at)"
            f" SELECT '{GUEST}', (SELECT min(id) FROM network), device_id, id, 'default', 1, accepted_at, accepted_at"
            f" FROM acceptance WHERE receipt_code = '{7:016}'"
        )
    )
    made = {
        "checkpoint (owner_id, size, note, signed_at)": f"{owner}, i, 'note', {at('i')}",
        "policy_generation (owner_id, generation, document, sha256, published_by, note, published_at)": (
            f"{owner}, i + 1, '{{}}', 'x', 'kari', '', {at('i')}"
        ),
        "rules_version (id, owner_id, label, group_key, adopting_body, case_number, binding_language, published_at)": (
            f"'r' || i, {owner}, 'r' || i, CASE i % 50000 WHEN 0 THEN 'library' ELSE '' END, '', '', 'nb', {at('i')}"
        ),
        "course (id, owner_id, site_id, title, unit, code, code_key, starts_at, ends_at, group_key, max_devices,"
        " offered, created_at, created_by)": (
            f"'c' || i, {owner}, {site}, 'Kurs', 'unit ' || (i % {UNITS}), 'c' || i, 'c' || i, {at('i')},"
            f" {at('i + 60')}, 'default', 9, 'code', {at('i')}, 'kari'"
        ),
        "exemption_request (id, owner_id, site_id, grant_id, name, categories, group_key, purpose, asked_at, decision,"
        " decided_at, decided_by, answer)": (
            f"'e' || i, {owner}, {site}, '{GUEST}', 'x.example', '[]', 'default', '', {at('i')}, {decision},"
            f" CASE i % 3 WHEN 0 THEN NULL ELSE {at('i + 5')} END, 'kari', ''"
        ),
        "staff_session (token_sha256, staff_id, created_at, seen_at, expires_at, id, method, address, browser)": (
            f"'t' || i, 's' || (i % {STAFF}), {at('i')}, {at('i')}, {at('i + 9000000')}, 't' || i, 'password', '', ''"
        ),
        "list_refresh (owner_id, gateway_id, source_key, started_at, finished_at, outcome, reason, message, entries,"
        " sha256, details, request_id)": (
            f"{owner}, {gateway}, 'list', {at('i')}, {at('i')}, 'unchanged', '', '', 1, '', '{{}}', ''"
        ),
        "dns_answers (owner_id, gateway_id, hour, group_key, outcome, category, answers)": (
            f"{owner}, {gateway}, {at('(i / 100) * 20')}, 'g' || (i % 5), 'o' || (i % 4), 'k' || (i % 100), 7"
        ),
    }
    accounts = numbers.replace(str(rows - 1), str(STAFF - 1))
    named = f"'s' || i, {owner}, 'name-' || i, 'it', {at('i')}"
    into = "staff (id, owner_id, username, role, created_at)"
    connection.exec_driver_sql(f"INSERT INTO {into} {accounts} SELECT {named} FROM n")
    for table, values in made.items():
        began = time.perf_counter()
        statement = f"INSERT INTO {table} {numbers} SELECT {values} FROM n"
        connection.exec_driver_sql(statement if is_sqlite else statement.replace("%", "%%"))
        print(f"  {table.partition(' ')[0]}: {time.perf_counter() - began:.0f} s", flush=True)
    if not is_sqlite:
        connection.execute(text("ANALYZE"))
