"""What an acceptance asks of the database and writes there: statements made once, sent past the object mapper.

Hundreds of guests accept in the same minutes, and each waits for these. Putting statements together and keeping track
of objects would take several times what the database does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, Grant, Visitor, fold, mac_tail
from gateway.storage.types import new_id


def hold_device(session: Session, owner_id: str, mac: str, now: datetime) -> str:
    """The identifier of the device with this address, made if it is new and seen `now`; its row is held until the
    transaction ends, so that two submissions of one device take turns.
    """
    statement = _HOLD_ON_SQLITE if session.get_bind().dialect.name == "sqlite" else _HOLD_ON_POSTGRESQL
    values = {
        "id": new_id(),
        "owner_id": owner_id,
        "mac": mac,
        "mac_tail": mac_tail(mac),
        "first_seen_at": now,
        "last_seen_at": now,
    }
    return str(session.execute(statement, values).scalar_one())


class Standing(NamedTuple):
    """A grant in force that stands on an acceptance, with that one's rules version, receipt code and visitor, and its
    course and group.
    """

    grant_id: str
    ends_at: datetime
    acceptance_id: str
    version_id: str
    receipt_code: str
    course_id: str | None
    visitor_id: str
    group_key: str


def accepted_standing(
    session: Session, device_id: str, network_id: str, now: datetime, *, hold: bool = False
) -> Standing | None:
    """Of the device's grants in force on the network that stand on an acceptance, the one that lasts longest; with
    `hold` nobody changes it until the transaction ends.
    """
    values = {"device": device_id, "network": network_id, "now": now}
    row = session.execute(_STANDING_HELD if hold else _STANDING, values).one_or_none()
    return Standing(*row) if row is not None else None


def hold_standing(session: Session, grant_id: str, now: datetime) -> Standing | None:
    """The grant with this id as `accepted_standing` has it, held, while it is in force."""
    row = session.execute(_STANDING_OF, {"grant": grant_id, "now": now}).one_or_none()
    return Standing(*row) if row is not None else None


def accepted_since(session: Session, device_id: str, moment: datetime) -> bool:
    """Whether anybody has accepted on the device after `moment`."""
    return session.execute(_SINCE, {"device": device_id, "moment": moment}).first() is not None


def end_grant(session: Session, grant_id: str, by: str, now: datetime) -> None:
    """Note that the grant is over before its time, and by whose doing."""
    session.execute(_END, {"grant": grant_id, "by": by, "now": now})


def add_acceptance(
    session: Session, visitor: Mapping[str, Any] | None, acceptance: Mapping[str, Any], grant: Mapping[str, Any]
) -> None:
    """Write the rows of an acceptance: who (None: a visitor that there is), what, and the grant that stands on it. The
    mappings are by column, with `id`; what a column is derived from is enough.
    """
    if visitor is not None:
        session.execute(_ADD_VISITOR, {**visitor, "name_key": fold(visitor["name"])})
    session.execute(_ADD_ACCEPTANCE, dict(acceptance))
    session.execute(_ADD_GRANT, dict(grant))


_DEVICE, _ACCEPTANCE, _GRANT = table_of(Device), table_of(Acceptance), table_of(Grant)
_ON_SQLITE, _ON_POSTGRESQL = sqlite.insert(_DEVICE), postgresql.insert(_DEVICE)
_HOLD_ON_SQLITE = _ON_SQLITE.on_conflict_do_update(
    index_elements=["owner_id", "mac"], set_={"last_seen_at": _ON_SQLITE.excluded.last_seen_at}
).returning(_DEVICE.c.id)
_HOLD_ON_POSTGRESQL = _ON_POSTGRESQL.on_conflict_do_update(
    index_elements=["owner_id", "mac"], set_={"last_seen_at": _ON_POSTGRESQL.excluded.last_seen_at}
).returning(_DEVICE.c.id)
_ADD_VISITOR, _ADD_ACCEPTANCE, _ADD_GRANT = insert(table_of(Visitor)), insert(_ACCEPTANCE), insert(_GRANT)
_END = (
    update(_GRANT)
    .where(_GRANT.c.id == bindparam("grant"))
    .values(revoked_at=bindparam("now"), revoked_by=bindparam("by"))
)
_STANDINGS = (
    select(
        _GRANT.c.id,
        _GRANT.c.ends_at,
        _ACCEPTANCE.c.id.label("acceptance_id"),
        _ACCEPTANCE.c.rules_version_id,
        _ACCEPTANCE.c.receipt_code,
        _GRANT.c.course_id,
        _ACCEPTANCE.c.visitor_id,
        _GRANT.c.group_key,
    )
    .join_from(_GRANT, _ACCEPTANCE, _ACCEPTANCE.c.id == _GRANT.c.acceptance_id)
    .where(_GRANT.c.revoked_at.is_(None), _GRANT.c.ends_at > bindparam("now"))
)
_STANDING = (
    _STANDINGS.where(_GRANT.c.device_id == bindparam("device"), _GRANT.c.network_id == bindparam("network"))
    .order_by(_GRANT.c.ends_at.desc())
    .limit(1)
)
_STANDING_HELD = _STANDING.with_for_update(of=_GRANT, key_share=True)
_STANDING_OF = _STANDINGS.where(_GRANT.c.id == bindparam("grant")).with_for_update(of=_GRANT, key_share=True)
_SINCE = (
    select(_ACCEPTANCE.c.id)
    .where(_ACCEPTANCE.c.device_id == bindparam("device"), _ACCEPTANCE.c.accepted_at > bindparam("moment"))
    .limit(1)
)
