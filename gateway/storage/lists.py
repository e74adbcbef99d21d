"""List sources that are switched on, and what came of refreshing them on each gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, part
from gateway.storage.list_models import ListRefresh, ListRequest, ListSource, ListUpload
from gateway.storage.types import new_id


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
    """Remove a source with what was asked of it; its history stays. Returns whether there was one."""
    row = source(session, owner_id, key)
    if row is None:
        return False
    for kind in (ListRequest, ListUpload):
        session.execute(delete(kind).where(kind.owner_id == owner_id, kind.source_key == key))
    session.delete(row)
    session.flush()
    return True


def add_refresh(session: Session, row: ListRefresh) -> None:
    """Write a refresh into the history."""
    session.add(row)
    session.flush()


def history(
    session: Session, owner_id: str, gateway_id: str, key: str | None = None, limit: int = 50, before: int | None = None
) -> Sequence[ListRefresh]:
    """The newest refreshes on a gateway, newest first; of one source, or of all; those before the id `before`."""
    query = select(ListRefresh).where(ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id)
    if key is not None:
        query = query.where(ListRefresh.source_key == key)
    if before is not None:
        query = query.where(ListRefresh.id < before)
    return session.scalars(query.order_by(ListRefresh.id.desc()).limit(limit)).all()


def page_of_history(session: Session, owner_id: str, gateway_id: str, key: str, cut: Cut) -> Part[ListRefresh]:
    """A part of the refreshes of one source on a gateway, in the order of their ids; a place is (anything, id)."""
    query = select(ListRefresh).where(
        ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id, ListRefresh.source_key == key
    )

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[ListRefresh]:
        rest = query
        if place is not None:
            rest = query.where(ListRefresh.id < place[1] if descending else ListRefresh.id > place[1])
        return session.scalars(
            rest.order_by(ListRefresh.id.desc() if descending else ListRefresh.id).limit(limit)
        ).all()

    return part(cut, fetch)


def last_refreshes(session: Session, owner_id: str, gateway_id: str) -> dict[str, ListRefresh]:
    """The newest refresh of each source on a gateway, by the source's key."""
    newest = (
        select(func.max(ListRefresh.id))
        .where(ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id)
        .group_by(ListRefresh.source_key)
    )
    rows = session.scalars(select(ListRefresh).where(ListRefresh.id.in_(newest)))
    return {row.source_key: row for row in rows}


def newest_anywhere(session: Session, owner_id: str, key: str) -> ListRefresh | None:
    """The newest refresh of a source on any gateway."""
    return session.scalars(
        select(ListRefresh)
        .where(ListRefresh.owner_id == owner_id, ListRefresh.source_key == key)
        .order_by(ListRefresh.id.desc())
        .limit(1)
    ).one_or_none()


def was_ever_fine(session: Session, owner_id: str, key: str) -> bool:
    """Whether a refresh of a source has ever given a list, on any gateway."""
    fine = (
        select(ListRefresh.id)
        .where(
            ListRefresh.owner_id == owner_id,
            ListRefresh.source_key == key,
            ListRefresh.outcome.in_(("updated", "unchanged")),
        )
        .exists()
    )
    return bool(session.scalar(select(fine)))


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


def unchanged_since(session: Session, owner_id: str, gateway_id: str, key: str, sha256: str) -> datetime | None:
    """When the list of a source on a gateway came to have this content, without a break since; None: it has another."""
    own = (ListRefresh.owner_id == owner_id, ListRefresh.gateway_id == gateway_id, ListRefresh.source_key == key)
    other = select(func.max(ListRefresh.id)).where(*own, ListRefresh.sha256 != sha256).scalar_subquery()
    return session.scalars(
        select(ListRefresh.finished_at)
        .where(*own, ListRefresh.sha256 == sha256, ListRefresh.id > func.coalesce(other, 0))
        .order_by(ListRefresh.id)
        .limit(1)
    ).one_or_none()


def keys_ever_used(session: Session, owner_id: str) -> set[str]:
    """The keys of sources that are there, or were and have left a history on any gateway."""
    there = session.scalars(select(ListSource.key).where(ListSource.owner_id == owner_id))
    were = session.scalars(select(ListRefresh.source_key).where(ListRefresh.owner_id == owner_id).distinct())
    return {*there, *were}


def put_request(session: Session, row: ListRequest) -> None:
    """Write down that a source is to be refreshed, over what was asked before; `row` gets a new identity."""
    row.request_id = new_id()  # merging over another row applies no default
    session.merge(row)
    session.flush()


def open_requests(session: Session, owner_id: str, gateway_id: str) -> dict[str, ListRequest]:
    """The newest request of each source, by its key, where no refresh on this gateway has seen it yet."""
    seen = (
        select(ListRefresh.id)
        .where(
            ListRefresh.owner_id == owner_id,
            ListRefresh.gateway_id == gateway_id,
            ListRefresh.source_key == ListRequest.source_key,
            ListRefresh.request_id == ListRequest.request_id,
        )
        .exists()
    )
    asked = select(ListRequest).where(ListRequest.owner_id == owner_id, ListRequest.request_id != "", ~seen)
    return {row.source_key: row for row in session.scalars(asked)}


def put_upload(session: Session, row: ListUpload) -> None:
    """Keep an uploaded file, over the one before."""
    session.merge(row)
    session.flush()


def uploads(session: Session, owner_id: str) -> dict[str, tuple[str, datetime, str]]:
    """(file name, when, by whom) of each uploaded file, by the source's key; without their contents."""
    rows = session.execute(
        select(ListUpload.source_key, ListUpload.file_name, ListUpload.uploaded_at, ListUpload.uploaded_by).where(
            ListUpload.owner_id == owner_id
        )
    )
    return {key: (name, at, by) for key, name, at, by in rows}


def upload_content(session: Session, owner_id: str, key: str) -> bytes | None:
    """The file behind a source, as it was uploaded."""
    return session.scalars(
        select(ListUpload.content).where(ListUpload.owner_id == owner_id, ListUpload.source_key == key)
    ).one_or_none()
