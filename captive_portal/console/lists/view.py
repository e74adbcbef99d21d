"""What is known of each list source on this gateway, gathered for the pages and the JSON API: it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.context import Services
from gateway.lists import due, sources, store
from gateway.lists.catalogue import catalogue
from gateway.lists.compile import ListsError
from gateway.lists.progress import Stage, under_way
from gateway.lists.source import Source
from gateway.lists.store import Facts
from gateway.storage import lists as stored
from gateway.storage.engine import Session
from gateway.storage.list_models import ListRefresh

SLOW = timedelta(minutes=1)
State = Literal["off", "busy", "waiting", "damaged", "trouble", "fine", "none"]


@dataclass(frozen=True)
class Row:
    """A source: `facts` of the list in force here, the `last` refresh, how far one has come that is under way.

    `configured`: it is in the database, on or off; `own`: the catalogue does not have it.
    """

    source: Source
    configured: bool
    facts: Facts | None = None
    damaged: bool = False
    last: ListRefresh | None = None
    waiting_since: datetime | None = None
    stage: Stage | None = None
    upload: tuple[str, datetime, str] | None = None

    @property
    def own(self) -> bool:
        return self.source.key not in catalogue()

    @property
    def publisher(self) -> str:
        """Who publishes it; empty for one's own."""
        return "" if self.own else catalogue()[self.source.key].title.partition(": ")[0]

    @property
    def homepage(self) -> str:
        """The publisher's page; empty for one's own."""
        return "" if self.own else catalogue()[self.source.key].homepage

    @property
    def refreshable(self) -> bool:
        """Whether there is something to refresh it from."""
        return self.source.enabled and bool(self.source.url or self.upload)

    @property
    def state(self) -> State:
        """How it stands, the most pressing first. `none`: on, but there is nothing in force nor under way."""
        if not self.source.enabled:
            return "off"
        if self.stage is not None:
            return "busy"
        if self.waiting_since is not None:
            return "waiting"
        if self.damaged:
            return "damaged"
        if self.last is not None and self.last.outcome in ("refused", "failed"):
            return "trouble"
        return "fine" if self.facts is not None else "none"

    @property
    def is_moving(self) -> bool:
        """Whether a refresh is under way or about to be."""
        return self.state in ("busy", "waiting")

    def is_slow(self, now: datetime) -> bool:
        """Whether it waits for longer than a jobs service that runs lets anything wait."""
        return self.waiting_since is not None and now - self.waiting_since > SLOW

    @property
    def fetched_at(self) -> datetime | None:
        """When the list in force was fetched, or last found unchanged."""
        return datetime.fromisoformat(self.facts.fetched_at) if self.facts is not None else None


def every_row(session: Session, services: Services, now: datetime) -> list[Row]:
    """A row for each source of the catalogue and of the database, by key."""
    known = _Known(session, services, now)
    return [known.row(key) for key in sorted({*catalogue(), *known.configured})]


def one_row(session: Session, services: Services, key: str, now: datetime) -> Row | None:
    """The row of one source; None when there is none with that key."""
    known = _Known(session, services, now)
    return known.row(key) if key in known.configured or key in catalogue() else None


class _Known:
    def __init__(self, session: Session, services: Services, now: datetime) -> None:
        place = services.place
        self.state = services.settings.state
        self.configured = {each.key: each for each in sources.configured(session, place)}
        self.last = stored.last_refreshes(session, place.owner_id, place.gateway_id)
        self.uploads = stored.uploads(session, place.owner_id)
        self.marked = store.marked_damaged(self.state, self.configured)
        requests = stored.open_requests(session, place.owner_id, place.gateway_id)
        added = {row.key: row.added_at for row in stored.sources(session, place.owner_id)}
        self.waiting: Mapping[str, datetime] = {
            each.source.key: _since(added[each.source.key], requests.get(each.source.key))
            for each in due.due(session, place, now)
            if each.asked
        }

    def row(self, key: str) -> Row:
        source = self.configured.get(key)
        if source is None:
            return Row(catalogue()[key], configured=False)
        facts, damaged = None, key in self.marked
        try:
            facts = store.facts_of(self.state, source)
        except ListsError:
            damaged = True
        return Row(
            source,
            configured=True,
            facts=facts,
            damaged=damaged,
            last=self.last.get(key),
            waiting_since=self.waiting.get(key),
            stage=under_way(self.state, key),
            upload=self.uploads.get(key),
        )


def _since(added_at: datetime, request: object) -> datetime:
    asked_at = getattr(request, "requested_at", None)
    return max(added_at, asked_at) if isinstance(asked_at, datetime) else added_at
