"""Erasing a person: finding what is held on them, saying exactly what would go, and deleting it.

What goes: their acceptances with name, organisation, contact, receipt code and grant (which ends access at once), the
admissions of a device that are asked for or name them, their devices where nobody else's acceptance or standing
admission needs them, with what keeps those out of the network, and the values and salts of every leaf about them, also
free text of staff that names them.
What stays: the entries, which tell nothing about a person without those, and who of staff acted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.audit.erasing import erase_leaves
from gateway.storage import blocks, grants, host_requests, leaves, persons
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Grant
from gateway.storage.persons import About, Wanted
from gateway.storage.places import Place

__all__ = [
    "Admission",
    "Erased",
    "NotErased",
    "Plan",
    "Wanted",
    "erase",
    "find",
    "find_admissions",
    "find_blocked",
    "marks",
    "plan",
]

OF_GRANT = frozenset(
    {"grant_moved", "grant_revoked", "grant_extended", "grant_ended", "host_answered", "exemption_decided"}
)
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
class Admission:
    """That staff let a device in."""

    grant_id: str
    leaf_id: str
    admitted_at: datetime
    mac: str
    unit: str
    reason: str
    index: int | None
    online_until: datetime | None
    """Until when it is in force; None when it is not."""


@dataclass(frozen=True)
class Kept:
    """That staff keep a device out of the network."""

    device_id: str
    mac: str
    blocked_at: datetime
    until: datetime
    reason: str
    told: str


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
    admissions: tuple[Admission, ...]
    """Admissions that go, with their grants."""
    blocks: tuple[Kept, ...]
    """What keeps devices out and goes with them: they may accept again."""
    leaves: tuple[About, ...]
    devices: tuple[str, ...]
    """MAC addresses that go; `shared` ones stay, as other people have accepted on them, or staff have admitted them."""
    shared: tuple[str, ...]
    device_ids: tuple[str, ...]
    on_devices: tuple[tuple[str, tuple[str, ...]], ...]
    texts: tuple[Text, ...]
    notes: tuple[int, ...]
    """Published policies whose note names the person, and goes."""
    documents: tuple[int, ...]
    """Published policies whose text names the person: those can't be changed, and stay."""
    also: tuple[Held, ...]
    """Acceptances that are not part of this, but are on the same devices, of the same name and contact, or by a device
    that the person added.
    """
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


def find_admissions(session: Session, place: Place, wanted: Wanted, now: datetime) -> tuple[Admission, ...]:
    """The admissions of the device, where a search goes by nothing else: who has such a device has no name here."""
    if wanted != Wanted(mac=wanted.mac):
        return ()
    device = grants.find_device(session, place.owner_id, wanted.mac)
    return _admissions(session, place, persons.admissions_on(session, [device.id]), now) if device is not None else ()


def find_blocked(session: Session, place: Place, wanted: Wanted, now: datetime) -> tuple[str, ...]:
    """The device (id) that is kept out, where a search goes by nothing but its address."""
    if wanted != Wanted(mac=wanted.mac):
        return ()
    device = grants.find_device(session, place.owner_id, wanted.mac)
    return (device.id,) if device is not None and blocks.stands(session, device.id, now) else ()


def plan(
    session: Session,
    place: Place,
    acceptance_ids: Sequence[str],
    now: datetime,
    admissions: Sequence[Admission] = (),
    blocked: Sequence[str] = (),
) -> Plan:
    """What erasing these acceptances, admissions and blocks of devices (ids) would delete. Reads every
    disclosure of the log: seconds for a large one.
    """
    rows = persons.by_ids(session, place.owner_id, acceptance_ids)
    head = leaves.find_head(session, place.owner_id)
    held = _held(session, place, rows, now)
    own = [row.leaf_id for row in rows] + [item.leaf_id for item in admissions]
    asked = persons.admissions_by_leaves(session, own)
    macs = {row.device_id: row.device.mac for row in rows}
    macs |= {grant.device_id: grant.device.mac for grant in asked}
    keeping = {id_: block for id_ in blocked if (block := blocks.of_device(session, id_, now)) is not None}
    macs |= {id_: block.device.mac for id_, block in keeping.items()}
    names = _names(held, [macs[device_id] for device_id in _gone(session, macs, rows, own, now)])
    texts: list[Text] = []
    named: list[str] = []
    for leaf in persons.leaves_naming(session, place.owner_id, ()):
        if leaf.leaf_id in own or leaf.index is None:
            continue
        found = [Text(leaf.index, kind_of(leaf), *said) for said in _free_texts(leaf) if _names_any(said[1], names)]
        if found:
            named.append(leaf.leaf_id)
            texts += found
    macs |= {grant.device_id: grant.device.mac for grant in persons.admissions_by_leaves(session, named)}
    gone = _gone(session, macs, rows, (*own, *named), now)
    of_grants = {item.grant_id for item in held if item.grant_id} | {grant.id for grant in asked}
    about = [
        leaf.leaf_id
        for leaf in persons.leaves_naming(session, place.owner_id, set(macs.values()), texts=False)
        if _is_about(leaf, of_grants, [macs[device_id] for device_id in gone])
    ]
    every = persons.about(session, place.owner_id, list(dict.fromkeys((*own, *named, *about))))
    ids = [leaf.leaf_id for leaf in every]
    ending = {grant.id: grant for grant in persons.admissions_by_leaves(session, ids)}
    ending |= {grant.id: grant for grant in persons.admissions_on(session, gone)}
    on_devices = persons.on_devices(session, sorted(macs))
    keeping = {id_: block for id_ in gone if (block := blocks.of_device(session, id_, now)) is not None}
    notes, documents = persons.generations_naming(session, place.owner_id, names)
    chosen = {row.id for row in rows}
    near = {acceptance_id for ids_ in on_devices.values() for acceptance_id in ids_} - chosen
    near |= persons.of_visitors(session, sorted({row.visitor_id for row in rows})) - chosen
    for name, contact in {(item.name, item.contact) for item in held if item.name and item.contact}:
        near |= {row.id for row in persons.find(session, place.owner_id, Wanted(name=name, contact=contact))} - chosen
    return Plan(
        held,
        _admissions(session, place, list(ending.values()), now),
        tuple(
            Kept(id_, each.device.mac, each.blocked_at, each.ends_at, each.reason, each.told)
            for id_, each in keeping.items()
        ),
        tuple(every),
        tuple(sorted(macs[device_id] for device_id in gone)),
        tuple(sorted(mac for device_id, mac in macs.items() if device_id not in gone)),
        tuple(sorted(macs)),
        tuple((device_id, tuple(sorted(ids_))) for device_id, ids_ in sorted(on_devices.items())),
        tuple(texts),
        tuple(notes),
        tuple(documents),
        _held(session, place, persons.by_ids(session, place.owner_id, sorted(near)), now),
        sum(leaf.index is None for leaf in every),
        head.size if head is not None else 0,
    )


