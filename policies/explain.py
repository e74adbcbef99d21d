"""A decision as plain data that pages, commands and the API show: what was decided, why, and what would
change it.
"""

from __future__ import annotations

from typing import Any

from policies.categories import CATEGORIES
from policies.model import NEVER_EXEMPT, Decision, Reason


def explain(decision: Decision) -> dict[str, Any]:
    """JSON-ready facts: `name`, `group`, `permitted`, `category`, `generation`, `valid_until` (RFC 3339 text
    or None), `reasons` (each with its kind and what it has of name, category, source, detail) and `changes`.

    A category is `{"key", "names": {nb, nn, en}}`. A change is one thing that IT can do to turn the decision
    round, each enough by itself: `permit_name` and `forbid_name` (with `replaces_rule` true where the
    group's rule for this very name must go), `open_categories` (all of those named, `by_schedule` those that a
    schedule closes now), `exempt_categories` (an exemption for all of those named), `close_any_category` (one of those
    named), `end_exemptions` (all that lift one of the categories named), `judge_off` (the judge's blocking of all those
    named).
    """
    return {
        "name": decision.name,
        "group": decision.group,
        "permitted": decision.permitted,
        "category": category_facts(decision.category),
        "generation": decision.generation,
        "valid_until": decision.valid_until.isoformat() if decision.valid_until else None,
        "reasons": [_reason(reason) for reason in decision.reasons],
        "changes": _changes(decision),
    }


def category_facts(key: str | None) -> dict[str, Any] | None:
    """A category as plain data: its key and its names by language."""
    return None if key is None else {"key": key, "names": dict(CATEGORIES[key].names)}


def _reason(reason: Reason) -> dict[str, Any]:
    facts = {
        "kind": reason.kind,
        "name": reason.name or None,
        "category": category_facts(reason.category),
        "source": reason.source,
        "detail": reason.detail,
    }
    return {key: value for key, value in facts.items() if value is not None}


def _changes(decision: Decision) -> list[dict[str, Any]]:
    deciding = decision.reasons[0]
    if deciding.kind == "never_blocked":
        return []
    if deciding.kind in ("permitted_by_it", "forbidden_by_it"):
        action = "permit_name" if deciding.kind == "forbidden_by_it" else "forbid_name"
        return [{"action": action, "name": decision.name, "replaces_rule": deciding.name == decision.name}]
    if deciding.kind in ("category_closed", "judged_closed"):
        return _to_permit(decision)
    return _to_forbid(decision) if decision.name else []


def _to_permit(decision: Decision) -> list[dict[str, Any]]:
    permit = {"action": "permit_name", "name": decision.name, "replaces_rule": False}
    if decision.reasons[0].kind == "judged_closed":
        return [{"action": "judge_off", "categories": _categories(decision, "judged_closed")}, permit]
    closed = _with_hours("open_categories", decision, "category_closed")
    exempt = {"action": "exempt_categories", "categories": closed["categories"]}
    return [closed, permit, *([exempt] if NEVER_EXEMPT.isdisjoint(closed["categories"]) else [])]


def _to_forbid(decision: Decision) -> list[dict[str, Any]]:
    forbid = {"action": "forbid_name", "name": decision.name, "replaces_rule": False}
    if decision.reasons[0].kind == "exempted":
        return [forbid, {"action": "end_exemptions", "categories": _categories(decision, "exempted")}]
    opened = _with_hours("close_any_category", decision, "category_open")
    return [forbid, opened] if opened["categories"] else [forbid]


def _with_hours(action: str, decision: Decision, kind: str) -> dict[str, Any]:
    return {
        "action": action,
        "categories": _categories(decision, kind),
        "by_schedule": _categories(decision, kind, by_schedule=True),
    }


def _categories(decision: Decision, kind: str, *, by_schedule: bool = False) -> list[str]:
    """The categories of the reasons of a kind (only those that a schedule decides), in the taxonomy's order."""
    found = [reason for reason in decision.reasons if reason.kind == kind]
    named = {reason.category for reason in found if reason.detail is not None or not by_schedule}
    return [key for key in CATEGORIES if key in named]
