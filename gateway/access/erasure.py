"""Erasing a person: finding what is held on them, saying exactly what would go, and deleting it.

What goes: their acceptances with name, organisation, contact, receipt code and grant (which ends access at once), their
devices where nobody else's acceptance needs them, and the values and salts of every leaf about them, also free text of
staff that names them. What stays: the entries, which tell nothing about a person without those, and who of staff acted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.audit.erasing import erase_leaves
from gateway.storage import leaves, persons
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance
from gateway.storage.persons import About, Wanted
from gateway.storage.places import Place

__all__ = ["Erased", "NotErased", "Plan", "Wanted", "erase", "find", "marks", "plan"]

OF_DEVICE = frozenset({"device_admitted"})
OF_GRANT = frozenset({"grant_moved", "grant_revoked"})
SHORT_NAME_CHARS = 6  # a single short word of a name stands in other words, and in other people's names


@dataclass(frozen=True)
class Held:
    """One acceptance of the person."""

    acceptance_id: str
    accepted_at: datetime
    name: str
    organisation: str
    contact: str
    mac: str
    receipt_code: str
    index: int | None
    grant_id: str | None
    online_until: datetime | None
    """Until when its grant is in force; None when it is not."""


@dataclass(frozen=True)
class Text:
    """A leaf whose free text names the person."""

    index: int
    type: str
    field: str
    value: str


@dataclass(frozen=True)
class Plan:
    """Exactly what erasing these acceptances deletes. `unsealed` leaves are in the way until they are sealed."""

    held: tuple[Held, ...]
    leaves: tuple[About, ...]
    devices: tuple[str, ...]
    """MAC addresses that go; `shared` ones stay, as other people have accepted on them."""
    shared: tuple[str, ...]
    device_ids: tuple[str, ...]
    on_devices: tuple[tuple[str, tuple[str, ...]], ...]
    texts: tuple[Text, ...]
    notes: tuple[int, ...]
    """Published policies whose note names the person, and goes."""
    documents: tuple[int, ...]
    """Published policies whose text names the person: those can't be changed, and stay."""
    also: tuple[Held, ...]
    """Acceptances that are not part of this, but are on the same devices or of the same name and contact."""
    unsealed: int
    size: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """The leaves in the log."""
        return tuple(leaf.index for leaf in self.leaves if leaf.index is not None)


@dataclass(frozen=True)
class Erased:
    """What went; `leaf_ids` are the `erased` leaves."""

    plan: Plan
    leaf_ids: tuple[str, ...]


@dataclass(frozen=True)
class NotErased:
    """Why nothing was: nobody fits, leaves wait to be sealed, the state has changed since the plan was made, the
    reason is missing, or would itself name the person for as long as the log is kept.
    """

    reason: Literal["nobody", "unsealed", "changed", "no_reason", "reason_names_them"]


def find(session: Session, place: Place, wanted: Wanted, now: datetime) -> tuple[Held, ...]:
    """The acceptances that fit a search, oldest first."""
    return _held(session, place, persons.find(session, place.owner_id, wanted), now)


def plan(session: Session, place: Place, acceptance_ids: Sequence[str], now: datetime) -> Plan:
    """What erasing these acceptances would delete. Reads every disclosure of the log: seconds for a large one."""
    rows = persons.by_ids(session, place.owner_id, acceptance_ids)
    head = leaves.find_head(session, place.owner_id)
    chosen = {row.id for row in rows}
    macs = {row.device_id: row.device.mac for row in rows}
    on_devices = persons.on_devices(session, sorted(macs))
    shared = {device_id for device_id, ids in on_devices.items() if not chosen.issuperset(ids)}
    held = _held(session, place, rows, now)
    own = persons.about(session, place.owner_id, [row.leaf_id for row in rows])
    grants = {item.grant_id for item in held if item.grant_id}
    names = _names(held, [macs[device_id] for device_id in macs if device_id not in shared])
    others: list[About] = []
    texts: list[Text] = []
    ids = {leaf.leaf_id for leaf in own}
    for leaf in persons.leaves_naming(session, place.owner_id, set(macs.values())):
        if leaf.leaf_id in ids:
            continue
        named = [
            Text(leaf.index, kind_of(leaf), field, value)
            for field, value in _free_texts(leaf)
            if any(name in value.casefold() for name in names) and leaf.index is not None
        ]
        gone = [mac for device_id, mac in macs.items() if device_id not in shared]
        if named or _is_about(leaf, grants, gone):
            others.append(leaf)
            texts += named
    notes, documents = persons.generations_naming(session, place.owner_id, names)
    near = {acceptance_id for ids_ in on_devices.values() for acceptance_id in ids_} - chosen
    for name, contact in {(item.name, item.contact) for item in held if item.name and item.contact}:
        near |= {row.id for row in persons.find(session, place.owner_id, Wanted(name=name, contact=contact))} - chosen
    found = (*own, *others)
    return Plan(
        held,
        found,
        tuple(sorted(mac for device_id, mac in macs.items() if device_id not in shared)),
        tuple(sorted(macs[device_id] for device_id in shared)),
        tuple(sorted(macs)),
        tuple((device_id, tuple(sorted(ids_))) for device_id, ids_ in sorted(on_devices.items())),
        tuple(texts),
        tuple(notes),
        tuple(documents),
        _held(session, place, persons.by_ids(session, place.owner_id, sorted(near)), now),
        sum(leaf.index is None for leaf in found),
        head.size if head is not None else 0,
    )


