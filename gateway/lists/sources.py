"""The sources of this installation: those in the database, with the catalogue's as they can be switched on."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.lists.catalogue import catalogue
from gateway.lists.source import Source
from gateway.storage import lists as stored
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.list_models import ListRefresh, ListSource
from gateway.storage.places import Place

if TYPE_CHECKING:  # it loads the HTTP client, which the console has no use for
    from gateway.lists.refresh import Refresh


def configured(session: Session, place: Place) -> list[Source]:
    """The sources that somebody switched on or added, enabled or not, by key."""
    return [_source(row) for row in stored.sources(session, place.owner_id)]


def find(session: Session, place: Place, key: str) -> Source | None:
    """A source by key: the configured one, else the catalogue's (not enabled)."""
    row = stored.source(session, place.owner_id, key)
    return _source(row) if row is not None else catalogue().get(key)


def put(session: Session, place: Place, source: Source, by: str, now: datetime) -> None:
    """Keep `source`, over the one with its key; the snapshot is compiled anew."""
    stored.put_source(
        session,
        ListSource(
            owner_id=place.owner_id,
            key=source.key,
            category=source.category,
            title=source.title,
            url=source.url,
            format=source.format,
            options=dict(source.options),
            licence=source.licence,
            interval_s=source.interval_s,
            internal=source.internal,
            enabled=source.enabled,
            added_by=by,
            added_at=now,
        ),
    )
    announce(session, "lists")


def drop(session: Session, place: Place, key: str) -> bool:
    """Forget a source; returns whether there was one. Its history stays."""
    dropped = stored.drop_source(session, place.owner_id, key)
    if dropped:
        announce(session, "lists")
    return dropped


def drop_unusable(session: Session, place: Place, key: str) -> None:
    """Forget a source whose uploaded file was refused and that has never held a list, on any gateway."""
    if not stored.was_ever_fine(session, place.owner_id, key):
        drop(session, place, key)


def record_refresh(session: Session, place: Place, refresh: Refresh, request_id: str = "") -> None:
    """Write what came of a refresh into the history; an updated list is announced. `request_id`: what it answers."""
    facts = refresh.facts
    details: dict[str, object] = {}
    if facts is not None and refresh.outcome in ("updated", "unchanged"):
        details = {
            key: value
            for key, value in asdict(facts).items()
            if key in ("format", "raw_bytes", "lines", "duplicates", "rejects", "ignored", "examples")
            or key.startswith(("public_suffix", "suffix_", "never_blocked"))
        }
    stored.add_refresh(
        session,
        ListRefresh(
            owner_id=place.owner_id,
            gateway_id=place.gateway_id,
            source_key=refresh.source,
            started_at=refresh.started_at,
            finished_at=refresh.finished_at,
            outcome=refresh.outcome,
            reason=refresh.reason,
            message=refresh.message,
            entries=facts.entries if facts else 0,
            sha256=facts.sha256 if facts else "",
            details=details,
            request_id=request_id,
        ),
    )
    if refresh.outcome == "updated":
        announce(session, "lists")


def _source(row: ListSource) -> Source:
    return Source(
        key=row.key,
        category=row.category,
        title=row.title,
        url=row.url,
        format=row.format,
        options=row.options,
        licence=row.licence,
        interval_s=row.interval_s,
        internal=row.internal,
        enabled=row.enabled,
    )
