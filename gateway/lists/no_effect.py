"""Rules for names that change nothing, in words: why, and what could be done instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.errors import UsageError
from policies.compiler import never_blocked
from policies.model import Policy
from policies.no_effect import Idle, Obstacle, Rule, closable_above, idle_rules, obstacle

SERVICES = {
    "connectivity": "devices find out by it whether they are online",
    "certificate_status": "devices ask there whether certificates are valid",
    "time": "devices set their clocks by it",
    "public_service": "a public service",
    "election": "elections",
    "party": "a registered party",
    "sexual_health": "sexual health",
    "help_line": "a help line",
    "it": "it stands in never_blocked",
    "own": "it is the installation's own",
}
"""Kinds of `Snapshot.never_blocked`."""


def why(found: Obstacle) -> str:
    """Why the rule changes nothing."""
    if found.kind == "canary":
        return (
            f"{found.name} is always answered with no such name, since programs ask by it whether they may go round "
            "this resolver"
        )
    return f"{found.name} is never blocked ({SERVICES.get(found.service, found.service)})"


def refuse(rule: Rule, name: str, policy: Policy, own_names: tuple[str, ...]) -> None:
    """Raises: UsageError when a rule for `name` would change nothing, with what is possible instead."""
    never = never_blocked(policy, own_names)
    found = obstacle(rule, name, never)
    if found is not None:
        raise UsageError(
            f"a rule to {rule} {name} would have no effect: {why(found)}; {_instead(rule, found, policy, never)}"
        )


def _instead(rule: Rule, found: Obstacle, policy: Policy, never: Mapping[str, str]) -> str:
    if found.kind == "canary":
        return "no rule can permit it" if rule == "permit" else "no rule is needed to close it"
    for key, names in (("never_blocked", policy.never_blocked), ("own_zones", policy.own_zones)):
        if found.name in names:
            return (
                f"to be able to close it, take {found.name} out of {key}: gjestenett policy export --out policy.toml, "
                "change it, gjestenett policy import policy.toml"
            )
    above = closable_above(found, never)
    if above is None:
        return "no rule and no list can close it"
    return f"gjestenett policy forbid {above} closes the rest of {above}, and leaves {found.name} open"


def warnings(policy: Policy, own_names: tuple[str, ...]) -> Iterator[str]:
    """A line for each rule of a policy that changes nothing."""
    for each in idle_rules(policy, never_blocked(policy, own_names)):
        rule = f"{each.rule} {each.name} for group {each.group}"
        yield f"this rule has no effect: {rule}: {why(each.obstacle)}; {_undo(each)}"


def _undo(each: Idle) -> str:
    group = "" if each.group == "default" else f" --group {each.group}"
    return f"take it away with: gjestenett policy unset {each.name}{group}"
