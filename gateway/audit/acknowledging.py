"""Acknowledging that the database was restored: leaves that say so are ordered before all others, then signing goes on.

One leaf for each contradiction that was found, such as one by the sealer's memory and one by a target.
"""

from __future__ import annotations

from datetime import datetime

from gateway.audit.errors import AuditError
from gateway.audit.record import record
from gateway.storage import log_restores
from gateway.storage.engine import Session
from gateway.storage.log_models import LogRestore
from gateway.storage.places import Place


def acknowledge_restore(session: Session, place: Place, *, by: str, reason: str, now: datetime) -> LogRestore:
    """Acknowledge all that the sealer has found; returns the largest. Raises: AuditError when there is nothing."""
    found = log_restores.open_restores(session, place.owner_id)
    if not found:
        raise AuditError("no restore waits to be acknowledged; the sealer writes it down when it finds one")
    for each in found:
        fields = {
            "size": each.size,
            "root": each.root,
            "known_size": each.known_size,
            "known_root": each.known_root,
        }
        leaf_id = record(session, place, "restored", fields, {"by": by, "reason": reason}, now)
        log_restores.acknowledge(session, each, leaf_id)
    return found[0]
