"""Owners, sites, gateways and networks: the installation's own place among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, update

from gateway.errors import UsageError
from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.models import Gateway, Network, Owner, Site

ADVISORY_LOCK = 0x676A6574  # two gateways of one owner that are set up at once on one PostgreSQL take turns


@dataclass(frozen=True)
class Place:
    """Where this machine stands: identifiers of its owner, site and gateway."""

    owner_id: str
    owner_key: str
    log_origin: str
    site_id: str
    site_key: str
    gateway_id: str


def find_place(session: Session, owner_key: str, site_key: str, gateway_key: str) -> Place | None:
    """The place that these keys name, if it has been set up."""
    row = session.execute(
        select(Owner, Site, Gateway)
        .join(Site, Site.owner_id == Owner.id)
        .join(Gateway, Gateway.site_id == Site.id)
        .where(Owner.key == owner_key, Site.key == site_key, Gateway.key == gateway_key)
    ).one_or_none()
    if row is None:
        return None
    owner, site, gateway = row
    return Place(owner.id, owner.key, owner.log_origin, site.id, site.key, gateway.id)


def add_place(
    session: Session,
    *,
    owner_key: str,
    owner_name: str,
    log_origin: str,
    site_key: str,
    gateway_key: str,
    interfaces: Sequence[str],
    now: datetime,
) -> Place:
    """Set up what is missing of a place, and its guest networks; an owner's name may change.

    An owner's `log_origin` is fixed by its first set-up: it names the log for ever.
    Raises: UsageError when it differs from that, or names another owner's log.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    problem = origin_problem(session, owner_key, log_origin)
    if problem:
        raise UsageError(problem)
    owner = session.scalars(select(Owner).where(Owner.key == owner_key)).one_or_none()
    if owner is None:
        owner = Owner(key=owner_key, name=owner_name, log_origin=log_origin, created_at=now)
        session.add(owner)
        session.flush()
    owner.name = owner_name
    site = session.scalars(select(Site).where(Site.owner_id == owner.id, Site.key == site_key)).one_or_none()
    if site is None:
        site = Site(owner_id=owner.id, key=site_key)
        session.add(site)
        session.flush()
    gateway = session.scalars(
        select(Gateway).where(Gateway.site_id == site.id, Gateway.key == gateway_key)
    ).one_or_none()
    if gateway is None:
        gateway = Gateway(site_id=site.id, key=gateway_key)
        session.add(gateway)
        session.flush()
    known = set(session.scalars(select(Network.interface).where(Network.gateway_id == gateway.id)))
    for interface in interfaces:
        if interface not in known:
            session.add(Network(gateway_id=gateway.id, interface=interface, group_key="default"))
    session.flush()
    return Place(owner.id, owner.key, owner.log_origin, site.id, site.key, gateway.id)


def origin_problem(session: Session, owner_key: str, log_origin: str) -> str:
    """Why an owner's log can't have this name, and what to do; "" when it can."""
    begun = session.scalars(select(Owner.log_origin).where(Owner.key == owner_key)).one_or_none()
    if begun is not None and begun != log_origin:
        return (
            f"owner.log_origin is {log_origin}, but the log of {owner_key} was begun as {begun} and keeps that name for"
            " ever; set it back, or begin a new installation with an empty --state directory (or database)"
        )
    holder = session.scalars(select(Owner.key).where(Owner.log_origin == log_origin)).one_or_none()
    if holder is not None and begun is None:
        return (
            f"owner.log_origin {log_origin} names the log of owner {holder}, and owner.key is {owner_key}; set the key"
            " back, or choose another owner.log_origin for another owner"
        )
    return ""


def site_keys(session: Session, owner_id: str) -> dict[str, str]:
    """The owner's sites: key → identifier, by key."""
    rows = session.execute(select(Site.key, Site.id).where(Site.owner_id == owner_id).order_by(Site.key)).all()
    return {row.key: row.id for row in rows}


def lock_owner(session: Session, owner_id: str) -> None:
    """Hold the owner's row until the transaction ends, so that two publications take turns."""
    session.execute(select(Owner.id).where(Owner.id == owner_id).with_for_update())


class GuestNetwork(NamedTuple):
    """A guest network: its identifier, and the policy group that its guests begin in."""

    id: str
    group_key: str


def network_on(session: Session, gateway_id: str, interface: str) -> GuestNetwork | None:
    """The guest network that this gateway serves on `interface`."""
    row = session.execute(_NETWORK_ON, {"gateway": gateway_id, "interface": interface}).one_or_none()
    return GuestNetwork(*row) if row is not None else None


_NETWORK = table_of(Network).c
_NETWORK_ON = select(_NETWORK.id, _NETWORK.group_key).where(
    _NETWORK.gateway_id == bindparam("gateway"), _NETWORK.interface == bindparam("interface")
)


def networks(session: Session, owner_id: str) -> Sequence[tuple[str, str]]:
    """(interface, group key) of every guest network of an owner, on any gateway."""
    rows = session.execute(
        select(Network.interface, Network.group_key)
        .join(Gateway, Gateway.id == Network.gateway_id)
        .join(Site, Site.id == Gateway.site_id)
        .where(Site.owner_id == owner_id)
        .order_by(Network.interface, Network.group_key)
        .distinct()
    )
    return [(interface, group) for interface, group in rows]


def of_gateway(session: Session, gateway_id: str) -> dict[str, str]:
    """The parts of a `Place` that say which gateway it is, and at which site."""
    row = session.execute(
        select(Site.id, Site.key).join(Gateway, Gateway.site_id == Site.id).where(Gateway.id == gateway_id)
    ).one()
    return {"gateway_id": gateway_id, "site_id": row.id, "site_key": row.key}


def log_key(session: Session, owner_id: str) -> str | None:
    """The public key (vkey) of the owner's log; None before one was made."""
    return session.scalars(select(Owner.log_key).where(Owner.id == owner_id)).one()


def find_owner(session: Session, owner_key: str) -> str | None:
    """The identifier of the owner with this key, if it has been set up."""
    return session.scalars(select(Owner.id).where(Owner.key == owner_key)).one_or_none()


def set_log_key(session: Session, owner_id: str, vkey: str) -> None:
    """Write down the public key of a log that has none yet."""
    session.execute(update(Owner).where(Owner.id == owner_id, Owner.log_key.is_(None)).values(log_key=vkey))


def replace_log_key(session: Session, owner_id: str, old_vkey: str, new_vkey: str) -> bool:
    """Write down that the log has another public key now; False when `old_vkey` was not the one that it had."""
    changed = session.execute(
        update(Owner)
        .where(Owner.id == owner_id, Owner.log_key == old_vkey)
        .values(log_key=new_vkey)
        .returning(Owner.id)
    )
    return changed.one_or_none() is not None
