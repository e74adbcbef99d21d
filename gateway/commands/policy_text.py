"""An explanation (`gateway.lists.explanation`) as plain lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from gateway.commands.policy_suggestions import suggestions
from gateway.lists.judge_examples import FEWEST_SITES, JUDGED
from gateway.lists.no_effect import why
from policies.decide import read_exemption_text
from policies.no_effect import Obstacle

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


def render(answer: dict[str, Any], zone: tzinfo) -> str:
    """The verdict, each reason, since when, what hygiene held back, and what would change it; moments in `zone`."""
    verdict = "may be visited" if answer["permitted"] else "is closed"
    verdict = "is always answered with no such name" if answer["canary"] else verdict
    at = _moment(answer["at"], zone)
    lines = [f"{answer['name']} {verdict} for group {answer['group']} at {at} (generation {answer['generation']})"]
    if answer["canary"]:
        lines.append("  because: programs ask by it whether they may go round this resolver")
    lines += [f"  because: {_reason(reason, zone)}" for reason in answer["reasons"] if not answer["canary"]]
    for each in answer["no_effect"]:
        found = Obstacle(each["because"]["kind"], each["because"]["name"], each["because"]["service"])
        lines.append(f"  this rule has no effect here: {each['rule']} {each['name']}: {why(found)}")
    since = answer["since"]
    if since is not None:
        note = f": {since['note']}" if since["note"] else ""
        published = f"published {_moment(since['published_at'], zone)} by {since['published_by']}{note}"
        lines.append(f"  since: generation {since['generation']}, {published}")
    if answer["valid_until"]:
        lines.append(f"  until: {_moment(answer['valid_until'], zone)}, when the hour or an exemption can change it")
    for each in answer["lists"]:
        what = "excepts" if each["exception"] else "has"
        facts = f"{each['names']} {'name' if each['names'] == 1 else 'names'}, sha256 {each['sha256'][:12]}"
        facts += f", as it is since {_moment(each['since'], zone)}" if each["since"] else ""
        lines.append(f"  list: {each['source']} {what} {each['name']} as {each['category']['key']} ({facts})")
    for each in answer["quarantine"]:
        told = f"{each['name']} as {each['category']['key']}, but {held_back(each['reason'], each['detail'])}"
        lines.append(f"  in quarantine: {each['source']} has {told}")
    if answer["safe_search"]:
        lines.append(f"  safe search: answered with {answer['safe_search']}")
    scheduled = dict.fromkeys(key for change in answer["changes"] for key in change.get("by_schedule") or ())
    if scheduled:
        lines.append(f"  a schedule decides now for {', '.join(scheduled)}: see gjestenett policy export")
    lines += [f"  would change it: {line}" for line in suggestions(answer, zone)]
    return "\n".join(lines)


def learnt(categories: Sequence[str]) -> str:
    """Which categories a judge has learnt, and what it takes to learn another."""
    others = ", ".join(key for key in JUDGED if key not in categories)
    told = f"the judge has learnt {', '.join(categories)}" if categories else "the judge has learnt no category yet"
    needs = f"; it learns {others} from lists with at least {FEWEST_SITES} sites of the category" if others else ""
    return told + needs


def _moment(text: str, zone: tzinfo) -> str:
    """`2026-12-01 16:00 (Europe/Oslo)`."""
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M} ({zone})"


def held_back(reason: str, detail: str) -> str:
    """Why a listed name is in quarantine, in words."""
    return QUARANTINE.get(reason, reason) + (f" ({detail})" if detail else "")


def _reason(reason: dict[str, Any], zone: tzinfo) -> str:
    detail = reason.get("detail")
    if reason["kind"] == "exempted" and detail is not None:
        identity, by, until = read_exemption_text(detail)
        detail = f"{identity}, approved by {by}, until {_moment(until.isoformat(), zone)}"
    parts = [ROWS[reason["kind"]] + (", only reported" if reason.get("reported") else "")]
    parts += [reason["name"]] if reason.get("name") else []
    parts += [reason["category"]["key"]] if reason.get("category") else []
    parts += [f"(list {reason['source']})"] if reason.get("source") else []
    parts += [f"[{detail}]"] if detail else []
    return " ".join(parts)
