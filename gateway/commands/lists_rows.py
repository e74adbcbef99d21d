"""What `gjestenett lists` tells of sources, lists and refreshes, as rows to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.clock import format_utc
from gateway.context import Services
from gateway.errors import UsageError
from gateway.lists import due as to_refresh
from gateway.lists import sources, store
from gateway.lists.catalogue import catalogue
from gateway.lists.compile import ListsError
from gateway.lists.refresh import Refresh
from gateway.lists.source import Source
from gateway.storage import lists as stored

Row = dict[str, Any]


def every_source(services: Services, *, only_on: bool) -> list[Row]:
    """The sources in use and those of the catalogue, a source a row; those that are on first."""
    with services.database.read() as session:
        configured = {each.key: each for each in sources.configured(session, services.place)}
        last = stored.last_refreshes(session, services.place.owner_id, services.place.gateway_id)
    known = configured if only_on else {**catalogue(), **configured}
    rows: list[Row] = []
    for source in sorted(known.values(), key=lambda each: (not each.enabled, each.key)):
        if only_on and not source.enabled:
            continue
        facts, problem = _facts(services, source)
        tried = last.get(source.key)
        rows.append(
            {
                "source": source.key,
                "on": "on" if source.enabled else "off",
                "category": source.category,
                "names": facts.entries if facts else 0,
                "fetched": "damaged" if problem else facts.fetched_at[:16] if facts else "-",
                "last": (tried.outcome + (f" ({tried.reason})" if tried.reason else "")) if tried else "-",
                "licence": source.licence or "-",
            }
        )
    return rows


def one_source(services: Services, key: str) -> list[Row]:
    """All that is known of the source `key`, a fact a row, with its last refreshes. Raises: UsageError."""
    with services.database.read() as session:
        source = sources.find(session, services.place, key)
        if source is None:
            raise UsageError(f"there is no source {key!r}; see: gjestenett lists show")
        tries = stored.history(session, services.place.owner_id, services.place.gateway_id, key)
        due = to_refresh.next_due(session, services.place, source)
    facts, problem = _facts(services, source)
    rows: list[Row] = [
        {"what": "title", "value": source.title or key},
        {"what": "category", "value": source.category},
        {"what": "on", "value": source.enabled},
        {"what": "address", "value": source.url or "imported from a file"},
        {"what": "licence", "value": source.licence},
        {"what": "format", "value": facts.format if facts else source.format},
        {"what": "next refresh", "value": format_utc(due) if due else "-"},
    ]
    if problem:
        rows.append({"what": "problem", "value": problem})
    if facts is not None:
        rows += [
            {"what": "names", "value": facts.entries},
            {"what": "exceptions", "value": facts.total("exceptions", "exact_exceptions")},
            {"what": "fetched", "value": facts.fetched_at},
            {"what": "sha256", "value": facts.sha256},
            {"what": "rejected", "value": _counted(facts.rejects)},
            {"what": "ignored", "value": _counted(facts.ignored)},
            {"what": "examples", "value": [f"line {line}: {text} ({reason})" for line, text, reason in facts.examples]},
            {"what": "public suffixes", "value": f"{facts.public_suffixes} {' '.join(facts.suffix_examples[:5])}"},
            {"what": "never blocked", "value": f"{facts.never_blocked} {' '.join(facts.never_blocked_examples[:5])}"},
        ]
    rows += [
        {"what": f"refresh {format_utc(row.finished_at)[:16]}", "value": f"{row.outcome} {row.entries} {row.message}"}
        for row in tries
    ]
    return rows


def refreshes(done: Sequence[Refresh]) -> list[Row]:
    """What came of refreshing, a source a row."""
    return [
        {
            "source": each.source,
            "outcome": each.outcome,
            "names": each.facts.entries if each.facts else 0,
            "exceptions": each.facts.total("exceptions", "exact_exceptions") if each.facts else 0,
            "format": each.facts.format if each.facts else "-",
            "rejected": _counted(each.facts.rejects) if each.facts else "-",
            "ignored": _counted(each.facts.ignored) if each.facts else "-",
            "suffixes": each.facts.public_suffixes if each.facts else 0,
            "never_blocked": each.facts.never_blocked if each.facts else 0,
            "seconds": round((each.finished_at - each.started_at).total_seconds(), 2),
            "message": each.message,
        }
        for each in done
    ]


def _facts(services: Services, source: Source) -> tuple[store.Facts | None, str]:
    """The facts of the list in use, and what is wrong with it."""
    state = services.settings.state
    try:
        facts = store.facts_of(state, source)
    except ListsError as problem:
        return None, str(problem)
    if store.marked_damaged(state, [source.key]):
        return facts, str(store.DamagedListError(source.key, "found when compiling"))
    return facts, ""


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.items()) or "-"
