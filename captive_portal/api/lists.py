"""The lists over JSON: what stands where, the history, and, for IT, switching and refreshing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import refused, unknown
from captive_portal.console.forms import Form
from captive_portal.console.lists import adding
from captive_portal.console.lists.adding import UPLOAD_MAX_BYTES
from captive_portal.console.lists.rooms import refresh_all, switch
from captive_portal.console.lists.view import Row, every_row, one_row
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists import due, sources
from gateway.storage import lists as stored

CONTENT_MAX_CHARS = UPLOAD_MAX_BYTES // 4
BODY_MAX_BYTES = 2 * UPLOAD_MAX_BYTES
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,59}$", description="The source's key.")]


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


class ListAdded(Asked):
    """A list of one's own: at an address (`url`), or its text (`content`). `column` is for CSV: a number or a heading;
    `hours`: how often it is fetched, 6, 24, 72 or 168.
    """

    category: Annotated[str, Field(max_length=40)]
    url: Annotated[str | None, Field(max_length=2000, examples=["https://lists.example/gaming.txt"])] = None
    content: Annotated[str | None, Field(max_length=CONTENT_MAX_CHARS, examples=[None])] = None
    title: Annotated[str, Field(max_length=200, examples=["Games, from the county"])] = ""
    format: Annotated[str, Field(max_length=40)] = "auto"
    column: Annotated[str, Field(max_length=200, examples=[""])] = ""
    hours: Literal[6, 24, 72, 168] = 24
    licence: Annotated[str, Field(max_length=200)] = ""


class ListRenewed(Asked):
    """The newer text of a list that came as text."""

    content: Annotated[str, Field(min_length=1, max_length=CONTENT_MAX_CHARS, examples=["game.example\n"])]


class AskedAll(BaseModel):
    """How many lists are being refreshed."""

    asked: int


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
            Call("GET", root, "auditor", self.every, "read", None, Lists, "Every list", "lists"),
            Call(
                "GET", f"{root}/history", "auditor", self.history, "read", HistoryAsked, History,
                "The refreshes of a list, newest first", "lists",
            ),
            Call(
                "POST", f"{root}/switch", "it", self.switch, "write", SwitchAsked, Listed,
                "Switch a list on or off", "lists",
            ),
            Call(
                "POST", f"{root}/refresh", "it", self.refresh, "write", RefreshAsked, Listed,
                "Have a list refreshed now", "lists",
            ),
            Call(
                "POST", f"{root}/refresh-all", "it", self.refresh_all, "write", None, AskedAll,
                "Have every list refreshed that is on", "lists",
            ),
            Call(
                "POST", root, "it", self.add, "write", ListAdded, Listed, "Add a list of your own", "lists",
                status=HTTPStatus.CREATED, body_max_bytes=BODY_MAX_BYTES,
            ),
            Call("GET", f"{root}/source/{{key}}", "auditor", self.one, "read", None, Listed, "One list", "lists"),
            Call(
                "PUT", f"{root}/source/{{key}}/content", "it", self.renew, "write", ListRenewed, Listed,
                "Replace the text of a list that came as text", "lists", body_max_bytes=BODY_MAX_BYTES,
            ),
            Call(
                "DELETE", f"{root}/source/{{key}}", "it", self.remove, "write", None, None,
                "Remove a list of your own", "lists", status=HTTPStatus.NO_CONTENT,
            ),
        )  # fmt: skip

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

    def refresh_all(self, visit: Visit) -> Response:
        """POST /api/v1/lists/refresh-all"""
        return answered(AskedAll, {"asked": refresh_all(visit)})

    def add(self, visit: Visit) -> Response:
        """POST /api/v1/lists"""
        asked = visit.asked
        if (asked.url is None) == (asked.content is None):
            return refused({"url": "send either `url` or `content`"})
        fields = ("url", "title", "category", "format", "column", "hours", "licence")
        described = replace(visit, form=Form({name: [str(getattr(asked, name) or "")] for name in fields}))
        made = (
            adding.added(described)
            if asked.content is None
            else adding.uploaded(described, "list.txt", asked.content.encode())
        )
        if isinstance(made, dict):
            return refused({"content" if field == "file" else field: text for field, text in made.items()})
        answer = self._standing(visit, made.key)
        answer.status_code = HTTPStatus.CREATED
        answer.headers["Location"] = f"/api/v1/lists/source/{made.key}"
        return answer

    def one(self, visit: Visit) -> Response:
        """GET /api/v1/lists/source/{key}"""
        return self._standing(visit, visit.params["key"])

    def renew(self, visit: Visit) -> Response:
        """PUT /api/v1/lists/source/{key}/content"""
        row = self._own(visit)
        if row is None or row.source.url:
            return unknown(visit, "there is no such list that came as text")
        adding.renewed(visit, row.source, "list.txt", visit.asked.content.encode())
        return self._standing(visit, row.source.key)

    def remove(self, visit: Visit) -> Response:
        """DELETE /api/v1/lists/source/{key}: only one's own; those of the catalogue are switched off."""
        row = self._own(visit)
        if row is None or not sources.drop(visit.session, visit.services.place, row.source.key):
            return unknown(visit, "there is no such list of your own")
        return no_content()

    def _own(self, visit: Visit) -> Row | None:
        row = one_row(visit.session, visit.services, visit.params["key"], visit.now)
        return row if row is not None and row.own else None

    def _standing(self, visit: Visit, key: str) -> Response:
        row = one_row(visit.session, visit.services, key, visit.now)
        return unknown(visit, f"there is no source {key!r}") if row is None else answered(Listed, _facts(row))

    def _row(self, visit: Visit) -> Row | None:
        return one_row(visit.session, visit.services, visit.asked.key, visit.now)

    def _now(self, visit: Visit) -> Response:
        return self._standing(visit, visit.asked.key)


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