def erase(session: Session, place: Place, planned: Plan, by: str, reason: str, now: datetime) -> Erased | NotErased:
    """Delete what `planned` says, with its `erased` leaf, in this transaction; or nothing, when that no longer fits.

    The caller commits, and then wipes (`gateway.storage.erasures.wipe`).
    """
    if (refused := _refused(planned, reason)) is not None:
        return refused
    chosen = [item.acceptance_id for item in planned.held]
    standing = persons.on_devices(session, planned.device_ids, lock=True)
    persons.grants_of(session, chosen, lock=True)
    grants = {item.grant_id for item in planned.held if item.grant_id}
    macs = (*planned.devices, *planned.shared)
    newer = persons.leaves_naming(session, place.owner_id, macs, from_index=max(1, planned.size), texts=False)
    if (
        tuple((device_id, tuple(sorted(ids))) for device_id, ids in sorted(standing.items())) != planned.on_devices
        or len(persons.by_ids(session, place.owner_id, chosen)) != len(chosen)
        or any(_is_about(leaf, grants, planned.devices) for leaf in newer)
    ):
        return NotErased("changed")
    persons.delete_acceptances(session, chosen, planned.device_ids)
    persons.empty_notes(session, place.owner_id, planned.notes)
    leaf_ids = erase_leaves(session, place, planned.leaves, "request", now, by=by, reason=reason)
    return Erased(planned, leaf_ids)


def _refused(planned: Plan, reason: str) -> NotErased | None:
    if not planned.held:
        return NotErased("nobody")
    if not reason.strip():
        return NotErased("no_reason")
    if any(name in reason.casefold() for name in _names(planned.held, (*planned.devices, *planned.shared))):
        return NotErased("reason_names_them")
    return NotErased("unsealed") if planned.unsealed else None


def marks(planned: Plan) -> tuple[bytes, ...]:
    """Values that stood nowhere but with this person: salts, receipt codes and the addresses of their devices."""
    salts = {salt for leaf in planned.leaves for field, (salt, _) in leaf.values.items() if _goes(field)}
    codes = {item.receipt_code for item in planned.held}
    return tuple(sorted(value.encode() for value in salts | codes | set(planned.devices)))


def kind_of(leaf: About) -> str:
    """The type of a leaf's entry."""
    return str(json.loads(leaf.entry)["type"])


def _is_about(leaf: About, grants: set[str], macs: Sequence[str]) -> bool:
    """Whether a leaf that is no acceptance of the person is about them all the same."""
    document = json.loads(leaf.entry)
    if document["type"] in OF_GRANT and document["grant"] in grants:
        return True
    if document["type"] == "acceptance":
        return False
    return leaf.values.get("mac", ("", ""))[1] in macs


def _goes(field: str) -> bool:
    return field not in persons.STAFF_FIELDS


def _free_texts(leaf: About) -> Iterator[tuple[str, str]]:
    for field, (_, value) in leaf.values.items():
        if field in persons.TEXT_FIELDS:
            yield field, value


def _names(held: Sequence[Held], macs: Sequence[str]) -> set[str]:
    """By what free text names the person, casefolded: whole names of two words or more, contacts, codes, devices."""
    found = {mac.casefold() for mac in macs}
    for item in held:
        name = " ".join(item.name.casefold().split())
        if " " in name or len(name) >= SHORT_NAME_CHARS:
            found.add(name)
        if len(item.contact) >= SHORT_NAME_CHARS:
            found.add(item.contact.casefold())
        code = item.receipt_code.casefold()
        found |= {code, "-".join(code[start : start + 4] for start in range(0, len(code), 4))}
    return found


def _held(session: Session, place: Place, rows: Sequence[Acceptance], now: datetime) -> tuple[Held, ...]:
    grants = persons.grants_of(session, [row.id for row in rows])
    indexes = {
        leaf.leaf_id: leaf.index for leaf in persons.about(session, place.owner_id, [row.leaf_id for row in rows])
    }
    found = []
    for row in rows:
        grant = grants.get(row.id)
        is_open = grant is not None and grant.revoked_at is None and grant.ends_at > now
        found.append(
            Held(
                row.id,
                row.accepted_at,
                row.visitor.name,
                row.visitor.organisation,
                row.visitor.contact,
                row.device.mac,
                row.receipt_code,
                indexes.get(row.leaf_id),
                grant.id if grant is not None else None,
                grant.ends_at if grant is not None and is_open else None,
            )
        )
    return tuple(found)
