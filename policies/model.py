"""The values that decisions are made of: the policy with its groups, schedules and exemptions, and a decision with
its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Literal

BlockAnswer = Literal["zero", "nxdomain", "nodata", "refused", "portal"]
BLOCK_ANSWERS: tuple[BlockAnswer, ...] = ("zero", "nxdomain", "nodata", "refused", "portal")

Effect = Literal["close", "open"]
EFFECTS: tuple[Effect, ...] = ("close", "open")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as documents write them, in the order of `date.weekday()`."""

DAY_MINUTES = 24 * 60

ReasonKind = Literal[
    "never_blocked",  # row 1: `name` is built in or the installation's own; `detail` is the kind of service
    "permitted_by_it",  # row 2: `name` stands in the group's permitted names
    "forbidden_by_it",  # row 2: `name` stands in the group's forbidden names
    "exempted",  # row 3: `source` lists `name` under `category`; `detail` is the exemption that lifts it
    "category_closed",  # row 4: `source` lists `name` under `category`, closed for the group; `detail` is the schedule
    "judged_closed",  # row 5: no list has it, it is judged to be `category`, and IT has such names blocked
    "judged",  # a remark: no list has it; it looks like `category`; `detail` says how sure that is, and by what
    "category_open",  # a remark: `source` lists `name` under `category`, open for the group; `detail` is the schedule
    "list_exception",  # a remark: `source` would list it under `category`, but excepts `name` itself (`@@`)
    "not_forbidden",  # row 6: nothing forbids it
]

NEVER_EXEMPT = frozenset({"malware", "phishing"})
"""Categories that no exemption lifts."""

NEVER_BY_HOSTS = NEVER_EXEMPT | {"adult"}
"""Categories that no host opens, whatever a document says."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours of the week, by the clock on the wall, in which categories are closed (or open) unlike otherwise.

    `days` are 0–6 from Monday; `start` and `end` are minutes after midnight, `end` not included. When `end` is not
    after `start` the hours reach into the next morning, and belong to the day on which they begin.
    """

    categories: frozenset[str]
    days: frozenset[int]
    start: int
    end: int
    effect: Effect


@dataclass(frozen=True, slots=True)
class Exemption:
    """Categories lifted for a group from one aware moment until another, as somebody with authority approved."""

    id: str
    group: str
    categories: frozenset[str]
    start: datetime
    end: datetime
    approved_by: str
    reason: str


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Group:
    """Devices under the same rules. `mark` is the kernel's number for it, ≥ 1; names are in normal form and mean
    themselves and everything below. `closed` holds unless a schedule says otherwise at the moment. `titles` are
    what people call the group, by language; `judge` is category → confidence (0–1) from which judged names are
    blocked; `safe_search` are keys of `policies.safe_search.PROVIDERS`. With `top_names` the refused and
    judged names that many devices ask for are kept for a day. `report` are categories whose answers are counted by
    category while they are open, so that it is seen what closing them would refuse. `like` is the group whose rules and
    exemptions this one has, whatever they become, and so those of the one that that is like; "": it has its own.
    """

    key: str
    mark: int
    closed: frozenset[str]
    permit: frozenset[str]
    forbid: frozenset[str]
    schedules: tuple[Schedule, ...] = ()
    safe_search: frozenset[str] = frozenset()
    judge: Mapping[str, float] = field(default_factory=_nothing)
    titles: Mapping[str, str] = field(default_factory=_nothing)
    top_names: bool = False
    report: frozenset[str] = frozenset()
    like: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy document. `zone` is the clock of schedules. `never_blocked` are IT's additions to row 1,
    `own_zones` the municipality's own; `overrules` are (name, source or None for every source) of listed names that
    hygiene held back and IT wants obeyed; `quarantine_private_suffixes` has it hold back hosting domains too.
    `host_categories` are those that a host may open for a course (`policies.host_opening`).
    """

    block_answer: BlockAnswer
    groups: Mapping[str, Group]
    zone_key: str
    zone: tzinfo
    exemptions: tuple[Exemption, ...] = ()
    never_blocked: frozenset[str] = frozenset()
    own_zones: frozenset[str] = frozenset()
    overrules: tuple[tuple[str, str | None], ...] = ()
    quarantine_private_suffixes: bool = False
    host_categories: frozenset[str] = frozenset()
    _standings: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # memo of policies.schedule


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge of unlisted names holds a name for: how sure it is (0–1), and the pieces that decided."""

    category: str
    confidence: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for or against a name. `name` is the suffix that matched, "" for
    `not_forbidden`.
    """

    kind: ReasonKind
    name: str = ""
    category: str | None = None
    source: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether `name` may be visited by `group`, with every reason; the first reason is the one that decided.

    `category` is the closed category that forbade it (None when permitted, and when IT's own rule forbade
    it). `valid_until` is the next moment at which time alone could change the decision, None when there is
    none.
    """

    name: str
    group: str
    permitted: bool
    category: str | None
    reasons: tuple[Reason, ...]
    generation: int
    valid_until: datetime | None = None
