"""What an account may see of the log: which sites, which period, which personal fields. IT sees all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.audit.view import PERSONAL_COLUMNS
from gateway.clock import format_utc

ALL_FIELDS = frozenset(PERSONAL_COLUMNS)


class Account(Protocol):
    """What is asked of an account."""

    @property
    def role(self) -> str: ...

    @property
    def scope(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """`sites` are keys, None: all; `since` ≤ at < `until`, None: open; `fields` are the personal fields shown.

    Sites bound what happened to guests at a site. What concerns the whole owner is seen wherever it was done: what
    staff did within the period; rules, policy and keys of any time, for nothing can be understood without them.
    """

    sites: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    fields: frozenset[str] = ALL_FIELDS

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that it hides."""
        return self != EVERYTHING

    def shows(self, field: str) -> bool:
        """Whether the personal field of any type of entry may be seen. What staff did is; the filter of an export may
        name guests and devices of any site, and is for those who see these fields everywhere.
        """
        if field == "filter":
            return self.sites is None and self.fields == ALL_FIELDS
        return field in self.fields or field not in ALL_FIELDS

    def includes(self, site: str, at: datetime) -> bool:
        """Whether what happened to a guest at `site` at the moment `at` may be seen."""
        return (self.sites is None or site in self.sites) and self.includes_moment(at)

    def includes_moment(self, at: datetime) -> bool:
        """Whether what happened at the moment `at` may be seen."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def within(self, since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
        """That part of a period that may be seen."""
        begins = [moment for moment in (self.since, since) if moment is not None]
        ends = [moment for moment in (self.until, until) if moment is not None]
        return max(begins, default=None), min(ends, default=None)

    def document(self) -> dict[str, Any] | None:
        """What the database keeps: plain JSON; None for everything."""
        if not self.is_limited:
            return None
        return {
            "sites": None if self.sites is None else sorted(self.sites),
            "since": None if self.since is None else format_utc(self.since),
            "until": None if self.until is None else format_utc(self.until),
            "fields": [name for name in PERSONAL_COLUMNS if name in self.fields],
        }


EVERYTHING = Scope()


def scope_of(account: Account) -> Scope:
    """What `account` may see. Raises: KeyError, ValueError for a stored scope that can't be read: nobody sees by it."""
    return EVERYTHING if account.role == "it" or account.scope is None else read_scope(account.scope)


def read_scope(document: Mapping[str, Any]) -> Scope:
    """The scope that `Scope.document` has written."""
    sites, since, until = (document[key] for key in ("sites", "since", "until"))
    return Scope(
        None if sites is None else frozenset(sites),
        None if since is None else datetime.fromisoformat(since),
        None if until is None else datetime.fromisoformat(until),
        _known(document["fields"]),
    )


def _known(fields: Iterable[str]) -> frozenset[str]:
    found = frozenset(fields)
    if not found <= ALL_FIELDS:
        raise ValueError(f"there is no personal field {', '.join(sorted(found - ALL_FIELDS))}")
    return found
