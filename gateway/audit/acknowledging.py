"""Acknowledging that the database was restored: a leaf that says so is ordered before all others, then signing goes
on.
"""

from __future__ import annotations

from datetime import datetime

from gateway.audit.errors import AuditError
from gateway.audit.record import record
from gateway.storage import log_restores
from gateway.storage.engine import Session
from gateway.storage.models import LogRestore
from gateway.storage.places import Place


def acknowledge_restore(session: Session, place: Place, *, by: str, reason: str, now: datetime) -> LogRestore:
    """Acknowledge the restore that the sealer has found. Raises: AuditError when there is none."""
    found = log_restores.open_restore(session, place.owner_id)
    if found is None:
        raise AuditError("no restore waits to be acknowledged; the sealer writes it down when it finds one")
    fields = {
        "size": found.size,
        "root": found.root,
        "known_size": found.known_size,
        "known_root": found.known_root,
    }
    log_restores.acknowledge(
        session, found, record(session, place, "restored", fields, {"by": by, "reason": reason}, now)
    )
    return found
