"""Drafts of the rules, and the access that stands on rules which a new version replaces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select

from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Gateway, Grant, Network, RulesVersion, Site
from gateway.storage.rules import groups_with_rules
from gateway.storage.rules_draft_models import RulesDraft


def find(session: Session, owner_id: str, group_key: str) -> RulesDraft | None:
    """The draft of a group, as it is now."""
    return session.get(RulesDraft, (owner_id, group_key), populate_existing=True)


def all_of(session: Session, owner_id: str) -> Sequence[RulesDraft]:
    """Every draft, everybody's first."""
    return session.scalars(
        select(RulesDraft).where(RulesDraft.owner_id == owner_id).order_by(RulesDraft.group_key)
    ).all()


def save(session: Session, draft: RulesDraft) -> None:
    """Keep `draft` in place of the one of its owner and group, if there is one."""
    session.merge(draft)
    session.flush()


def drop(session: Session, owner_id: str, group_key: str) -> None:
    """Forget the draft, as after publishing it."""
    draft = find(session, owner_id, group_key)
    if draft is not None:
        session.delete(draft)
        session.flush()


def labels(session: Session, owner_id: str) -> frozenset[str]:
    """What the published versions are called."""
    return frozenset(session.scalars(select(RulesVersion.label).where(RulesVersion.owner_id == owner_id)))


def label_of(session: Session, version_id: str) -> str | None:
    """What a published version is called."""
    return session.scalar(select(RulesVersion.label).where(RulesVersion.id == version_id))


def grants_reached(
    session: Session, owner_id: str, group_key: str, now: datetime, accepted: Collection[str] = ()
) -> Sequence[str]:
    """The grants in force that stand on an acceptance, on the networks whose guests are asked for the rules of this
    group: its own networks; for "" those of every group that has no rules of its own. Not those on the versions
    `accepted`.
    """
    reached = _reached(owner_id, group_key, now)
    if accepted:
        reached = reached.join(Acceptance, Acceptance.id == Grant.acceptance_id).where(
            Acceptance.rules_version_id.not_in(accepted)
        )
    return session.scalars(reached.order_by(Grant.id)).all()


def count_reached(session: Session, owner_id: str, group_key: str, now: datetime) -> int:
    """How many `grants_reached` has."""
    return session.scalar(select(func.count()).select_from(_reached(owner_id, group_key, now).subquery())) or 0


def _reached(owner_id: str, group_key: str, now: datetime) -> Select[str]:
    own = groups_with_rules(now).where(RulesVersion.owner_id == owner_id)
    return (
        select(Grant.id)
        .join(Network, Network.id == Grant.network_id)
        .join(Gateway, Gateway.id == Network.gateway_id)
        .join(Site, Site.id == Gateway.site_id)
        .where(
            Site.owner_id == owner_id,
            Network.group_key == group_key if group_key else Network.group_key.not_in(own),
            Grant.acceptance_id.is_not(None),
            Grant.revoked_at.is_(None),
            Grant.ends_at > now,
        )
    )
