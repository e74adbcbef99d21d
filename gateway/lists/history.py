"""What `explanation` reads of history: the published generations, newest first, and since when a list stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.lists.explanation import Generation, ListSince
from gateway.storage import generations
from gateway.storage import lists as stored
from gateway.storage.engine import Session
from gateway.storage.places import Place

LOOKED_AT = 500


def published(session: Session, place: Place) -> Iterator[Generation]:
    """The newest generations of the owner, newest first, at most 500."""
    for row in generations.history(session, place.owner_id, LOOKED_AT):
        yield Generation(row.generation, row.published_at, row.published_by, row.note, dict(row.document))


def list_since(session: Session, place: Place) -> ListSince:
    """Since when a source has had the same content on this gateway, as the history of its refreshes says."""

    def asked(source: str, sha256: str) -> datetime | None:
        return stored.unchanged_since(session, place.owner_id, place.gateway_id, source.partition("!")[0], sha256)

    return asked
