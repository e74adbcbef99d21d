"""List sources that are switched on, and what came of refreshing them on each gateway."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from gateway.storage.engine import Session
from gateway.storage.models import ListRefresh, ListSource


def sources(session: Session, owner_id: str) -> Sequence[ListSource]:
    """The owner's sources, enabled or not, by key."""
    return session.scalars(select(ListSource).where(ListSource.owner_id == owner_id).order_by(ListSource.key)).all()


def source(session: Session, owner_id: str, key: str) -> ListSource | None:
    """One source of the owner's."""
    return session.get(ListSource, (owner_id, key))


def put_source(session: Session, row: ListSource) -> None:
    """Add a source, or write over the one with its key."""
    session.merge(row)
    session.flush()


def drop_source(session: Session, owner_id: str, key: str) -> bool:
    """Remove a source; its history stays. Returns whether there was one."""
    row = source(session, owner_id, key)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def add_refresh(session: Session, row: ListRefresh) -> None:
    """Write a refresh into the history."""
    session.add(row)
    session.flush()


def history(
    session: Session, owner_id: str, gateway_id: str, key: str | None = None, limit: int = 50
) -> Sequence[ListRefresh]:
    """The newest refreshes on a gateway, newest first; of one source, or of all."""
    query = select(ListRefresh).where(ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id)
    if key is not None:
        query = query.where(ListRefresh.source_key == key)
    return session.scalars(query.order_by(ListRefresh.id.desc()).limit(limit)).all()


def last_refreshes(session: Session, owner_id: str, gateway_id: str) -> dict[str, ListRefresh]:
    """The newest refresh of each source on a gateway, by the source's key."""
    newest = (
        select(func.max(ListRefresh.id))
        .where(ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id)
        .group_by(ListRefresh.source_key)
    )
    rows = session.scalars(select(ListRefresh).where(ListRefresh.id.in_(newest)))
    return {row.source_key: row for row in rows}


def failures(session: Session, owner_id: str, gateway_id: str, key: str) -> int:
    """How many refreshes of a source have been refused or failed since the last that was fine."""
    fine = (
        select(func.max(ListRefresh.id))
        .where(
            ListRefresh.owner_id == owner_id,
            ListRefresh.gateway_id == gateway_id,
            ListRefresh.source_key == key,
            ListRefresh.outcome.in_(("updated", "unchanged")),
        )
        .scalar_subquery()
    )
    count = session.scalar(
        select(func.count())
        .select_from(ListRefresh)
        .where(
            ListRefresh.owner_id == owner_id,
            ListRefresh.gateway_id == gateway_id,
            ListRefresh.source_key == key,
            ListRefresh.id > func.coalesce(fine, 0),
        )
    )
    return int(count or 0)
