"""DNS answers by hour, group and category, and top names by hour: added up, read and forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import delete, func, literal, select, union_all, update

from gateway.storage.dns_models import DnsAnswers, DnsTopName
from gateway.storage.engine import Session
from gateway.storage.models import Gateway, Site

KEEP_ANSWERS = timedelta(days=400)
KEEP_NAMES = timedelta(hours=24)
HOUR = timedelta(hours=1)
NAMES_TOLD = 1_000

AnswerKey = tuple[datetime, str, str, str]
"""Beginning of the hour, group, outcome, category."""
NameKey = tuple[datetime, str, str, str, str]
"""The same, and the name."""


@dataclass(frozen=True)
class Answers:
    """Answers of one group that came out alike."""

    group: str
    outcome: str
    category: str
    answers: int


@dataclass(frozen=True)
class TopName:
    """A name that many devices of a group asked for in the last 24 hours, and how often."""

    group: str
    outcome: str
    category: str
    name: str
    asked: int


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def add_answers(session: Session, owner_id: str, gateway_id: str, counts: Mapping[AnswerKey, int]) -> None:
    """Add answers to those of their hours. One gateway's are written by one process."""
    for (hour, group, outcome, category), count in counts.items():
        key = {
            "owner_id": owner_id, "gateway_id": gateway_id, "hour": hour,
            "group_key": group, "outcome": outcome, "category": category,
        }  # fmt: skip
        added = session.execute(
            update(DnsAnswers).filter_by(**key).values(answers=DnsAnswers.answers + count).returning(DnsAnswers.hour)
        )
        if added.first() is None:
            session.add(DnsAnswers(**key, answers=count))
            session.flush()


def add_names(session: Session, owner_id: str, gateway_id: str, counts: Mapping[NameKey, int]) -> None:
    """Add to how often top names were asked for. One gateway's are written by one process."""
    for (hour, group, outcome, category, name), count in counts.items():
        key = {
            "owner_id": owner_id, "gateway_id": gateway_id, "hour": hour,
            "group_key": group, "outcome": outcome, "category": category, "name": name,
        }  # fmt: skip
        added = session.execute(
            update(DnsTopName).filter_by(**key).values(asked=DnsTopName.asked + count).returning(DnsTopName.hour)
        )
        if added.first() is None:
            session.add(DnsTopName(**key, asked=count))
            session.flush()


def answers_between(session: Session, owner_id: str, start: datetime, end: datetime) -> Sequence[Answers]:
    """The owner's answers of whole hours from `start` until `end`, the most frequent first."""
    total = func.sum(DnsAnswers.answers)
    rows = session.execute(
        select(DnsAnswers.group_key, DnsAnswers.outcome, DnsAnswers.category, total)
        .where(DnsAnswers.owner_id == owner_id, DnsAnswers.hour >= start, DnsAnswers.hour < end)
        .group_by(DnsAnswers.group_key, DnsAnswers.outcome, DnsAnswers.category)
        .order_by(total.desc(), DnsAnswers.group_key, DnsAnswers.outcome, DnsAnswers.category)
    )
    return [Answers(group, outcome, category, int(count)) for group, outcome, category, count in rows]


def answers_in_periods(
    session: Session, owner_id: str, outcomes: Collection[str], bounds: Sequence[datetime]
) -> Sequence[tuple[int, str, int]]:
    """(period, category, answers) of the owner that came out as one of `outcomes`: what a chart is drawn of.

    Period 0 is from the first of `bounds`, whole hours that rise, until the second, and so on.
    """
    gateways = select(Gateway.id).join(Site, Site.id == Gateway.site_id).where(Site.owner_id == owner_id)
    periods = [
        select(literal(period), DnsAnswers.category, func.sum(DnsAnswers.answers))
        .where(
            DnsAnswers.owner_id == owner_id,
            DnsAnswers.gateway_id.in_(gateways),  # which makes a range of the key's third column
            DnsAnswers.hour >= start,
            DnsAnswers.hour < end,
            DnsAnswers.outcome.in_(outcomes),
        )
        .group_by(DnsAnswers.category)
        for period, (start, end) in enumerate(pairwise(bounds))
    ]
    return [(period, category, int(count)) for period, category, count in session.execute(union_all(*periods))]


def top_names(session: Session, owner_id: str, now: datetime, limit: int = NAMES_TOLD) -> Sequence[TopName]:
    """The names of the last 24 hours, the most asked for first. Older ones aren't read even where they still are."""
    total = func.sum(DnsTopName.asked)
    by = (DnsTopName.group_key, DnsTopName.outcome, DnsTopName.category, DnsTopName.name)
    rows = session.execute(
        select(*by, total)
        .where(DnsTopName.owner_id == owner_id, DnsTopName.hour > now - KEEP_NAMES)
        .group_by(*by)
        .order_by(total.desc(), *by)
        .limit(limit)
    )
    return [TopName(group, outcome, category, name, int(n)) for group, outcome, category, name, n in rows]


def forget(session: Session, owner_id: str, kept_groups: Collection[str], now: datetime) -> None:
    """Delete what is too old, and every name of a group that is not among `kept_groups`."""
    session.execute(delete(DnsAnswers).where(DnsAnswers.owner_id == owner_id, DnsAnswers.hour < now - KEEP_ANSWERS))
    names = delete(DnsTopName).where(DnsTopName.owner_id == owner_id)
    session.execute(names.where(DnsTopName.hour <= now - KEEP_NAMES))
    session.execute(names.where(DnsTopName.group_key.not_in(kept_groups)))
