"""Published versions of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select

from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
from gateway.storage.models import RulesVersion

_last_in_force: dict[tuple[str, str], RulesVersion] = {}
"""The version in force of each owner and group when it was last asked for. Versions never change: the id says all."""


def version_in_force(session: Session, owner_id: str, group_key: str = "") -> RulesVersion | None:
    """The version published last for the group, else for everybody, with its texts.

    To be read only: it belongs to no session, and is kept. Every guest asks for it, and the texts are by far the
    largest thing that a guest's page needs of the database.
    """
    newest = session.execute(_NEWEST, {"owner": owner_id, "group": group_key}).scalar_one_or_none()
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


_VERSION = table_of(RulesVersion).c
_NEWEST = (
    select(_VERSION.id)
    .where(
        _VERSION.owner_id == bindparam("owner"), or_(_VERSION.group_key == "", _VERSION.group_key == bindparam("group"))
    )
    .order_by((_VERSION.group_key == "").asc(), _VERSION.published_at.desc(), _VERSION.id.desc())
    .limit(1)
)


def versions(session: Session, owner_id: str) -> Sequence[RulesVersion]:
    """Every version, newest first."""
    return session.scalars(
        select(RulesVersion)
        .where(RulesVersion.owner_id == owner_id)
        .order_by(RulesVersion.published_at.desc(), RulesVersion.id.desc())
    ).all()


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
