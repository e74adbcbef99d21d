"""The lists over JSON: what stands where, the history, and, for IT, switching and refreshing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from captive_portal.api.calls import answered, unknown
from captive_portal.console.gate import Call
from captive_portal.console.lists.rooms import switch
from captive_portal.console.lists.view import Row, every_row, one_row
from captive_portal.console.visit import Visit
from gateway.lists import due
from gateway.storage import lists as stored

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,59}$", description="The source's key.")]


class Asked(BaseModel):
    """Unknown keys are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class HistoryAsked(Asked):
    """Which source; a page of at most 50, those before the refresh `before`."""

    key: Key
    before: Annotated[int | None, Field(ge=1, lt=2**63)] = None


class SwitchAsked(Asked):
    """Which source, on or off."""

    key: Key
    on: bool


class RefreshAsked(Asked):
    """Which source; `accept`: put it in force however much it shrank or grew."""

    key: Key
    accept: bool = False


class Progress(BaseModel):
    """How far a refresh has come that is under way: octets while downloading, then names."""

    stage: str
    done: int
    total: int | None


class Listed(BaseModel):
    """A source, and what is in force of it on this gateway.

    `state`: off, busy, waiting, damaged, trouble, fine, or none (on, with nothing in force).
    """

    key: str
    title: str
    category: str
    licence: str
    homepage: str
    url: str
    interval_s: int
    on: bool
    own: bool
    state: str
    names: int
    fetched_at: datetime | None
    sha256: str
    rejected: dict[str, int]
    ignored: dict[str, int]
    progress: Progress | None


class Lists(BaseModel):
    """Every source of the catalogue and of one's own, by key."""

    lists: list[Listed]


class Refreshed(BaseModel):
    """One refresh: updated, unchanged, refused or failed; `reason` is a stable key, `names` those in force after it."""

    id: int
    started_at: datetime
    finished_at: datetime
    outcome: str
    reason: str
    message: str
    names: int


class History(BaseModel):
    """The newest refreshes of a source on this gateway, newest first."""

    key: str
    refreshes: list[Refreshed]


class ListsApi:
    """The calls. What is asked for is done by the jobs service; the answer says how the source stands just now."""

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        root = "/api/v1/lists"
        return (
            Call("GET", root, "auditor", self.every, "read", None, Lists, "Every list"),
            Call("GET", f"{root}/history", "auditor", self.history, "read", HistoryAsked, History, "Its refreshes"),
            Call("POST", f"{root}/switch", "it", self.switch, "write", SwitchAsked, Listed, "Switch it on or off"),
            Call("POST", f"{root}/refresh", "it", self.refresh, "write", RefreshAsked, Listed, "Refresh it now"),
        )

    def every(self, visit: Visit) -> Response:
        """GET /api/v1/lists"""
        rows = every_row(visit.session, visit.services, visit.now)
        return answered(Lists, {"lists": [_facts(row) for row in rows]})

    def history(self, visit: Visit) -> Response:
        """GET /api/v1/lists/history"""
        place, key = visit.services.place, visit.asked.key
        tries = stored.history(visit.session, place.owner_id, place.gateway_id, key, before=visit.asked.before)
        if not tries and self._row(visit) is None:
            return unknown(visit, f"there is no source {key!r}")
        found = [
            {name: getattr(each, name) for name in ("id", "started_at", "finished_at", "outcome", "reason", "message")}
            | {"names": each.entries}
            for each in tries
        ]
        return answered(History, {"key": key, "refreshes": found})

    def switch(self, visit: Visit) -> Response:
        """POST /api/v1/lists/switch"""
        row = self._row(visit)
        if row is not None:
            switch(visit, row, on=visit.asked.on)
        return self._now(visit)

    def refresh(self, visit: Visit) -> Response:
        """POST /api/v1/lists/refresh"""
        row = self._row(visit)
        if row is not None and row.refreshable:
            due.ask(
                visit.session, visit.services.place, row.source.key, visit.member.username, visit.now,
                accept=visit.asked.accept,
            )  # fmt: skip
        return self._now(visit)

    def _row(self, visit: Visit) -> Row | None:
        return one_row(visit.session, visit.services, visit.asked.key, visit.now)

    def _now(self, visit: Visit) -> Response:
        row = self._row(visit)
        return (
            unknown(visit, f"there is no source {visit.asked.key!r}") if row is None else answered(Listed, _facts(row))
        )


def _facts(row: Row) -> dict[str, Any]:
    source, facts = row.source, row.facts
    return {
        "key": source.key,
        "title": source.title,
        "category": source.category,
        "licence": source.licence,
        "homepage": row.homepage,
        "url": source.url,
        "interval_s": source.interval_s,
        "on": source.enabled,
        "own": row.own,
        "state": row.state,
        "names": facts.entries if facts else 0,
        "fetched_at": row.fetched_at,
        "sha256": facts.sha256 if facts else "",
        "rejected": dict(facts.rejects) if facts else {},
        "ignored": dict(facts.ignored) if facts else {},
        "progress": {"stage": row.stage.stage, "done": row.stage.done, "total": row.stage.total} if row.stage else None,
    }
