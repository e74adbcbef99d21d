"""From who should be online and who the kernel lets through, to the commands that make them agree: pure.

The kernel's timeouts bound every admission, so a plan that is never carried out closes doors and opens none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.firewall.ruleset import FAMILY, MARKS, TABLE

BATCH_ELEMENTS = 2_000
TOLERANCE = timedelta(seconds=2)  # nft lists whole seconds; a grant that moved by less isn't written again
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_LARGEST_MARK = 0xFFFF_FFFF
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Admission:
    """A grant in force: this device may be online under policy `mark` (≥ 1) until `ends_at` (aware UTC)."""

    grant_id: str
    interface: str
    mac: str
    mark: int
    ends_at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Device:
    """A key of the map `marks`: interface name and link-layer address (`aa:bb:cc:dd:ee:ff`)."""

    interface: str
    mac: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the map `marks` and when the kernel will forget it."""

    mark: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One element to set (`after`), or to remove (`after` None); `before` is what the kernel was seen to hold."""

    device: Device
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What must change, removals first, and which grants can't be carried out at all (malformed)."""

    changes: tuple[Change, ...] = ()
    malformed: tuple[str, ...] = ()
    wanted: Mapping[Device, Entry] = field(default_factory=dict)
    grants: Mapping[Device, str] = field(default_factory=dict)
    """By which grant each device is wanted."""


def make_plan(desired: Iterable[Admission], observed: Mapping[Device, Entry], now: datetime) -> Plan:
    """The changes that turn `observed` into `desired` at `now`.

    Of several grants for one device the one that ends last wins (then the greater grant id). Ended grants admit nobody.
    An admission whose interface, address or mark is malformed is left out and named: it must not spoil the batch.
    """
    wanted: dict[Device, Entry] = {}
    chosen: dict[Device, tuple[datetime, str]] = {}
    malformed = []
    for one in desired:
        if not _well_formed(one):
            malformed.append(one.grant_id)
            continue
        if one.ends_at <= now:
            continue
        device, rank = Device(one.interface, one.mac), (one.ends_at, one.grant_id)
        if device not in chosen or rank > chosen[device]:
            chosen[device] = rank
            wanted[device] = Entry(one.mark, min(one.ends_at, now + _LONGEST))
    removals = [Change(device, observed[device], None) for device in sorted(observed) if device not in wanted]
    settings = [
        Change(device, observed.get(device), entry)
        for device, entry in wanted.items()
        if not _agrees(observed.get(device), entry)
    ]
    return Plan((*removals, *settings), tuple(malformed), wanted, {device: rank[1] for device, rank in chosen.items()})


def render_changes(changes: Iterable[Change], now: datetime) -> str:
    """One nft batch. Deleting what has expired fails a batch, so each element is first added as it was seen.

    Re-adding doesn't move a timeout on every kernel and another mark would be refused, hence `add; delete; add`.
    """
    lines = []
    for change in changes:
        key = f'"{change.device.interface}" . {change.device.mac}'
        first = change.before or change.after
        if first is None:
            continue
        lines.append(f"add element {FAMILY} {TABLE} {MARKS} {{ {key} timeout 60s : {first.mark} }}")
        lines.append(f"delete element {FAMILY} {TABLE} {MARKS} {{ {key} }}")
        if change.after is not None:
            # Rounded down. Late by as long as the batch takes to load, so the enforcer also removes what has ended.
            timeout_ms = (change.after.ends_at - now) // timedelta(milliseconds=1)
            if timeout_ms > 0:
                lines.append(
                    f"add element {FAMILY} {TABLE} {MARKS} {{ {key} timeout {timeout_ms}ms : {change.after.mark} }}"
                )
    return "\n".join(lines) + "\n" if lines else ""


def batches(changes: Iterable[Change], size: int = BATCH_ELEMENTS) -> Iterator[tuple[Change, ...]]:
    """The changes in order, at most `size` a piece."""
    everything = tuple(changes)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def _agrees(seen: Entry | None, entry: Entry) -> bool:
    return seen is not None and seen.mark == entry.mark and abs(seen.ends_at - entry.ends_at) <= TOLERANCE


def _well_formed(one: Admission) -> bool:
    return (
        _MAC.fullmatch(one.mac) is not None
        and _INTERFACE.fullmatch(one.interface) is not None
        and 1 <= one.mark <= _LARGEST_MARK
        and one.ends_at.tzinfo is not None
    )
