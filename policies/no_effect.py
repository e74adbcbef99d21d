"""Rules for names that change nothing: what is never blocked stays open, what programs ask by whether they may go
round the resolver is always answered with no such name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from policies.canaries import CANARIES
from policies.infrastructure import INFRASTRUCTURE
from policies.model import Policy
from policies.names import is_under, parents

Rule = Literal["permit", "forbid"]
RULES: tuple[Rule, ...] = ("permit", "forbid")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a rule changes nothing: `name`, the rule's own or one above it, is a canary, or never blocked as a
    `service` (a kind of `policies.never_blocked`, else `it` or `own`).
    """

    kind: Literal["canary", "never_blocked"]
    name: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Idle:
    """A rule of a group that changes nothing."""

    group: str
    rule: Rule
    name: str
    obstacle: Obstacle


def obstacle(rule: Rule, name: str, never: Mapping[str, str]) -> Obstacle | None:
    """What makes a rule for `name` (normal form) change nothing; `never` is name → kind (`Snapshot.never_blocked`)."""
    above = tuple(parents(name))
    for suffix in above:
        if suffix in CANARIES:
            return Obstacle("canary", suffix)
    if rule == "forbid":
        for suffix in above:
            if suffix in never:
                return Obstacle("never_blocked", suffix, never[suffix])
    return None


def idle_rules(policy: Policy, never: Mapping[str, str]) -> Iterator[Idle]:
    """Every rule of a policy that changes nothing, by group and name."""
    for key, group in sorted(policy.groups.items()):
        if group.like:
            continue
        for rule in RULES:
            for name in sorted(group.permit if rule == "permit" else group.forbid):
                found = obstacle(rule, name, never)
                if found is not None:
                    yield Idle(key, rule, name, found)


def closable_above(found: Obstacle, never: Mapping[str, str]) -> str | None:
    """The name above a never-blocked one that can be forbidden, which closes all below it but what is never blocked;
    None when that is no single owner's, or others' sites need it.
    """
    _, _, above = found.name.partition(".")
    if "." not in above or any(is_under(above, name) for name in (*INFRASTRUCTURE, *never, *CANARIES)):
        return None
    return above
