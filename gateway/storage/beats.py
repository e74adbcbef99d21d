"""When each service of a gateway was last at work, as they write it down themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update

from gateway.storage.beat_models import ServiceBeat
from gateway.storage.engine import Session
from gateway.storage.models import Gateway, Site


def beat(session: Session, gateway_id: str, service: str, now: datetime) -> None:
    """Note that the service is at work. One service of a gateway is one process."""
    key = {"gateway_id": gateway_id, "service": service}
    found = session.execute(update(ServiceBeat).filter_by(**key).values(at=now).returning(ServiceBeat.service))
    if found.first() is None:
        session.add(ServiceBeat(**key, at=now))
        session.flush()


def is_beating(session: Session, owner_id: str, service: str, since: datetime) -> bool:
    """Whether this service has been at work since then on any gateway of the owner."""
    found = (
        select(ServiceBeat.gateway_id)
        .join(Gateway, Gateway.id == ServiceBeat.gateway_id)
        .join(Site, Site.id == Gateway.site_id)
        .where(Site.owner_id == owner_id, ServiceBeat.service == service, ServiceBeat.at >= since)
    )
    return session.scalars(found.limit(1)).first() is not None


class SeenGateway(NamedTuple):
    """A gateway of the owner, and when one of its services was last at work; None: never."""

    id: str
    site: str
    key: str
    at: datetime | None


def gateways(session: Session, owner_id: str) -> list[SeenGateway]:
    """The owner's gateways, by site and key."""
    rows = session.execute(
        select(Gateway.id, Site.key, Gateway.key, func.max(ServiceBeat.at))
        .join(Site, Site.id == Gateway.site_id)
        .outerjoin(ServiceBeat, ServiceBeat.gateway_id == Gateway.id)
        .where(Site.owner_id == owner_id)
        .group_by(Gateway.id, Site.key, Gateway.key)
        .order_by(Site.key, Gateway.key)
    )
    return [SeenGateway(*row) for row in rows]


def beats(session: Session, gateway_id: str) -> Mapping[str, datetime]:
    """Service → when it last was at work; a service that never was is not there."""
    rows = session.scalars(select(ServiceBeat).where(ServiceBeat.gateway_id == gateway_id))
    return {row.service: row.at for row in rows}
