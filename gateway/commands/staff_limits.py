"""The limits of an account as options of a command: until when, which sites, which period, which personal fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import click

from gateway.audit.scope import EVERYTHING, Scope
from gateway.audit.view import PERSONAL_COLUMNS
from gateway.clock import MUNICIPAL_ZONE
from gateway.errors import UsageError
from gateway.storage import places
from gateway.storage.engine import Session
from gateway.storage.places import Place

Command = TypeVar("Command", bound=Callable[..., Any])


def limits(command: Command) -> Command:
    """Give a command the options of `read_end` and `read_scope`."""
    for option in (
        click.option("--data-to", default="", metavar="DATE", help="The last day whose acceptances it sees."),
        click.option("--data-from", default="", metavar="DATE", help="The first day whose acceptances it sees."),
        click.option(
            "--fields", default="", metavar="LIST",
            help=f"The personal fields it sees: all, none, or of {','.join(PERSONAL_COLUMNS)}.",
        ),
        click.option("--site", "sites", multiple=True, metavar="SITE", help="A site it sees; again for more; or all."),
        click.option("--until", default="", metavar="DATE", help="The last day it can sign in; or never."),
    ):  # fmt: skip
        command = option(command)
    return command


def read_end(until: str) -> datetime | None:
    """The moment after which nobody signs in: the midnight (Europe/Oslo) that ends the day. Raises: UsageError."""
    return None if until in ("", "never") else _midnight_after("--until", until)


def read_scope(session: Session, place: Place, before: Scope, limited: Mapping[str, Any]) -> Scope | None:
    """`before` with what the options change; None when they change nothing. Raises: UsageError."""
    scope = before
    if limited["sites"]:
        scope = replace(scope, sites=_sites(session, place, limited["sites"]))
    if limited["data_from"]:
        first = None if limited["data_from"] == "all" else _day("--data-from", limited["data_from"])
        scope = replace(scope, since=None if first is None else _midnight(first))
    if limited["data_to"]:
        last = limited["data_to"]
        scope = replace(scope, until=None if last == "all" else _midnight_after("--data-to", last))
    if limited["fields"]:
        scope = replace(scope, fields=_fields(limited["fields"]))
    if scope.since is not None and scope.until is not None and scope.since >= scope.until:
        raise UsageError("--data-from must not come after --data-to")
    return scope if scope != before else None


def words(scope: Scope) -> str:
    """A scope as one line."""
    if scope == EVERYTHING:
        return "everything"
    sites = "all sites" if scope.sites is None else "the sites " + ", ".join(sorted(scope.sites))
    fields = [name for name in PERSONAL_COLUMNS if name in scope.fields]
    personal = (
        "all personal fields" if scope.fields == EVERYTHING.fields else f"of persons {', '.join(fields) or 'nothing'}"
    )
    since = "" if scope.since is None else f", from {scope.since.astimezone(MUNICIPAL_ZONE):%Y-%m-%d}"
    last = None if scope.until is None else (scope.until - timedelta(seconds=1)).astimezone(MUNICIPAL_ZONE)
    return f"{sites}, {personal}{since}" + ("" if last is None else f", to {last:%Y-%m-%d}")


def _sites(session: Session, place: Place, wanted: tuple[str, ...]) -> frozenset[str] | None:
    if "all" in wanted:
        return None
    known = places.site_keys(session, place.owner_id)
    for key in wanted:
        if key not in known:
            raise UsageError(f"there is no site {key!r}; there are {', '.join(sorted(known))}")
    return frozenset(wanted)


def _fields(text: str) -> frozenset[str]:
    if text in ("all", "none"):
        return EVERYTHING.fields if text == "all" else frozenset()
    wanted = {part.strip() for part in text.split(",")}
    unknown = sorted(wanted - EVERYTHING.fields)
    if unknown:
        raise UsageError(f"there is no personal field {unknown[0]!r}; choose of {', '.join(PERSONAL_COLUMNS)}")
    return frozenset(wanted)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no date; write it as 2026-12-31") from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, MUNICIPAL_ZONE).astimezone(UTC)


def _midnight_after(option: str, text: str) -> datetime:
    try:
        return _midnight(_day(option, text) + timedelta(days=1))
    except OverflowError:
        raise UsageError(f"{option} {text!r} is beyond all calendars") from None
