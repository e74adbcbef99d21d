"""The published generations as `explanation` reads them, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.lists.explanation import Generation
from gateway.storage import generations
from gateway.storage.engine import Session
from gateway.storage.places import Place

LOOKED_AT = 500


def published(session: Session, place: Place) -> Iterator[Generation]:
    """The newest generations of the owner, newest first, at most 500."""
    for row in generations.history(session, place.owner_id, LOOKED_AT):
        yield Generation(row.generation, row.published_at, row.published_by, row.note, dict(row.document))
