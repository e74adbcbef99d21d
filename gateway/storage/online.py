"""Who is online: what can be asked of the grants in force, how many there are, and the whole of a page.

Networks bound the search: their index of grants by end holds what is over apart from what is not, so that history costs
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select

from gateway.storage.base import table_of
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.grants import SHOWN
from gateway.storage.keyset import aside
from gateway.storage.models import Gateway, Grant, Network, Site

Kind = Literal["", "accepted", "admitted"]
Along = Literal["ends", "starts", ""]
"""By which time of grants an index is read; by neither where they are found otherwise."""
BATCH_IDS = 500


@dataclass(frozen=True, slots=True)
class OnlineQuery:
    """What is asked for; "" and None ask for nothing. `network`: an interface. `through`: whether a gateway has let the
    device through. `word`: of a name, an organisation, a course or an address; `macs` fit whatever the word is.
    """

    group_key: str = ""
    network: str = ""
    course_id: str = ""
    kind: Kind = ""
    through: bool | None = None
    word: str = ""
    macs: frozenset[str] = frozenset()


ALL = OnlineQuery()


def count(session: Session, owner_id: str, now: datetime, *, most: int | None = None) -> int:
    """How many grants of the owner are in force; counted no further than `most`."""
    found = select(GRANT.c.id).where(*in_force(GRANT.c, networks_of(session, owner_id), now)).limit(most)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


def whole(session: Session, grant_ids: Sequence[str]) -> list[Grant]:
    """These grants with all that is shown of them, in this order; those that are gone are left out."""
    found = {
        grant.id: grant
        for start in range(0, len(grant_ids), BATCH_IDS)
        for grant in session.scalars(
            select(Grant).options(*SHOWN).where(Grant.id.in_(grant_ids[start : start + BATCH_IDS]))
        )
    }
    return [found[grant_id] for grant_id in grant_ids if grant_id in found]


def courses(session: Session, owner_id: str, now: datetime) -> Sequence[tuple[str, str]]:
    """(id, title) of the courses that anybody online has a seat in, by title."""
    of_it = in_force(GRANT.c, None, now)
    seats = select(GRANT.c.id).where(GRANT.c.course_id == _COURSE.c.id, *of_it).exists()
    rows = session.execute(
        select(_COURSE.c.id, _COURSE.c.title)
        .where(_COURSE.c.owner_id == owner_id, _COURSE.c.ends_at > now, seats)
        .order_by(_COURSE.c.title, _COURSE.c.id)
    )
    return [(row[0], row[1]) for row in rows]


def networks_of(session: Session, owner_id: str, interface: str = "") -> Sequence[str]:
    """The owner's guest networks; those of an interface only."""
    found = select(Network.id).join(Gateway, Gateway.id == Network.gateway_id).join(Site, Site.id == Gateway.site_id)
    named = [Network.interface == interface] if interface else []
    return session.scalars(found.where(Site.owner_id == owner_id, *named)).all()


GRANT = table_of(Grant)
_COURSE = table_of(Course)


def in_force(
    of: Any, networks: Sequence[str] | None, now: datetime, *, along: Along = "ends"
) -> list[ColumnElement[bool]]:
    """That a grant is in force on one of these networks, or on any."""
    network = of.network_id if along else aside(of.network_id)
    return [
        *([] if networks is None else [network.in_(networks)]),
        (of.ends_at if along == "ends" else aside(of.ends_at)) > now,
        of.revoked_at.is_(None),
        (of.starts_at if along == "starts" else aside(of.starts_at)) <= now,
    ]
