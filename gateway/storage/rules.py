"""Published versions of the rules: which is in force at a moment, and which come into force later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Select, bindparam, exists, func, or_, select

from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
from gateway.storage.models import RulesVersion
from gateway.storage.rules_wait_models import RulesWait

Outcome = Literal["in_force", "withdrawn"]

_last_in_force: dict[tuple[str, str], RulesVersion] = {}
"""The version in force of each owner and group when it was last asked for. Versions never change: the id says all."""


def version_in_force(session: Session, owner_id: str, group_key: str = "", *, now: datetime) -> RulesVersion | None:
    """The version that came into force last for the group, else for everybody, with its texts.

    To be read only: it belongs to no session, and is kept. Every guest asks for it, and the texts are by far the
    largest thing that a guest's page needs of the database.
    """
    newest = id_in_force(session, owner_id, group_key, now=now)
    if newest is None:
        return None
    kept = _last_in_force.get((owner_id, group_key))
    if kept is not None and kept.id == newest:
        return kept
    version = session.get(RulesVersion, newest)
    if version is not None:
        for text in version.texts:
            session.expunge(text)
        session.expunge(version)
        _last_in_force[owner_id, group_key] = version
    return version


def id_in_force(session: Session, owner_id: str, group_key: str = "", *, now: datetime) -> str | None:
    """The id of the version that is in force for the group at a moment, which may lie ahead."""
    return session.execute(_NEWEST, {"owner": owner_id, "group": group_key, "now": now}).scalar_one_or_none()


_VERSION, _WAIT = table_of(RulesVersion).c, table_of(RulesWait).c
_WITHDRAWN = exists().where(_WAIT.version_id == _VERSION.id, _WAIT.outcome == "withdrawn")
# A version that was in force at once is so by any clock: those of several gateways differ by moments.
_BEGUN = or_(_VERSION.in_force_from.is_(None), _VERSION.in_force_from <= bindparam("now"))
_NEWEST = (
    select(_VERSION.id)
    .where(
        _VERSION.owner_id == bindparam("owner"),
        or_(_VERSION.group_key == "", _VERSION.group_key == bindparam("group")),
        _BEGUN,
        ~_WITHDRAWN,
    )
    .order_by(
        (_VERSION.group_key == "").asc(),
        func.coalesce(_VERSION.in_force_from, _VERSION.published_at).desc(),
        _VERSION.published_at.desc(),
        _VERSION.id.desc(),
    )
    .limit(1)
)


def groups_with_rules(now: datetime) -> Select[str]:
    """The owners' groups that have rules of their own in force at a moment: a query to be narrowed by owner."""
    return select(RulesVersion.group_key).where(
        RulesVersion.group_key != "",
        or_(RulesVersion.in_force_from.is_(None), RulesVersion.in_force_from <= now),
        ~exists().where(RulesWait.version_id == RulesVersion.id, RulesWait.outcome == "withdrawn"),
    )


def coming(session: Session, owner_id: str, group_key: str = "", *, now: datetime) -> Sequence[RulesVersion]:
    """The versions that will be in force for the group at their moments, as things stand; the next first."""
    return [
        version
        for version in waiting(session, owner_id)
        if version.in_force_from is not None
        and version.in_force_from > now
        and id_in_force(session, owner_id, group_key, now=version.in_force_from) == version.id
    ]


def waiting(session: Session, owner_id: str) -> Sequence[RulesVersion]:
    """The versions with a moment of their own whose wait nobody has ended yet; the next first.

    Of one whose moment is past, the service that does what follows from it has not come to it yet.
    """
    return session.scalars(
        select(RulesVersion)
        .where(
            RulesVersion.owner_id == owner_id,
            RulesVersion.in_force_from.is_not(None),
            ~exists().where(RulesWait.version_id == RulesVersion.id),
        )
        .order_by(RulesVersion.in_force_from, RulesVersion.published_at, RulesVersion.id)
    ).all()


def end_wait(session: Session, version_id: str, outcome: Outcome, now: datetime) -> None:
    """Write down how the wait of a version ended. The caller holds the owner's lock and has looked at `outcomes`."""
    session.add(RulesWait(version_id=version_id, outcome=outcome, ended_at=now))
    session.flush()


def outcomes(session: Session, owner_id: str) -> Mapping[str, Outcome]:
    """How the wait of each version ended, by its id, of those that have waited."""
    rows = session.execute(
        select(RulesWait.version_id, RulesWait.outcome)
        .join(RulesVersion, RulesVersion.id == RulesWait.version_id)
        .where(RulesVersion.owner_id == owner_id)
    )
    return {version_id: "withdrawn" if outcome == "withdrawn" else "in_force" for version_id, outcome in rows}


def versions(session: Session, owner_id: str) -> Sequence[RulesVersion]:
    """Every version, newest first."""
    return session.scalars(
        select(RulesVersion)
        .where(RulesVersion.owner_id == owner_id)
        .order_by(RulesVersion.published_at.desc(), RulesVersion.id.desc())
    ).all()


def version(session: Session, owner_id: str, version_id: str) -> RulesVersion | None:
    """The version with this id."""
    return session.scalars(
        select(RulesVersion).where(RulesVersion.owner_id == owner_id, RulesVersion.id == version_id)
    ).one_or_none()


def page_of_versions(session: Session, owner_id: str, group_key: str | None, cut: Cut) -> Part[RulesVersion]:
    """A part of the versions, those for a group ("" for everybody) or all, by when they were published; a place is
    (published, id).
    """
    query = select(RulesVersion).where(RulesVersion.owner_id == owner_id)
    if group_key is not None:
        query = query.where(RulesVersion.group_key == group_key)
    by = RulesVersion.published_at, RulesVersion.id

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[RulesVersion]:
        rest = query.where(*beyond(*by, place, descending=descending))
        return session.scalars(rest.order_by(*in_order(*by, descending=descending)).limit(limit)).all()

    return part(cut, fetch)


class Label(NamedTuple):
    """What a version is called, and since when."""

    label: str
    published_at: datetime


def newest_labels(session: Session, owner_id: str, limit: int) -> Sequence[Label]:
    """The newest versions by name, without their texts."""
    rows = session.execute(
        select(RulesVersion.label, RulesVersion.published_at)
        .where(RulesVersion.owner_id == owner_id)
        .order_by(RulesVersion.published_at.desc(), RulesVersion.id.desc())
        .limit(limit)
    )
    return [Label(*row) for row in rows]


def version_labelled(session: Session, owner_id: str, label: str) -> RulesVersion | None:
    """The version with this label."""
    return session.scalars(
        select(RulesVersion).where(RulesVersion.owner_id == owner_id, RulesVersion.label == label)
    ).one_or_none()
