"""Recording: the leaf of a change, staged in the transaction of the change itself, so that neither exists alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.audit import entry
from gateway.storage import leaves
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.types import new_id

SALT_BYTES = 16


def record(
    session: Session,
    place: Place,
    type_: str,
    fields: Mapping[str, Any],
    personal: Mapping[str, str],
    now: datetime,
) -> str:
    """Stage a leaf of `type_` and return its id.

    `fields` stand in clear in the log for ever and must not identify anybody; `personal` values stand there as salted
    digests only. Empty personal values are left out.
    """
    leaf_id = new_id()
    built = entry.build(
        type_,
        at=now,
        owner=place.owner_key,
        site=place.site_key,
        fields=fields,
        personal={name: value for name, value in personal.items() if value},
        salt=lambda: secrets.token_bytes(SALT_BYTES),
    )
    disclosures = {disclosure.name: (disclosure.salt, disclosure.value) for disclosure in built.disclosures}
    leaves.stage(session, place.owner_id, leaf_id, built.entry, disclosures, now)
    return leaf_id
