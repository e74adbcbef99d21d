"""Which sources are to be refreshed now: those that staff asked for, those that are damaged, those whose time has come.

What is asked travels through the database, so that the page that asks never fetches or reads a list itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.lists.schedule import due_at
from gateway.lists.source import Source
from gateway.lists.sources import configured, put
from gateway.storage import lists as stored
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.list_models import ListRefresh, ListRequest, ListUpload
from gateway.storage.places import Place


def ask(session: Session, place: Place, key: str, by: str, now: datetime, *, accept: bool = False) -> None:
    """Have the jobs service of every gateway refresh a source now. `accept`: however much it shrank or grew."""
    stored.put_request(
        session,
        ListRequest(owner_id=place.owner_id, source_key=key, requested_at=now, requested_by=by, accept=accept),
    )
    announce(session, "lists")


def add(session: Session, place: Place, source: Source, by: str, now: datetime) -> None:
    """Keep `source`, and have it fetched at once: what another list of its key has left behind is not it."""
    put(session, place, source, by, now)
    ask(session, place, source.key, by, now)


def upload(
    session: Session, place: Place, source: Source, file_name: str, content: bytes, by: str, now: datetime
) -> None:
    """Keep `source` with the file that it is to be taken in from; nothing of the file is looked at here."""
    put(session, place, source, by, now)
    stored.put_upload(
        session,
        ListUpload(
            owner_id=place.owner_id,
            source_key=source.key,
            file_name=file_name,
            content=content,
            uploaded_at=now,
            uploaded_by=by,
        ),
    )
    ask(session, place, source.key, by, now)


@dataclass(frozen=True, slots=True)
class Due:
    """A source to refresh now. `asked`: it can't wait for the next round; `accept`: however much it changed.

    `request_id`: the request that the refresh answers, empty when there is none.
    """

    source: Source
    asked: bool
    accept: bool
    uploaded: bool
    request_id: str = ""


def every(session: Session, place: Place) -> list[Due]:
    """Every enabled source that can be refreshed on this gateway, whether its time has come or not; `asked` are those
    of which staff asked it. A list from a file of this machine can't be: it has neither an address nor an uploaded
    file.
    """
    requests = stored.open_requests(session, place.owner_id, place.gateway_id)
    uploaded = stored.uploads(session, place.owner_id)
    found: list[Due] = []
    for source in configured(session, place):
        if source.enabled and (source.url or source.key in uploaded):
            request = requests.get(source.key)
            found.append(
                Due(
                    source,
                    asked=request is not None,
                    accept=request is not None and request.accept,
                    uploaded=not source.url,
                    request_id=request.request_id if request is not None else "",
                )
            )
    return found


def due(session: Session, place: Place, now: datetime, damaged: Collection[str] = ()) -> list[Due]:
    """The enabled sources to refresh on this gateway now: those asked for, those of which the stored list is `damaged`
    and those never tried, then those whose time has come.
    """
    last = stored.last_refreshes(session, place.owner_id, place.gateway_id)
    urgent: list[Due] = []
    others: list[Due] = []
    for each in every(session, place):
        tried = last.get(each.source.key)
        if each.asked or tried is None or each.source.key in damaged:
            urgent.append(replace(each, asked=True))
        elif each.source.url:
            moment = _due(session, place, each.source, tried)
            if moment is None or moment <= now:
                others.append(each)
    return urgent + others


def next_due(session: Session, place: Place, source: Source) -> datetime | None:
    """When a source is refreshed next; None: at once, or never (a file, or switched off)."""
    last = stored.last_refreshes(session, place.owner_id, place.gateway_id).get(source.key)
    return _due(session, place, source, last) if source.enabled and source.url else None


def _due(session: Session, place: Place, source: Source, last: ListRefresh | None) -> datetime | None:
    if last is None:
        return None
    failed = stored.failures(session, place.owner_id, place.gateway_id, source.key)
    return due_at(last.finished_at, source.interval_s, failed, f"{place.gateway_id} {source.key}")
