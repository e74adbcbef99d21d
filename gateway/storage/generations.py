"""Policy drafts and published generations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, Integer, Text, bindparam, cast, column, func, select, true
from sqlalchemy.orm import defer

from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, in_order, part, within
from gateway.storage.policy_models import PolicyDraft, PolicyGeneration


def in_force(session: Session, owner_id: str) -> PolicyGeneration | None:
    """The highest generation of an owner."""
    return session.scalars(
        select(PolicyGeneration)
        .where(PolicyGeneration.owner_id == owner_id)
        .order_by(PolicyGeneration.generation.desc())
        .limit(1)
    ).one_or_none()


def in_force_at(session: Session, owner_id: str, moment: datetime) -> PolicyGeneration | None:
    """The generation that was published last at `moment`."""
    return session.scalars(
        select(PolicyGeneration)
        .where(PolicyGeneration.owner_id == owner_id, PolicyGeneration.published_at <= moment)
        .order_by(PolicyGeneration.generation.desc())
        .limit(1)
    ).one_or_none()


def newest(session: Session, owner_id: str) -> int:
    """The number of the generation in force; 0 when there is none."""
    return session.execute(_NEWEST_NUMBER, {"owner": owner_id}).scalar_one() or 0


_GENERATION = table_of(PolicyGeneration).c
_NEWEST_NUMBER = select(func.max(_GENERATION.generation)).where(_GENERATION.owner_id == bindparam("owner"))


def history(session: Session, owner_id: str, limit: int = 50, before: int | None = None) -> Sequence[PolicyGeneration]:
    """The newest generations, newest first; those before the number `before`."""
    query = select(PolicyGeneration).where(PolicyGeneration.owner_id == owner_id)
    if before is not None:
        query = query.where(PolicyGeneration.generation < before)
    return session.scalars(query.order_by(PolicyGeneration.generation.desc()).limit(limit)).all()


def page_of_generations(
    session: Session, owner_id: str, since: datetime | None, until: datetime | None, cut: Cut
) -> Part[PolicyGeneration]:
    """A part of the generations with `since` ≤ published < `until`, by when they were published; a place is
    (published, generation). Their documents are not read.
    """
    query = select(PolicyGeneration).options(defer(PolicyGeneration.document, raiseload=True))
    query = query.where(PolicyGeneration.owner_id == owner_id)
    by = PolicyGeneration.published_at, PolicyGeneration.generation

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[PolicyGeneration]:
        rest = query.where(*within(*by, since, until, place, descending=descending))
        return session.scalars(rest.order_by(*in_order(*by, descending=descending)).limit(limit)).all()

    return part(cut, fetch)


def by_number(session: Session, owner_id: str, generation: int) -> PolicyGeneration | None:
    """One generation of an owner."""
    return session.scalars(
        select(PolicyGeneration).where(PolicyGeneration.owner_id == owner_id, PolicyGeneration.generation == generation)
    ).one_or_none()


def documents(session: Session, owner_id: str, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The generations after one, oldest first, and what each says, as it was published."""
    for number, document in session.execute(
        select(PolicyGeneration.generation, PolicyGeneration.document)
        .where(PolicyGeneration.owner_id == owner_id, PolicyGeneration.generation > after)
        .order_by(PolicyGeneration.generation)
    ):
        yield number, dict(document)


def group_marks(session: Session, owner_id: str) -> Sequence[tuple[int, str, int, int]]:
    """Every mark that a published group has had: (mark, group, first generation, last generation), by the last.

    The documents are read by the database: there can be thousands, and whoever asks may hold the lock of writers.
    """
    whole = PolicyGeneration.document
    if session.get_bind().dialect.name == "sqlite":
        groups = func.json_each(whole, "$.groups").table_valued("key", "value")
        mark = cast(func.json_extract(groups.c.value, "$.mark"), Integer)
    else:
        groups = func.json_each(whole["groups"]).table_valued(column("key", Text), column("value", JSON))
        mark = cast(groups.c.value["mark"].as_string(), Integer)
    last = func.max(PolicyGeneration.generation)
    rows = session.execute(
        select(mark, groups.c.key, func.min(PolicyGeneration.generation), last)
        .select_from(PolicyGeneration)
        .join(groups, true())
        .where(PolicyGeneration.owner_id == owner_id)
        .group_by(mark, groups.c.key)
        .order_by(last)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows if row[0] is not None]


