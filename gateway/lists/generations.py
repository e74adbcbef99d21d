"""Publishing a policy: the draft that IT works on becomes a numbered generation, recorded as a leaf.

The jobs service compiles the generation into the snapshot that DNS reads; nothing here waits for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.audit.record import record
from gateway.errors import UsageError
from gateway.storage import generations, places
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import PolicyGeneration
from gateway.storage.places import Place
from policies.categories import CATEGORIES
from policies.document import default_document, parse_document
from policies.names import PolicyError


def draft(session: Session, place: Place) -> dict[str, Any]:
    """The document being worked on, else the one in force, else that of a fresh installation."""
    return generations.draft(session, place.owner_id) or default_document()


def set_category(
    session: Session, place: Place, group_key: str, category: str, *, closed: bool, now: datetime
) -> dict[str, Any]:
    """Open or close a category for a group in the draft; returns the draft. Raises: UsageError."""
    document = json.loads(json.dumps(draft(session, place)))
    group = document["groups"].get(group_key)
    if group is None or category not in CATEGORIES:
        raise UsageError(f"there is no group {group_key!r} or no category {category!r}")
    wanted = set(group["closed"]) | {category} if closed else set(group["closed"]) - {category}
    group["closed"] = sorted(wanted)
    generations.save_draft(session, place.owner_id, document, now)
    return dict(document)


def publish(session: Session, place: Place, by: str, note: str, now: datetime) -> int:
    """Put the draft in force as the next generation and return its number.

    Raises: UsageError when the document contradicts itself; the message says where.
    """
    places.lock_owner(session, place.owner_id)
    document = draft(session, place)
    try:
        parse_document(document)
    except PolicyError as error:
        raise UsageError(f"the policy can't be published: {error}") from error
    before = generations.in_force(session, place.owner_id)
    sha256 = document_sha256(document)
    number = before.generation + 1 if before else 1
    session.add(
        PolicyGeneration(
            owner_id=place.owner_id,
            generation=number,
            document=document,
            sha256=sha256,
            published_by=by,
            note=note,
            published_at=now,
        )
    )
    session.flush()
    generations.drop_draft(session, place.owner_id)
    record(
        session,
        place,
        "policy_published",
        {"generation": number, "before_sha256": before.sha256 if before else "", "after_sha256": sha256},
        {"by": by, "note": note},
        now,
    )
    announce(session, "policy")
    return number


def document_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document in canonical form: keys sorted, no white space, UTF-8."""
    return hashlib.sha256(
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
