"""What the live tables hold on people: finding it by what a person can name, and deleting it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased, joinedload

from gateway.storage.control_models import DeviceBlock, GrantTraffic
from gateway.storage.engine import Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.feed import announce
from gateway.storage.list_models import ListRequest, ListSource, ListUpload
from gateway.storage.log_models import Disclosure, Leaf, StagedLeaf
from gateway.storage.models import Acceptance, AppliedGrant, Device, DeviceWords, Grant, Visitor
from gateway.storage.operational_models import OperationalSetting
from gateway.storage.policy_models import PolicyGeneration

BATCH = 500
ADVISORY_LOCK = 0x676A6575
STAFF_FIELDS = ("by", "staff")
"""Fields that name the member of staff who acted: they stay when the person that a leaf is about is erased."""
TEXT_FIELDS = ("reason", "note", "purpose", "filter", "scope", "unit", "title", "subject", "before", "after")
"""Fields that staff write freely, and so may name anybody in."""


@dataclass(frozen=True)
class Wanted:
    """What a search goes by; every part that is given must fit. `name` and `contact` are fragments, in any case."""

    name: str = ""
    contact: str = ""
    mac: str = ""
    receipt: str = ""
    course_code: str = ""


@dataclass(frozen=True)
class About:
    """A leaf with what it still discloses; `index` is None while it waits to be sealed."""

    leaf_id: str
    index: int | None
    entry: bytes
    values: Mapping[str, tuple[str, str]]
    """Field → (salt, value)."""


def find(session: Session, owner_id: str, wanted: Wanted) -> Sequence[Acceptance]:
    """The acceptances that fit, oldest first, with visitor, device and rules; none when nothing is wanted."""
    if wanted == Wanted():
        return []
    query = (
        select(Acceptance.id, Acceptance.leaf_id, Visitor.name, Visitor.contact)
        .join(Visitor, Visitor.id == Acceptance.visitor_id)
        .join(Device, Device.id == Acceptance.device_id)
        .where(Acceptance.owner_id == owner_id)
    )
    if wanted.receipt:
        query = query.where(Acceptance.receipt_code == wanted.receipt)
    if wanted.mac:
        query = query.where(Device.mac == wanted.mac)
    courses = _leaves_of_course(session, wanted.course_code.casefold()) if wanted.course_code else None
    name, contact = wanted.name.casefold(), wanted.contact.casefold()
    found = [
        acceptance_id
        for acceptance_id, leaf_id, its_name, its_contact in session.execute(query)  # SQLite folds ASCII only
        if name in its_name.casefold() and contact in its_contact.casefold() and (courses is None or leaf_id in courses)
    ]
    return by_ids(session, owner_id, found)


def by_ids(session: Session, owner_id: str, ids: Sequence[str]) -> Sequence[Acceptance]:
    """These acceptances of the owner, oldest first, with visitor, device and rules."""
    return _acceptances(session, owner_id, ids, Acceptance.id.in_)


def by_leaves(session: Session, owner_id: str, leaf_ids: Sequence[str]) -> Sequence[Acceptance]:
    """The acceptances behind these leaves that are still in the live tables, oldest first."""
    return _acceptances(session, owner_id, leaf_ids, Acceptance.leaf_id.in_)


def on_devices(session: Session, device_ids: Sequence[str], *, lock: bool = False) -> dict[str, list[str]]:
    """Of each device, the acceptances on it (ids). `lock`: nobody can accept on one until the transaction ends."""
    found: dict[str, list[str]] = {device_id: [] for device_id in device_ids}
    for some in _batches(sorted(device_ids)):
        if lock:
            session.execute(select(Device.id).where(Device.id.in_(some)).order_by(Device.id).with_for_update())
        for device_id, acceptance_id in session.execute(
            select(Acceptance.device_id, Acceptance.id).where(Acceptance.device_id.in_(some))
        ):
            found[device_id].append(acceptance_id)
    return found


def of_visitors(session: Session, visitor_ids: Sequence[str]) -> set[str]:
    """The acceptances (ids) of these visitors: those of devices that were added, and of coming back, share one."""
    found: set[str] = set()
    for some in _batches(visitor_ids):
        found.update(session.scalars(select(Acceptance.id).where(Acceptance.visitor_id.in_(some))))
    return found


def grants_of(session: Session, acceptance_ids: Sequence[str], *, lock: bool = False) -> dict[str, Grant]:
    """The grant of each acceptance that has one, with its network, by the acceptance; `lock`: nobody moves it now."""
    found: dict[str, Grant] = {}
    for some in _batches(acceptance_ids):
        if lock:
            session.execute(select(Grant.id).where(Grant.acceptance_id.in_(some)).order_by(Grant.id).with_for_update())
        rows = session.scalars(select(Grant).options(joinedload(Grant.network)).where(Grant.acceptance_id.in_(some)))
        found |= {grant.acceptance_id: grant for grant in rows if grant.acceptance_id is not None}
    return found


def admissions_by_leaves(session: Session, leaf_ids: Sequence[str]) -> list[Grant]:
    """The grants that stand on admissions with these leaves, with their devices, oldest first."""
    return _admissions(session, leaf_ids, Grant.admission_leaf_id.in_)


def admissions_on(session: Session, device_ids: Sequence[str]) -> list[Grant]:
    """The grants that stand on admissions of these devices, with their devices, oldest first."""
    return _admissions(
        session, device_ids, lambda some: and_(Grant.device_id.in_(some), Grant.admission_leaf_id.is_not(None))
    )


def leaves_naming(
    session: Session, owner_id: str, macs: Collection[str], *, from_index: int = 0, texts: bool = True
) -> Sequence[About]:
    """The leaves from `from_index` on, and the staged ones, that disclose one of these MACs, or (`texts`) free text."""
    wanted: list[ColumnElement[bool]] = [and_(Disclosure.name == "mac", Disclosure.value.in_(list(macs)))]
    if texts:
        wanted.append(Disclosure.name.in_(TEXT_FIELDS))
    query = select(Disclosure.leaf_id).where(or_(*wanted)).distinct()
    if from_index:
        later = select(Leaf.leaf_id).where(Leaf.owner_id == owner_id, Leaf.leaf_index >= from_index)
        waiting = select(StagedLeaf.leaf_id).where(StagedLeaf.owner_id == owner_id)
        query = query.where(or_(Disclosure.leaf_id.in_(later), Disclosure.leaf_id.in_(waiting)))
    return about(session, owner_id, list(session.scalars(query)))


def about(session: Session, owner_id: str, leaf_ids: Sequence[str]) -> Sequence[About]:
    """These leaves of the owner with what they still disclose: sealed ones in order, then those that wait."""
    found: list[About] = []
    for some in _batches(leaf_ids):
        values: dict[str, dict[str, tuple[str, str]]] = {}
        for row in session.scalars(select(Disclosure).where(Disclosure.leaf_id.in_(some))):
            values.setdefault(row.leaf_id, {})[row.name] = row.salt, row.value
        sealed = session.execute(
            select(Leaf.leaf_id, Leaf.leaf_index, Leaf.entry).where(Leaf.owner_id == owner_id, Leaf.leaf_id.in_(some))
        )
        found += [About(leaf_id, index, entry, values.get(leaf_id, {})) for leaf_id, index, entry in sealed]
        staged = session.execute(
            select(StagedLeaf.leaf_id, StagedLeaf.entry).where(
                StagedLeaf.owner_id == owner_id, StagedLeaf.leaf_id.in_(some)
            )
        )
        found += [About(leaf_id, None, entry, values.get(leaf_id, {})) for leaf_id, entry in staged]
    return sorted(found, key=lambda leaf: (leaf.index is None, leaf.index or 0))


def by_index(session: Session, owner_id: str, first: int, end: int) -> Sequence[About]:
    """The leaves `[first, end)` with what they still disclose."""
    return about(session, owner_id, leaf_ids(session, owner_id, first, end))


def leaf_ids(session: Session, owner_id: str, first: int, end: int) -> list[str]:
    """The ids of the leaves `[first, end)`."""
    ids = select(Leaf.leaf_id).where(Leaf.owner_id == owner_id, Leaf.leaf_index >= first, Leaf.leaf_index < end)
    return list(session.scalars(ids))


def disclosing(session: Session, owner_id: str, first: int, limit: int) -> Sequence[About]:
    """The next leaves from `first` on that still disclose something, in order."""
    ids = session.scalars(
        select(Leaf.leaf_id)
        .where(Leaf.owner_id == owner_id, Leaf.leaf_index >= first)
        .where(exists().where(Disclosure.leaf_id == Leaf.leaf_id))
        .order_by(Leaf.leaf_index)
        .limit(limit)
    )
    return about(session, owner_id, list(ids))


def delete_values(session: Session, leaf_ids: Sequence[str], fields: Collection[str] | None = None) -> None:
    """Delete what these leaves disclose, values and salts, but who of staff acted; with `fields`, exactly those."""
    for some in _batches(leaf_ids):
        gone = delete(Disclosure).where(Disclosure.leaf_id.in_(some))
        gone = gone.where(Disclosure.name.not_in(STAFF_FIELDS) if fields is None else Disclosure.name.in_(fields))
        session.execute(gone)


def delete_acceptances(
    session: Session, acceptance_ids: Sequence[str], device_ids: Sequence[str], admission_leaf_ids: Sequence[str] = ()
) -> None:
    """Delete acceptances with their grants, visitors and what was asked under the grants, the grants of admissions with
    these leaves, and those of the devices that nothing else needs. What was asked under an acceptance goes with it also
    where it has gone along to the grant of a later one.

    A grant in force ends with that: the enforcer closes what it no longer finds.
    """
    for some in _batches(admission_leaf_ids):
        admitted = select(Grant.id).where(Grant.admission_leaf_id.in_(some))
        session.execute(delete(ExemptionRequest).where(ExemptionRequest.grant_id.in_(admitted)))
        session.execute(delete(AppliedGrant).where(AppliedGrant.grant_id.in_(admitted)))
        session.execute(delete(GrantTraffic).where(GrantTraffic.grant_id.in_(admitted)))
        session.execute(delete(Grant).where(Grant.admission_leaf_id.in_(some)))
    for some in _batches(acceptance_ids):
        grants = select(Grant.id).where(Grant.acceptance_id.in_(some))
        visitors = list(session.scalars(select(Acceptance.visitor_id).where(Acceptance.id.in_(some))))
        session.execute(delete(ExemptionRequest).where(ExemptionRequest.id.in_(_handed_over(some))))
        session.execute(delete(ExemptionRequest).where(ExemptionRequest.grant_id.in_(grants)))
        session.execute(delete(AppliedGrant).where(AppliedGrant.grant_id.in_(grants)))
        session.execute(delete(GrantTraffic).where(GrantTraffic.grant_id.in_(grants)))
        session.execute(delete(DeviceWords).where(DeviceWords.grant_id.in_(grants)))
        session.execute(delete(Grant).where(Grant.acceptance_id.in_(some)))
        session.execute(delete(Acceptance).where(Acceptance.id.in_(some)))
        needed = exists().where(Acceptance.visitor_id == Visitor.id)
        session.execute(delete(Visitor).where(Visitor.id.in_(visitors), ~needed))
    for some in _batches(device_ids):
        accepted, granted, blocked = (
            exists().where(Acceptance.device_id == Device.id),
            exists().where(Grant.device_id == Device.id),
            exists().where(DeviceBlock.device_id == Device.id),
        )
        session.execute(delete(Device).where(Device.id.in_(some), ~accepted, ~granted, ~blocked))
    session.expire_all()
    if acceptance_ids or admission_leaf_ids:
        announce(session, "grants")


def _handed_over(acceptance_ids: Collection[str]) -> Select[str]:
    """The requests (ids) that were asked under these acceptances and are under a later grant of the same person: asked
    before that began, while the acceptance's own was open. Of two devices that a person had then both may be meant.
    """
    asked, later = aliased(Grant), aliased(Grant)
    own, newer = aliased(Acceptance), aliased(Acceptance)
    return (
        select(ExemptionRequest.id)
        .join(later, later.id == ExemptionRequest.grant_id)
        .join(newer, newer.id == later.acceptance_id)
        .join(own, own.visitor_id == newer.visitor_id)
        .join(asked, asked.acceptance_id == own.id)
        .where(
            own.id.in_(list(acceptance_ids)),
            ExemptionRequest.asked_at < later.starts_at,
            ExemptionRequest.asked_at >= asked.starts_at,
            ExemptionRequest.asked_at <= func.coalesce(asked.revoked_at, asked.ends_at),
        )
    )


def generations_naming(session: Session, owner_id: str, names: Collection[str]) -> tuple[list[int], list[int]]:
    """The published policies whose note, and those whose document, holds one of `names` (casefolded)."""
    notes, documents = [], []
    rows = session.execute(
        select(PolicyGeneration.generation, PolicyGeneration.note, PolicyGeneration.document)
        .where(PolicyGeneration.owner_id == owner_id)
        .order_by(PolicyGeneration.generation)
    )
    for number, note, document in rows:
        if any(name in note.casefold() for name in names):
            notes.append(number)
        if any(name in text.casefold() for name in names for text in _texts(document)):
            documents.append(number)
    return notes, documents


def empty_notes(session: Session, owner_id: str, generations: Sequence[int]) -> None:
    """Delete the notes of published policies."""
    session.execute(
        update(PolicyGeneration)
        .where(PolicyGeneration.owner_id == owner_id, PolicyGeneration.generation.in_(list(generations)))
        .values(note="")
    )


def forget_staff(session: Session, owner_id: str, before: datetime) -> int:
    """Empty the names of staff in live tables that were written before a moment; returns in how many rows."""
    changed = 0
    for table, moment, values in (
        (PolicyGeneration, PolicyGeneration.published_at, {"published_by": "", "note": ""}),
        (ListSource, ListSource.added_at, {"added_by": ""}),
        (ListRequest, ListRequest.requested_at, {"requested_by": ""}),
        (ListUpload, ListUpload.uploaded_at, {"uploaded_by": ""}),
        (OperationalSetting, OperationalSetting.changed_at, {"changed_by": ""}),
    ):
        filled = or_(*(getattr(table, name) != "" for name in values))
        rows = session.execute(
            update(table)
            .where(table.owner_id == owner_id, moment < before, filled)
            .values(**values)
            .returning(moment)
            .execution_options(synchronize_session=False)
        )
        changed += len(rows.all())
    return changed


def take_turns(session: Session) -> None:
    """Wait until no other retention run is in its transaction: several gateways may share one database."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))


