"""A decision as plain data that pages, commands and the API show: what was decided, why, and what would
change it.
"""

from __future__ import annotations

from typing import Any

from policies.categories import CATEGORIES
from policies.model import Decision, Reason


def explain(decision: Decision) -> dict[str, Any]:
    """JSON-ready facts: `name`, `group`, `permitted`, `category`, `generation`, `valid_until` (RFC 3339 text
    or None), `reasons` (each with its kind and what it has of name, category, source, detail) and `changes`.

    A category is `{"key", "names": {nb, nn, en}}`. A change is one thing that IT can do to turn the decision
    round, each enough by itself: `permit_name` and `forbid_name` (with `replaces_rule` true where the
    group's rule for this very name must go), `open_categories` (all of those named), `close_any_category`
    (one of those named).
    """
    return {
        "name": decision.name,
        "group": decision.group,
        "permitted": decision.permitted,
        "category": _category(decision.category),
        "generation": decision.generation,
        "valid_until": decision.valid_until.isoformat() if decision.valid_until else None,
        "reasons": [_reason(reason) for reason in decision.reasons],
        "changes": _changes(decision),
    }


def _category(key: str | None) -> dict[str, Any] | None:
    return None if key is None else {"key": key, "names": dict(CATEGORIES[key].names)}


def _reason(reason: Reason) -> dict[str, Any]:
    facts = {
        "kind": reason.kind,
        "name": reason.name or None,
        "category": _category(reason.category),
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
    if deciding.kind == "category_closed":
        closed = {reason.category for reason in decision.reasons if reason.kind == "category_closed"}
        return [
            {"action": "open_categories", "categories": [key for key in CATEGORIES if key in closed]},
            {"action": "permit_name", "name": decision.name, "replaces_rule": False},
        ]
    if not decision.name:
        return []
    changes: list[dict[str, Any]] = [{"action": "forbid_name", "name": decision.name, "replaces_rule": False}]
    opened = {reason.category for reason in decision.reasons if reason.kind == "category_open"}
    if opened:
        changes.append({"action": "close_any_category", "categories": [key for key in CATEGORIES if key in opened]})
    return changes
