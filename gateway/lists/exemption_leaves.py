"""Exemptions as evidence: one leaf for each that a publication adds, changes or ends, beside that of the policy itself.

Nobody has to compare two documents to see who was let past a closed category, for how long, and on whose word.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage.engine import Session
from gateway.storage.places import Place
from policies.diff import exemption_changes
from policies.document import DocumentError, parse_document
from policies.model import Exemption

_CHANGE = {"exemption_added": "added", "exemption_changed": "changed", "exemption_removed": "ended"}


def record_exemptions(
    session: Session,
    place: Place,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    by: str,
    now: datetime,
) -> None:
    """Stage a leaf for each exemption that differs between two documents; `before` is None for a first publication.

    `scope` is the exemption's own name and from when it holds. One that was changed is told as it is now.
    """
    for change in exemption_changes(_exemptions(before), _exemptions(after)):
        exemption = change.values["exemption"]
        assert isinstance(exemption, Exemption)
        record(
            session,
            place,
            "exemption_changed",
            {
                "change": _CHANGE[change.kind],
                "group": exemption.group,
                "categories": sorted(exemption.categories),
                "until": format_utc(exemption.end),
            },
            {
                "by": by,
                "scope": f"{exemption.id} from {format_utc(exemption.start)}",
                "approved_by": exemption.approved_by,
                "reason": exemption.reason,
            },
            now,
        )


def _exemptions(document: Mapping[str, Any] | None) -> tuple[Exemption, ...]:
    if document is None:
        return ()
    try:
        return parse_document(document).exemptions
    except DocumentError:
        return ()  # published by a release that allowed more: what is in it now is told as added
