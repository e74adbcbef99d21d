"""The values that decisions are made of: the policy with its groups, and a decision with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

BlockAnswer = Literal["zero", "nxdomain", "nodata", "refused"]
BLOCK_ANSWERS: tuple[BlockAnswer, ...] = ("zero", "nxdomain", "nodata", "refused")

ReasonKind = Literal[
    "never_blocked",  # row 1: `name` is built in or the installation's own; `detail` is the kind of service
    "permitted_by_it",  # row 2: `name` stands in the group's permitted names
    "forbidden_by_it",  # row 2: `name` stands in the group's forbidden names
    "category_closed",  # row 4: `source` lists `name` under `category`, which is closed for the group
    "category_open",  # a remark: `source` lists `name` under `category`, which is open for the group
    "list_exception",  # a remark: `source` would list it under `category`, but excepts `name` itself (`@@`)
    "not_forbidden",  # row 6: nothing forbids it
]


@dataclass(frozen=True, slots=True)
class Group:
    """Devices under the same rules. `mark` is the kernel's number for it, ≥ 1; names are in normal form and
    mean themselves and everything below.
    """

    key: str
    mark: int
    closed: frozenset[str]
    permit: frozenset[str]
    forbid: frozenset[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy document: how refusals are answered, and the groups by key."""

    block_answer: BlockAnswer
    groups: Mapping[str, Group]


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
