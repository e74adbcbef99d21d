"""Personal access tokens as they are kept: finding, listing, revoking and forgetting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import contains_eager, joinedload

from gateway.storage.api_models import ApiToken
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
from gateway.storage.staff_models import Staff

SHOWN = 500
KEPT_AFTER = timedelta(days=30)
"""For how long a token that has ended stays in the lists."""


def by_sha256(session: Session, token_sha256: str) -> ApiToken | None:
    """The token with this hash, with its account."""
    return session.scalars(
        select(ApiToken).options(joinedload(ApiToken.staff)).where(ApiToken.token_sha256 == token_sha256)
    ).one_or_none()


def by_id(session: Session, owner_id: str, token_id: str) -> ApiToken | None:
    """The token that pages name so, with its account."""
    return session.scalars(
        select(ApiToken)
        .join(Staff, Staff.id == ApiToken.staff_id)
        .options(joinedload(ApiToken.staff))
        .where(ApiToken.id == token_id, Staff.owner_id == owner_id)
    ).one_or_none()


def of_staff(session: Session, staff_id: str) -> Sequence[ApiToken]:
    """The tokens of an account, the newest first, with those that ended lately."""
    return session.scalars(
        select(ApiToken)
        .options(joinedload(ApiToken.staff))
        .where(ApiToken.staff_id == staff_id)
        .order_by(ApiToken.created_at.desc(), ApiToken.id)
        .limit(SHOWN)
    ).all()


def of_owner(session: Session, owner_id: str) -> Sequence[ApiToken]:
    """The tokens of every account of an owner, with it, the newest first."""
    return session.scalars(
        select(ApiToken)
        .join(Staff, Staff.id == ApiToken.staff_id)
        .options(joinedload(ApiToken.staff))
        .where(Staff.owner_id == owner_id)
        .order_by(ApiToken.created_at.desc(), ApiToken.id)
        .limit(SHOWN)
    ).all()


def page_of_tokens(session: Session, owner_id: str, cut: Cut, staff_id: str = "") -> Part[ApiToken]:
    """A part of the tokens of an owner's accounts, or of one account, with these, in the order in which they were made;
    a place is (that moment, id).
    """
    query = (
        select(ApiToken)
        .join(Staff, Staff.id == ApiToken.staff_id)
        .options(contains_eager(ApiToken.staff))
        .where(Staff.owner_id == owner_id)
    )
    if staff_id:
        query = query.where(ApiToken.staff_id == staff_id)

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[ApiToken]:
        rest = query.where(*beyond(ApiToken.created_at, ApiToken.id, place, descending=descending))
        return session.scalars(
            rest.order_by(*in_order(ApiToken.created_at, ApiToken.id, descending=descending)).limit(limit)
        ).all()

    return part(cut, fetch)


def names_usable(session: Session, staff_id: str, now: datetime) -> Sequence[str]:
    """The names of the tokens of an account that work at `now`."""
    usable = (ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    return session.scalars(select(ApiToken.name).where(*usable)).all()


def names_revoked(session: Session, staff_id: str, since: datetime) -> Sequence[str]:
    """The names of the tokens of an account that were revoked after `since`."""
    return session.scalars(
        select(ApiToken.name).where(ApiToken.staff_id == staff_id, ApiToken.revoked_at > since)
    ).all()


def revoke_all(session: Session, staff_id: str, now: datetime) -> None:
    """Revoke every token of an account."""
    session.execute(
        update(ApiToken).where(ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None)).values(revoked_at=now)
    )


def forget(session: Session, owner_id: str, now: datetime) -> None:
    """Delete the tokens that ended longer ago than they are kept."""
    old = now - KEPT_AFTER
    of_us = select(Staff.id).where(Staff.owner_id == owner_id)
    session.execute(
        delete(ApiToken).where(
            ApiToken.staff_id.in_(of_us), or_(ApiToken.expires_at <= old, ApiToken.revoked_at <= old)
        )
    )
