"""What is found by a receipt's code: the acceptance, until it is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal_column, select

from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, RulesVersion, Visitor

# As ix_acceptance_short_code has it: an index of an expression serves that very expression, without parameters.
_short_code = func.substr(Acceptance.receipt_code, literal_column("1"), literal_column("8"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance as its receipt shows it."""

    leaf_id: str
    accepted_at: datetime
    language: str
    text_sha256: str
    version: RulesVersion
    name: str
    mac: str
    identified_by: str


def by_code(session: Session, owner_id: str, code: str) -> Accepted | None:
    """The owner's acceptance with this receipt code; None also when it has been erased, for the code goes with it."""
    row = session.execute(
        select(
            Acceptance.leaf_id,
            Acceptance.accepted_at,
            Acceptance.language,
            Acceptance.text_sha256,
            RulesVersion,
            Visitor.name,
            Device.mac,
            Acceptance.identified_by,
        )
        .join(RulesVersion, RulesVersion.id == Acceptance.rules_version_id)
        .join(Visitor, Visitor.id == Acceptance.visitor_id)
        .join(Device, Device.id == Acceptance.device_id)
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
