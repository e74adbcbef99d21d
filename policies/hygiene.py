"""Which listed names are not obeyed, and why: quarantine, shown to IT, who can overrule it name by name.

A list is written for the whole world by people who don't know this house, and one bad line closes a country's
schools. So a name is kept out where blocking it would hit far more than the list can have meant (a public
suffix, a top-level domain, the machinery behind other names, what stands above a never-blocked name), and
where it is a widely used site that is known to be of another kind (`policies.widely_used`,
`policies.corrections`). Rules that IT writes itself do not pass through here: `ringebu.no` and `kommune.no` are
public suffixes and valid there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.corrections import SERVICES
from policies.infrastructure import INFRASTRUCTURE, MEANT_TOP_LEVEL
from policies.names import is_under, parents
from policies.widely_used import WIDELY_USED

QuarantineReason = Literal[
    "public_suffix",  # others' names are registered below it (the ICANN section of the public suffix list)
    "private_suffix",  # others' sites are hosted below it (the private section), where IT chose to keep these out
    "bare_tld",  # a whole top-level domain, and not one that is of the list's kind in itself
    "above_never_blocked",  # `detail` is the never-blocked name below it
    "never_blocked",  # `detail` is the never-blocked name that it is, or is below
    "infrastructure",  # other sites' addresses lead through it; `detail` says whose
    "misfiled",  # a widely used site of another kind; `detail` is its categories here, or ""
]

MAX_SHOWN = 10_000
# Categories whose lists name particular hosts, so that one below a well-known service may be meant.
_HOST_BY_HOST = frozenset(
    {"malware", "phishing", "cryptomining", "encrypted_dns", "proxy_vpn", "remote_access", "ai_chat"}
)


@dataclass(frozen=True, slots=True, order=True)
class Quarantined:
    """A listed name that is not obeyed, as `source` gave it under `category`."""

    name: str
    source: str
    category: str
    reason: QuarantineReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Suffixes:
    """The public suffix list as plain sets, without wildcards and exceptions resolved: `icann` and `private`
    hold names, `icann_wildcards` the names below which every label is a suffix, `exceptions` what is none.
    """

    icann: Collection[str] = frozenset()
    private: Collection[str] = frozenset()
    icann_wildcards: Collection[str] = frozenset()
    exceptions: Collection[str] = frozenset()

    def kind(self, name: str) -> Literal["icann", "private"] | None:
        """What kind of public suffix `name` (normal form) is, or None."""
        if name in self.icann:
            return "icann"
        if name in self.private:
            return "private"
        above = name.partition(".")[2]
        return "icann" if above in self.icann_wildcards and name not in self.exceptions else None


def protectors(never: Mapping[str, str]) -> Callable[[str], str | None]:
    """A fast test: the never-blocked name that a name is or is below, else one that is below it, else None."""
    above: dict[str, str] = {}
    for each in sorted(never):
        for parent in parents(each):
            above.setdefault(parent, each)
    ends = frozenset(_end(each) for each in never)

    def protected(name: str) -> str | None:
        if _end(name) in ends:
            for suffix in parents(name):
                if suffix in never:
                    return suffix
        return above.get(name)

    return protected


@dataclass(slots=True)
class Hygiene:
    """Judges listed names one by one and remembers what it kept out. One for each compile.

    `never` maps never-blocked names to kinds; `overruled` holds (name, source or None for every source), as
    IT decided; `private_suffixes` keeps suffixes of the private section out too.
    """

    never: Mapping[str, str]
    suffixes: Suffixes = field(default_factory=Suffixes)
    overruled: Collection[tuple[str, str | None]] = frozenset()
    private_suffixes: bool = False
    totals: Counter[str] = field(default_factory=Counter)
    _shown: set[Quarantined] = field(default_factory=set)
    _protected: Callable[[str], str | None] = field(init=False)
    _ends: frozenset[str] = field(init=False)
    _services_above: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._protected = protectors(self.never)
        self._ends = frozenset(_end(name) for name in (*SERVICES, *WIDELY_USED, *INFRASTRUCTURE))
        above: dict[str, list[str]] = {}
        for service in SERVICES:
            for parent in parents(service.partition(".")[2]):
                above.setdefault(parent, []).append(service)
        self._services_above = {name: tuple(sorted(found)) for name, found in above.items()}

    def admit(self, name: str, source: str, category: str) -> tuple[str, ...] | None:
        """Whether `source` may close `name` as `category`: None when not, else the services below it that
        are of another kind and so are excepted from this list (nearly always none).
        """
        verdict = self._verdict(name, category)
        if verdict is not None and not self._is_overruled(name, source):
            self._remember(Quarantined(name, source, category, *verdict))
            if verdict[0] != "never_blocked":
                return None
        below = self._services_above.get(name)
        return tuple(each for each in below if category not in SERVICES[each]) if below else ()

    def admit_permit(self, name: str, source: str, category: str) -> bool:
        """Whether `source`, a list of recommended permits, may take `name` and all below it out of `category`. Not what
        stands for many sites of other people.
        """
        verdict = self._permit_verdict(name)
        if verdict is None or self._is_overruled(name, source):
            return True
        self._remember(Quarantined(name, source, category, *verdict))
        return False

    def section(self) -> bytes:
        """Section `quarantine` of a snapshot: JSON with `totals` by reason and the first 10,000 `entries`."""
        shown = sorted(self._shown)[:MAX_SHOWN]
        facts = {
            "totals": dict(self.totals),
            "entries": [[each.name, each.source, each.category, each.reason, each.detail] for each in shown],
        }
        return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    def _verdict(self, name: str, category: str) -> tuple[QuarantineReason, str] | None:
        if "." not in name:
            return None if MEANT_TOP_LEVEL.get(name) == category else ("bare_tld", "")
        known = self._known(name, category) if _end(name) in self._ends else None
        if known is not None and known[0]:
            return None if known[1] is None else known[1]
        kind = self.suffixes.kind(name)
        if kind == "icann":
            return "public_suffix", ""
        if kind == "private" and self.private_suffixes:
            return "private_suffix", ""
        touched = self._protected(name)
        if touched is not None:
            return ("never_blocked" if is_under(name, touched) else "above_never_blocked"), touched
        return None

    def _permit_verdict(self, name: str) -> tuple[QuarantineReason, str] | None:
        if "." not in name:
            return "bare_tld", ""
        kind = self.suffixes.kind(name)
        if kind is not None:
            return ("public_suffix" if kind == "icann" else "private_suffix"), ""
        bare = name.removeprefix("www.")
        return ("infrastructure", INFRASTRUCTURE[bare]) if bare in INFRASTRUCTURE else None

    def _known(self, name: str, category: str) -> tuple[bool, tuple[QuarantineReason, str] | None]:
        """(whether the built-in knowledge settles it, the verdict)."""
        bare = name.removeprefix("www.")
        for table in (SERVICES, WIDELY_USED):
            if bare in table:
                return True, _of_kind(table[bare], category)
        if bare in INFRASTRUCTURE:
            return True, ("infrastructure", INFRASTRUCTURE[bare])
        if category not in _HOST_BY_HOST:
            # Below a service everything is the service.
            for suffix in parents(name):
                if suffix in SERVICES:
                    return True, _of_kind(SERVICES[suffix], category)
        return False, None

    def _is_overruled(self, name: str, source: str) -> bool:
        return (name, None) in self.overruled or (name, source) in self.overruled

    def _remember(self, each: Quarantined) -> None:
        if each not in self._shown:
            self.totals[each.reason] += 1
            if len(self._shown) < 10 * MAX_SHOWN:
                self._shown.add(each)


def read_quarantine(section: bytes | memoryview | None) -> tuple[Mapping[str, int], tuple[Quarantined, ...]]:
    """(totals by reason, entries) of section `quarantine` of a snapshot; empty where there is none."""
    if section is None:
        return {}, ()
    facts: dict[str, Any] = json.loads(bytes(section))
    return facts["totals"], tuple(Quarantined(*fields) for fields in facts["entries"])


def quarantined(section: bytes | memoryview | None, name: str) -> tuple[Quarantined, ...]:
    """What is in quarantine of `name` (normal form) and its parents, longest suffix first."""
    wanted = {suffix: place for place, suffix in enumerate(parents(name))}
    found = [each for each in read_quarantine(section)[1] if each.name in wanted]
    return tuple(sorted(found, key=lambda each: (wanted[each.name], each)))


def _of_kind(own: tuple[str, ...], category: str) -> tuple[QuarantineReason, str] | None:
    return None if category in own else ("misfiled", " ".join(own))


def _end(name: str) -> str:
    """The last two labels, by which most names are seen at once to concern nothing here."""
    head, _, last = name.rpartition(".")
    return f"{head.rpartition('.')[2]}.{last}"