def draft(session: Session, owner_id: str) -> dict[str, Any] | None:
    """The document being worked on; else the one in force; else None."""
    row = session.get(PolicyDraft, owner_id)
    if row is not None:
        return dict(row.document)
    published = in_force(session, owner_id)
    return dict(published.document) if published is not None else None


def save_draft(
    session: Session,
    owner_id: str,
    document: Mapping[str, Any],
    now: datetime,
    by: str = "",
    base_generation: int | None = None,
) -> None:
    """Keep `document` as the owner's draft. A new one begins with the generation in force; one that is there keeps its
    beginning, unless `base_generation` says that it has taken in everything of a later one.
    """
    row = session.get(PolicyDraft, owner_id)
    if row is None:
        base = newest(session, owner_id) if base_generation is None else base_generation
        row = PolicyDraft(owner_id=owner_id, base_generation=base)
        session.add(row)
    elif base_generation is not None:
        row.base_generation = base_generation
    row.document, row.changed_at, row.changed_by = dict(document), now, by
    session.flush()


def draft_row(session: Session, owner_id: str) -> PolicyDraft | None:
    """The draft as it is kept; None when nobody works on one."""
    return session.get(PolicyDraft, owner_id)


def drop_draft(session: Session, owner_id: str) -> None:
    """Forget the draft, as after publishing it."""
    row = session.get(PolicyDraft, owner_id)
    if row is not None:
        session.delete(row)
        session.flush()


def mark_of(session: Session, owner_id: str, group_key: str) -> int | None:
    """The mark of a group in the policy in force; None when there is no such group, or no policy."""
    found = _groups(session, owner_id).get(group_key)
    return found.mark if found is not None else None


def like_of(session: Session, owner_id: str, group_key: str) -> str:
    """The group whose rules a group has in the policy in force; "" for one with its own, or that is not there."""
    found = _groups(session, owner_id).get(group_key)
    return found.like if found is not None else ""


def has_exemption(session: Session, owner_id: str, group_key: str, now: datetime) -> bool:
    """Whether an exemption of this very group is in force, by the policy in force."""
    found = _groups(session, owner_id).get(group_key)
    return found is not None and any(
        datetime.fromisoformat(each["from"]) <= now < datetime.fromisoformat(each["until"]) for each in found.exemptions
    )


class _Group(NamedTuple):
    mark: int
    like: str
    exemptions: tuple[Mapping[str, Any], ...]


def _groups(session: Session, owner_id: str) -> Mapping[str, _Group]:
    row = session.execute(_NEWEST_HASH, {"owner": owner_id}).one_or_none()
    if row is None:
        return {}
    kept = _kept.get(owner_id)
    if kept is None or kept[0] != row.sha256:
        published = by_number(session, owner_id, row.generation)
        document = published.document if published is not None else {}
        exemptions: dict[str, list[Mapping[str, Any]]] = {}
        for each in document.get("exemptions", []):
            exemptions.setdefault(each["group"], []).append(each)
        found = {
            key: _Group(int(group["mark"]), str(group.get("like", "")), tuple(exemptions.get(key, ())))
            for key, group in document.get("groups", {}).items()
        }
        kept = _kept[owner_id] = row.sha256, found
    return kept[1]


_NEWEST_HASH = (
    select(_GENERATION.generation, _GENERATION.sha256)
    .where(_GENERATION.owner_id == bindparam("owner"))
    .order_by(_GENERATION.generation.desc())
    .limit(1)
)

_kept: dict[str, tuple[str, dict[str, _Group]]] = {}
"""The mark of each of an owner's groups, the one that it is like, and its exemptions, by the SHA-256 of their document,
as every acceptance asks for one.
"""
