"""What comes before grants: networks that are closed, networks that let everybody through, devices kept out. Pure.

Closing outlives whoever ordered it: without a new order the kernel keeps closed what is closed, and forgets by its own
timeout what is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gateway.firewall.plan import Admission, Entry
from gateway.firewall.ruleset import BLOCKED, CLOSED, FAMILY, OPEN, TABLE

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
NOBODY = "00:00:00:00:00:00"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Outage:
    """A guest network that is not as usual until `ends_at`: closed, or open to everybody under policy `mark` (≥ 1)."""

    network_id: str
    interface: str
    mode: Literal["closed", "rules_only"]
    mark: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """All that a gateway is to do: the grants in force, its networks' outages, and the devices kept out until when."""

    admissions: tuple[Admission, ...] = ()
    outages: tuple[Outage, ...] = ()
    blocked: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posture:
    """What the kernel is to hold besides admissions."""

    closed: frozenset[str] = frozenset()
    open: Mapping[str, Entry] = field(default_factory=dict)
    """Interface → the mark that everybody there has, until when."""
    blocked: frozenset[str] = frozenset()

    @property
    def networks(self) -> Mapping[str, str]:
        """Interface → how its network is switched; those as usual are not in it."""
        return {**dict.fromkeys(self.open, "rules_only"), **dict.fromkeys(self.closed, "closed")}


def make_posture(intent: Intent, now: datetime) -> Posture:
    """What is in force of `intent` at `now`. What is malformed opens nothing."""
    standing = [one for one in intent.outages if one.ends_at > now and _INTERFACE.fullmatch(one.interface)]
    return Posture(
        frozenset(one.interface for one in standing if one.mode == "closed"),
        {
            one.interface: Entry(one.mark, one.ends_at)
            for one in standing
            if one.mode == "rules_only" and 1 <= one.mark <= 0x7FFF_FFFF
        },
        frozenset(mac for mac, ends_at in intent.blocked.items() if ends_at > now and _MAC.fullmatch(mac)),
    )


def next_end(intent: Intent, now: datetime) -> datetime | None:
    """When the posture changes by itself; None: never."""
    ends = (*(one.ends_at for one in intent.outages), *intent.blocked.values())
    return min((end for end in ends if end > now), default=None)


def render_posture(posture: Posture, now: datetime) -> str:
    """The nft script that puts `posture` in place of what was there, in one transaction.

    `NOBODY` is always kept out, so that there is always something to change: the kernel does not count a transaction of
    nothing, but the enforcer counts its own.
    """
    opened = [
        f'"{interface}" timeout {(entry.ends_at - now) // _MILLISECOND}ms : {entry.mark}'
        for interface, entry in sorted(posture.open.items())
        if entry.ends_at - now >= _MILLISECOND
    ]
    return "\n".join(
        [
            *_replace("set", CLOSED, [f'"{interface}"' for interface in sorted(posture.closed)]),
            *_replace("map", OPEN, opened),
            *_replace("set", BLOCKED, sorted({NOBODY, *posture.blocked})),
            "",
        ]
    )


def _replace(kind: str, name: str, elements: Iterable[str]) -> list[str]:
    text = ", ".join(elements)
    added = [f"add element {FAMILY} {TABLE} {name} {{ {text} }}"] if text else []
    return [f"flush {kind} {FAMILY} {TABLE} {name}", *added]