def _acceptances(
    session: Session, owner_id: str, keys: Sequence[str], among: Callable[[list[str]], ColumnElement[bool]]
) -> Sequence[Acceptance]:
    found: list[Acceptance] = []
    for some in _batches(keys):
        found += session.scalars(
            select(Acceptance)
            .options(
                joinedload(Acceptance.visitor), joinedload(Acceptance.device), joinedload(Acceptance.rules_version)
            )
            .where(Acceptance.owner_id == owner_id, among(some))
        )
    return sorted(found, key=lambda acceptance: (acceptance.accepted_at, acceptance.id))


def _admissions(
    session: Session, keys: Sequence[str], among: Callable[[list[str]], ColumnElement[bool]]
) -> list[Grant]:
    found: list[Grant] = []
    for some in _batches(keys):
        found += session.scalars(select(Grant).options(joinedload(Grant.device)).where(among(some)))
    return sorted(found, key=lambda grant: (grant.starts_at, grant.id))


def _leaves_of_course(session: Session, code: str) -> set[str]:
    rows = session.execute(select(Disclosure.leaf_id, Disclosure.value).where(Disclosure.name == "course_code"))
    return {leaf_id for leaf_id, value in rows if value.casefold() == code}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), BATCH):
        yield listed[start : start + BATCH]
