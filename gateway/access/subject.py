"""Subject access (GDPR article 15): everything that is held on a person, as one document of plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.access import erasure
from gateway.access.receipts import format_receipt_code
from gateway.audit.entry import RECOGNISED
from gateway.audit.periods import Period
from gateway.clock import MUNICIPAL_ZONE, format_utc
from gateway.storage import exemption_requests, persons, traffic
from gateway.storage.engine import Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.models import Acceptance, Grant
from gateway.storage.persons import STAFF_FIELDS, About
from gateway.storage.places import Place
from gateway.storage.traffic import Octets

WRITTEN = ("name", "organisation", "contact", "course_code")
VALUES = ("name", "organisation", "contact", "course_code", "mac", "address")
NOT_TOLD = frozenset({"v", "owner", "site", "personal", "type", "at"})


def document(
    session: Session,
    place: Place,
    acceptance_ids: Sequence[str],
    keep: Period,
    now: datetime,
    *,
    owner_name: str,
    admissions: Sequence[erasure.Admission] = (),
    blocked: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything on who made these acceptances, and has the devices of these admissions, for staff to hand out. Reads
    every disclosure of the log.

    Names of staff are left out: they are other people's. `keep` is how long acceptances are kept.
    """
    planned = erasure.plan(session, place, acceptance_ids, now, admissions, blocked)
    own = {item.index for item in planned.held}
    found: dict[str, Any] = {"made_at": format_utc(now), "owner": owner_name, "log": place.log_origin}
    found["acceptances"] = _acceptances(session, place, acceptance_ids, keep, now)
    found["blocks"] = [_block(item) for item in planned.blocks]
    found["other_entries"] = [_other(leaf) for leaf in planned.leaves if leaf.index not in own]
    found["policies_naming_them"] = sorted({*planned.notes, *planned.documents})
    found["leaves"] = list(planned.numbers)
    return found


def own_document(
    session: Session, place: Place, code: str, mac: str, keep: Period, now: datetime
) -> list[dict[str, Any]] | None:
    """What a guest sees on their own device with their receipt code: that acceptance, and those on the same device of
    the same name and contact. None when the code is not of this device: a MAC alone shows nothing, it can be copied.
    For the same reason the receipt of an acceptance at which nothing was written shows that one, without what had been
    written earlier.
    """
    chosen = persons.find(session, place.owner_id, persons.Wanted(receipt=code, mac=mac))
    if not chosen:
        return None
    [acceptance] = chosen
    if acceptance.identified_by in RECOGNISED:
        told = _acceptances(session, place, [acceptance.id], keep, now)
        return [{**each, **dict.fromkeys(WRITTEN, "")} for each in told]
    said = acceptance.visitor.name, acceptance.visitor.contact
    ids = persons.on_devices(session, [acceptance.device_id])[acceptance.device_id]
    rows = persons.by_ids(session, place.owner_id, ids)
    theirs = [row.id for row in rows if (row.visitor.name, row.visitor.contact) == said or row.id == acceptance.id]
    return _acceptances(session, place, theirs, keep, now)


def _acceptances(
    session: Session, place: Place, acceptance_ids: Sequence[str], keep: Period, now: datetime
) -> list[dict[str, Any]]:
    rows = persons.by_ids(session, place.owner_id, acceptance_ids)
    grants = persons.grants_of(session, [row.id for row in rows])
    leaves = {leaf.leaf_id: leaf for leaf in persons.about(session, place.owner_id, [row.leaf_id for row in rows])}
    asked = exemption_requests.of_grants(session, [grant.id for grant in grants.values()])
    counted = traffic.of_grants(session, [grant.id for grant in grants.values()])
    return [_acceptance(row, grants.get(row.id), leaves.get(row.leaf_id), keep, asked, counted) for row in rows]


def _acceptance(
    row: Acceptance,
    grant: Grant | None,
    leaf: About | None,
    keep: Period,
    asked: Sequence[ExemptionRequest],
    counted: Mapping[str, Octets],
) -> dict[str, Any]:
    disclosed = {name: value for name, (_, value) in leaf.values.items()} if leaf is not None else {}
    typed = {
        "name": row.visitor.name,
        "organisation": row.visitor.organisation,
        "contact": row.visitor.contact,
        "mac": row.device.mac,
    }
    values = {name: typed.get(name) or disclosed.get(name, "") for name in VALUES}
    return {
        **values,
        "accepted_at": format_utc(row.accepted_at),
        "receipt": format_receipt_code(row.receipt_code),
        "identified_by": row.identified_by,
        "rules_version": row.rules_version.label,
        "language": row.language,
        "text_sha256": row.text_sha256,
        "leaf": leaf.index if leaf is not None else None,
        "device_first_seen": format_utc(row.device.first_seen_at),
        "device_last_seen": format_utc(row.device.last_seen_at),
        "access": _access(grant, counted.get(grant.id)) if grant is not None else None,
        "exemption_requests": [_request(each) for each in asked if grant is not None and each.grant_id == grant.id],
        "kept_until": format_utc(keep.end(row.accepted_at, MUNICIPAL_ZONE)),
    }


def _access(grant: Grant, octets: Octets | None) -> Mapping[str, Any]:
    return {
        "from": format_utc(grant.starts_at),
        "until": format_utc(grant.ends_at),
        "ended_at": format_utc(grant.revoked_at) if grant.revoked_at is not None else None,
        "group": grant.group_key,
        "interface": grant.network.interface,
        **({"sent": octets.sent, "received": octets.received} if octets is not None else {}),
    }


def _block(item: erasure.Kept) -> Mapping[str, Any]:
    return {
        "mac": item.mac,
        "from": format_utc(item.blocked_at),
        "until": format_utc(item.until),
        "reason": item.reason,
        "told": item.told,
    }


def _request(asked: ExemptionRequest) -> Mapping[str, Any]:
    return {
        "asked_at": format_utc(asked.asked_at),
        "name": asked.name,
        "purpose": asked.purpose,
        "categories": list(asked.categories),
        "decision": asked.decision or None,
        "answer": asked.answer,
        "erased_at": format_utc(asked.asked_at + exemption_requests.KEPT),
    }


def _other(leaf: About) -> Mapping[str, Any]:
    entry = json.loads(leaf.entry)
    return {
        "leaf": leaf.index,
        "type": entry["type"],
        "at": entry["at"],
        "fields": {name: value for name, value in entry.items() if name not in NOT_TOLD},
        "values": {name: value for name, (_, value) in leaf.values.items() if name not in STAFF_FIELDS},
    }
