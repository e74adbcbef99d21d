"""What is found by a receipt's code: the acceptance, and what is still known of whose it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, literal_column, select

from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, Disclosure, RulesVersion, Visitor

# As ix_acceptance_short_code has it: an index of an expression serves that very expression, without parameters.
_short_code = func.substr(Acceptance.receipt_code, literal_column("1"), literal_column("8"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance as its receipt shows it. `name` and `mac` are empty once erased; `erased` when all of it is."""

    leaf_id: str
    accepted_at: datetime
    language: str
    text_sha256: str
    version: RulesVersion
    name: str
    mac: str
    erased: bool


def by_code(session: Session, owner_id: str, code: str) -> Accepted | None:
    """The owner's acceptance with this receipt code. What has been erased of it may be missing."""
    row = session.execute(
        select(
            Acceptance.leaf_id,
            Acceptance.accepted_at,
            Acceptance.language,
            Acceptance.text_sha256,
            RulesVersion,
            func.coalesce(Visitor.name, ""),
            func.coalesce(Device.mac, ""),
            ~exists().where(Disclosure.leaf_id == Acceptance.leaf_id),
        )
        .join(RulesVersion, RulesVersion.id == Acceptance.rules_version_id)
        .outerjoin(Visitor, Visitor.id == Acceptance.visitor_id)
        .outerjoin(Device, Device.id == Acceptance.device_id)
        .where(Acceptance.owner_id == owner_id, Acceptance.receipt_code == code)
    ).one_or_none()
    return None if row is None else Accepted(*row)


def by_short_code(session: Session, owner_id: str, short: str, limit: int) -> Sequence[tuple[datetime, str]]:
    """(accepted_at, label of the version) of the owner's acceptances whose code begins with `short`, newest first.

    `short` has eight characters. By `substr`, not by a range: in some collations of PostgreSQL the code `…AA` comes
    after `…Z`.
    """
    rows = session.execute(
        select(Acceptance.accepted_at, RulesVersion.label)
        .join(RulesVersion, RulesVersion.id == Acceptance.rules_version_id)
        .where(Acceptance.owner_id == owner_id, _short_code == short)
        .order_by(Acceptance.accepted_at.desc())
        .limit(limit)
    )
    return [(row.accepted_at, row.label) for row in rows]
