"""An explanation (`gateway.lists.explanation`) as plain lines for a terminal."""

from __future__ import annotations

from typing import Any

ROWS = {
    "never_blocked": "never blocked",
    "permitted_by_it": "permitted by IT",
    "forbidden_by_it": "forbidden by IT",
    "exempted": "exempted",
    "category_closed": "category closed",
    "judged_closed": "judged, and blocked on that",
    "judged": "looks like",
    "category_open": "category open",
    "list_exception": "excepted by the list itself",
    "not_forbidden": "not forbidden",
}
QUARANTINE = {
    "public_suffix": "others' names are registered below it",
    "private_suffix": "others' sites are hosted below it",
    "bare_tld": "it is a whole top-level domain",
    "above_never_blocked": "below it is what is never blocked",
    "never_blocked": "it is never blocked",
    "infrastructure": "other sites need it",
    "misfiled": "it is a widely used site of another kind",
}


def render(answer: dict[str, Any]) -> str:
    """The verdict, each reason, since when, what hygiene held back, and what would change it."""
    verdict = "may be visited" if answer["permitted"] else "is closed"
    at = answer["at"]
    lines = [f"{answer['name']} {verdict} for group {answer['group']} at {at} (generation {answer['generation']})"]
    lines += [f"  because: {_reason(reason)}" for reason in answer["reasons"]]
    since = answer["since"]
    if since is not None:
        note = f": {since['note']}" if since["note"] else ""
        told = f"generation {since['generation']}, published {since['published_at']} by {since['published_by']}{note}"
        lines.append(f"  since: {told}")
    if answer["valid_until"]:
        lines.append(f"  until: {answer['valid_until']}, when the hour or an exemption can change it")
    for each in answer["lists"]:
        what = "excepts" if each["exception"] else "has"
        facts = f"{each['names']} names, sha256 {each['sha256'][:12]}"
        facts += f", as it is since {each['since']}" if each["since"] else ""
        lines.append(f"  list: {each['source']} {what} {each['name']} as {each['category']['key']} ({facts})")
    for each in answer["quarantine"]:
        told = f"{each['name']} as {each['category']['key']}, but {held_back(each['reason'], each['detail'])}"
        lines.append(f"  in quarantine: {each['source']} has {told}")
    if answer["safe_search"]:
        lines.append(f"  safe search: answered with {answer['safe_search']}")
    if answer["canary"]:
        lines.append("  always answered with no such name: programs ask by it whether they may go round this resolver")
    lines += [f"  would change it: {_change(change, answer['group'])}" for change in answer["changes"]]
    for each in answer["quarantine"]:
        if each["reason"] != "never_blocked":
            lines.append(
                f"  would change it: gjestenett policy overrule {each['name']}, then gjestenett policy publish"
            )
    return "\n".join(lines)


def held_back(reason: str, detail: str) -> str:
    """Why a listed name is in quarantine, in words."""
    return QUARANTINE.get(reason, reason) + (f" ({detail})" if detail else "")


def _reason(reason: dict[str, Any]) -> str:
    parts = [ROWS[reason["kind"]]]
    parts += [reason["name"]] if reason.get("name") else []
    parts += [reason["category"]["key"]] if reason.get("category") else []
    parts += [f"(list {reason['source']})"] if reason.get("source") else []
    parts += [f"[{reason['detail']}]"] if reason.get("detail") else []
    return " ".join(parts)


COMMANDS = {
    "permit_name": "gjestenett policy permit {what}",
    "forbid_name": "gjestenett policy forbid {what}",
    "open_categories": "gjestenett policy open {what}",
    "close_any_category": "gjestenett policy close {what}",
    "exempt_categories": "gjestenett policy exemptions add {what} --until … --approved-by … --reason …",
    "end_exemptions": "gjestenett policy exemptions end …, for {what}",
    "judge_off": "take {what} out of judge, by gjestenett policy export and import",
}


def _change(change: dict[str, Any], group: str) -> str:
    what = change.get("name") or ("," if change["action"] != "exempt_categories" else " ").join(change["categories"])
    text = COMMANDS[change["action"]].format(what=what)
    if text.startswith("gjestenett") and group != "default":
        text += f" --group {group}"
    if change["action"] == "open_categories" and len(change["categories"]) > 1:
        text = "; ".join(f"gjestenett policy open {key} --group {group}" for key in change["categories"])
    if change["action"] == "close_any_category" and len(change["categories"]) > 1:
        text = " or ".join(f"gjestenett policy close {key} --group {group}" for key in change["categories"])
    if change.get("by_schedule"):
        text += f" (a schedule decides now for {', '.join(change['by_schedule'])}: see gjestenett policy export)"
    return text + ", then gjestenett policy publish"