def _gone(
    session: Session,
    device_ids: Collection[str],
    rows: Sequence[Acceptance],
    leaf_ids: Collection[str],
    now: datetime,
) -> list[str]:
    """Those of the devices that nothing needs once these acceptances and the admissions with these leaves are gone."""
    chosen = {row.id for row in rows}
    accepted = persons.on_devices(session, sorted(device_ids))
    admitted = {
        grant.device_id
        for grant in persons.admissions_on(session, sorted(device_ids))
        if grant.admission_leaf_id not in leaf_ids and grant.revoked_at is None and grant.ends_at > now
    }
    return [id_ for id_, ids in sorted(accepted.items()) if chosen.issuperset(ids) and id_ not in admitted]


def erase(session: Session, place: Place, planned: Plan, by: str, reason: str, now: datetime) -> Erased | NotErased:
    """Delete what `planned` says, with its `erased` leaf, in this transaction; or nothing, when that no longer fits.

    The caller commits, and then wipes (`gateway.storage.erasures.wipe`).
    """
    if (refused := _refused(planned, reason)) is not None:
        return refused
    chosen = [item.acceptance_id for item in planned.held]
    standing = persons.on_devices(session, planned.device_ids, lock=True)
    persons.grants_of(session, chosen, lock=True)
    of_grants = {item.grant_id for item in planned.held if item.grant_id}
    of_grants |= {item.grant_id for item in planned.admissions}
    macs = (*planned.devices, *planned.shared)
    newer = persons.leaves_naming(session, place.owner_id, macs, from_index=max(1, planned.size), texts=False)
    if (
        tuple((device_id, tuple(sorted(ids))) for device_id, ids in sorted(standing.items())) != planned.on_devices
        or len(persons.by_ids(session, place.owner_id, chosen)) != len(chosen)
        or any(_is_about(leaf, of_grants, planned.devices) for leaf in newer)
    ):
        return NotErased("changed")
    admitted = [item.leaf_id for item in planned.admissions]
    host_requests.forget_devices(session, place.owner_id, macs)
    if planned.blocks:
        blocks.lift(session, [item.device_id for item in planned.blocks])
    persons.delete_acceptances(session, chosen, planned.device_ids, admitted)
    persons.empty_notes(session, place.owner_id, planned.notes)
    leaf_ids = erase_leaves(session, place, planned.leaves, "request", now, by=by, reason=reason)
    return Erased(planned, leaf_ids)


def _refused(planned: Plan, reason: str) -> NotErased | None:
    if not planned.held and not planned.admissions and not planned.blocks:
        return NotErased("nobody")
    if not reason.strip():
        return NotErased("no_reason")
    if _names_any(reason, _names(planned.held, (*planned.devices, *planned.shared))):
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


def _is_about(leaf: About, of_grants: set[str], macs: Sequence[str]) -> bool:
    """Whether a leaf that is no acceptance of the person is about them all the same."""
    document = json.loads(leaf.entry)
    if document["type"] in OF_GRANT and document["grant"] in of_grants:
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


def _names_any(text: str, names: Collection[str]) -> bool:
    return any(name in text.casefold() for name in names)


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
    granted = persons.grants_of(session, [row.id for row in rows])
    indexes = {
        leaf.leaf_id: leaf.index for leaf in persons.about(session, place.owner_id, [row.leaf_id for row in rows])
    }
    found = []
    for row in rows:
        grant = granted.get(row.id)
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


def _admissions(session: Session, place: Place, rows: Sequence[Grant], now: datetime) -> tuple[Admission, ...]:
    ids = [row.admission_leaf_id for row in rows if row.admission_leaf_id is not None]
    known = {leaf.leaf_id: leaf for leaf in persons.about(session, place.owner_id, ids)}
    found = []
    for row in sorted(rows, key=lambda row: (row.starts_at, row.id)):
        assert row.admission_leaf_id is not None
        leaf = known.get(row.admission_leaf_id)
        said = {name: value for name, (_, value) in leaf.values.items()} if leaf is not None else {}
        is_open = row.revoked_at is None and row.ends_at > now
        found.append(
            Admission(
                row.id,
                row.admission_leaf_id,
                row.starts_at,
                row.device.mac,
                said.get("unit", ""),
                said.get("reason", ""),
                leaf.index if leaf is not None else None,
                row.ends_at if is_open else None,
            )
        )
    return tuple(found)
