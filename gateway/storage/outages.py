"""Guest networks that are not as usual: which, how, until when, and what guests are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import bindparam, delete, select, update

from gateway.storage.base import table_of
from gateway.storage.control_models import NetworkOutage
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Gateway, Network, Site

Mode = Literal["closed", "rules_only"]


class Outage(NamedTuple):
    """What a guest network is switched to, and until when. `notices`: language → what guests are told."""

    mode: Mode
    ends_at: datetime
    applied: bool
    group_key: str
    notices: Mapping[str, str]


class NetworkRow(NamedTuple):
    """A guest network of the owner, where it is, and what it is switched to now, if anything."""

    id: str
    interface: str
    group_key: str
    gateway_id: str
    gateway_key: str
    site_key: str
    outage: NetworkOutage | None


def on(session: Session, gateway_id: str, interface: str, now: datetime) -> Outage | None:
    """What the network on this interface of the gateway is switched to now; None as usual. Every request of a guest
    asks it.
    """
    row = session.execute(_ON, {"gateway": gateway_id, "interface": interface, "now": now}).one_or_none()
    return None if row is None else Outage(cast(Mode, row[0]), row[1], row[2] is not None, row[3], row[4])


_OUTAGE, _NETWORK = table_of(NetworkOutage).c, table_of(Network).c
_ON = (
    select(_OUTAGE.mode, _OUTAGE.ends_at, _OUTAGE.applied_at, _NETWORK.group_key, _OUTAGE.notices)
    .join_from(table_of(NetworkOutage), table_of(Network), _NETWORK.id == _OUTAGE.network_id)
    .where(
        _NETWORK.gateway_id == bindparam("gateway"),
        _NETWORK.interface == bindparam("interface"),
        _OUTAGE.ends_at > bindparam("now"),
    )
)


def networks(session: Session, owner_id: str, now: datetime) -> Sequence[NetworkRow]:
    """The owner's guest networks, by site, gateway and interface."""
    rows = session.execute(
        select(Network, Gateway.key, Site.key, NetworkOutage)
        .join(Gateway, Gateway.id == Network.gateway_id)
        .join(Site, Site.id == Gateway.site_id)
        .outerjoin(NetworkOutage, (NetworkOutage.network_id == Network.id) & (NetworkOutage.ends_at > now))
        .where(Site.owner_id == owner_id)
        .order_by(Site.key, Gateway.key, Network.interface)
    ).all()
    return [
        NetworkRow(network.id, network.interface, network.group_key, network.gateway_id, gateway, site, outage)
        for network, gateway, site, outage in rows
    ]


def in_force(session: Session, owner_id: str, now: datetime) -> bool:
    """Whether any guest network of the owner is not as usual."""
    return any(row.outage is not None for row in networks(session, owner_id, now))


def of_gateway(session: Session, gateway_id: str, now: datetime) -> Sequence[tuple[str, str, Mode, str, datetime]]:
    """(network id, interface, mode, group, ends_at) of what the gateway must switch."""
    return [
        (row[0], row[1], cast(Mode, row[2]), row[3], row[4])
        for row in session.execute(
            select(Network.id, Network.interface, NetworkOutage.mode, Network.group_key, NetworkOutage.ends_at)
            .join(NetworkOutage, NetworkOutage.network_id == Network.id)
            .where(Network.gateway_id == gateway_id, NetworkOutage.ends_at > now)
        )
    ]


def put(session: Session, network_id: str, values: Mapping[str, Any]) -> None:
    """Switch the network, in place of what it was switched to before. `values` are by column."""
    session.execute(delete(NetworkOutage).where(NetworkOutage.network_id == network_id))
    session.add(NetworkOutage(network_id=network_id, applied_at=None, **values))
    session.flush()
    announce(session, "grants")


def clear(session: Session, network_id: str) -> None:
    """The network is as usual again."""
    session.execute(delete(NetworkOutage).where(NetworkOutage.network_id == network_id))
    session.expire_all()
    announce(session, "grants")


def record_applied(session: Session, network_ids: Collection[str], now: datetime) -> None:
    """Write down that the gateway of these networks does what they are switched to."""
    session.execute(
        update(NetworkOutage)
        .where(NetworkOutage.network_id.in_(list(network_ids)), NetworkOutage.applied_at.is_(None))
        .values(applied_at=now)
        .execution_options(synchronize_session=False)
    )


def forget_ended(session: Session, owner_id: str, now: datetime) -> int:
    """Delete what is over; returns how many there were."""
    theirs = select(Network.id).join(Gateway).join(Site).where(Site.owner_id == owner_id)
    gone = session.execute(
        delete(NetworkOutage)
        .where(NetworkOutage.network_id.in_(theirs), NetworkOutage.ends_at <= now)
        .returning(NetworkOutage.network_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
