"""The whole answer to "why?": the decision, what each list says, what hygiene held back, since when, by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.errors import UsageError
from policies.decide import decide
from policies.document import parse_document
from policies.document_toml import YEARS
from policies.explain import category_facts, explain
from policies.hygiene import quarantined
from policies.lexical import Judge
from policies.model import Decision, Group, Judged, Policy, Reason
from policies.names import PolicyError
from policies.no_effect import Rule, obstacle
from policies.safe_search import safe_host
from policies.schedule import write_hours
from policies.snapshot import Snapshot

JUDGE_SECTION = "judge"
SHOWN_FROM = 0.5


@dataclass(frozen=True)
class Generation:
    """A published policy as history has it."""

    number: int
    published_at: datetime
    published_by: str
    note: str
    document: dict[str, Any]


ListSince = Callable[[str, str], datetime | None]
"""Since when a source has stood with the content of this SHA-256; None where that is not known."""


def _never_known(_source: str, _sha256: str) -> None:
    """Where nobody keeps a history of lists."""


def explanation(
    name: str,
    group: Group,
    at: datetime,
    snapshot: Snapshot,
    history: Iterable[Generation] = (),
    list_since: ListSince = _never_known,
) -> dict[str, Any]:
    """`policies.explain.explain` of the decision, where a reason has `reported` when its open category is only reported
    for the group, and: `at`; `group_names`; `since` (the generation from which what
    decided stands: `generation`, `published_at`, `published_by`, `note`; None for what is built in or not known);
    `lists` (each list that has the name: `source`, `category`, `names`, `sha256`, and `since` when it has stood as it
    is, None for those that come with the product); `quarantine` (listed, but held back:
    `name`, `source`, `category`, `reason`, `detail`); `judged`; `safe_search` (the host it is sent to); `canary`
    (answered with no such name whatever rules say: nothing would change it); `no_effect` (each of IT's rules that is
    overridden for this name: `rule`, `name`, `because` with the fields of `policies.no_effect.Obstacle`).

    `name` is in normal form; `history` is newest first, and read only as far as needed.
    Raises: UsageError when `at` lies outside `policies.document_toml.YEARS`.
    """
    check_year(at)
    judged = opinions(snapshot, name)
    decision = decide(name, group, at, snapshot, judged)
    listings = snapshot.lookup(name)
    sources = {source.id: source for source in snapshot.sources}
    held = quarantined(snapshot.section("quarantine"), name)
    facts = explain(decision)
    _mark_reported(facts["reasons"], group)
    canary = obstacle("permit", name, {})
    if canary is not None:
        facts |= {"changes": [], "valid_until": None}  # no rule reaches it
    return facts | {
        "at": at.isoformat(timespec="seconds"),
        "group_names": dict(group.titles),
        "since": None if canary else _since(decision.reasons[0], group.key, snapshot.generation, history),
        "lists": [
            {
                "source": listing.source,
                "name": listing.name,
                "category": category_facts(listing.category),
                "exception": listing.exception,
                "names": sources[listing.source_id].entries,
                "sha256": sources[listing.source_id].sha256,
                "since": _told(list_since(listing.source, sources[listing.source_id].sha256)),
            }
            for listing in listings
        ],
        "quarantine": [
            {
                "name": each.name,
                "source": each.source,
                "category": category_facts(each.category),
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in held
        ],
        "judged": [
            {"category": category_facts(each.category), "confidence": round(each.confidence, 4), "pieces": each.because}
            for each in judged
        ],
        "safe_search": safe_host(name, group.safe_search) if decision.permitted else None,
        "canary": canary is not None,
        "no_effect": _no_effect(name, decision, snapshot),
    }


def _mark_reported(reasons: list[dict[str, Any]], group: Group) -> None:
    for reason in reasons:
        if reason["kind"] in ("category_open", "exempted") and reason["category"]["key"] in group.report:
            reason["reported"] = True


def _no_effect(name: str, decision: Decision, snapshot: Snapshot) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    rules: dict[str, Rule] = {"permitted_by_it": "permit", "forbidden_by_it": "forbid"}
    for reason in decision.reasons:
        rule = rules.get(reason.kind)
        because = obstacle(rule, name, snapshot.never_blocked) if rule is not None else None
        if because is not None:
            found.append({"rule": rule, "name": reason.name, "because": asdict(because)})
    return found


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def check_year(at: datetime) -> None:
    """Raises: UsageError for a moment so early or late that it can't be told in every time zone."""
    if at.year not in YEARS:
        raise UsageError(f"{at.isoformat()}: write a moment in a year from {YEARS[0]} to {YEARS[-1]}")


def opinions(snapshot: Snapshot, name: str) -> tuple[Judged, ...]:
    """What the judge in the snapshot holds a name for, with the pieces that decided; empty without a judge."""
    judge = judge_of(snapshot)
    if judge is None or not name:
        return ()
    return tuple(
        Judged(each.category, each.confidence, tuple(piece.text for piece in judge.deciding(name, each.category)))
        for each in judge.opinions(name, SHOWN_FROM)
    )


def judge_of(snapshot: Snapshot) -> Judge | None:
    """The judge of unlisted names that was compiled into the snapshot, if any. Raises: PolicyError (damaged)."""
    section = snapshot.section(JUDGE_SECTION)
    return None if section is None else Judge(section, verified=True)  # the snapshot's own checksum covers it


def closable(snapshot: Snapshot, group: Group) -> frozenset[str]:
    """The categories that have an effect when they are closed for the group: those that a list has names for, and those
    whose look-alikes are blocked for it. Raises: PolicyError (damaged).
    """
    judge = judge_of(snapshot) if group.judge else None
    return frozenset((*snapshot.categories, *(group.judge.keys() & judge.categories if judge is not None else ())))


def _since(reason: Reason, group: str, generation: int, history: Iterable[Generation]) -> dict[str, Any] | None:
    """The first of the generations, back from the one asked about without a gap, that says what decided."""
    says = _says(reason, group)
    if says is None:
        return None
    found: Generation | None = None
    for each in history:
        if each.number > generation:
            continue
        try:
            if not says(parse_document(each.document)):
                break
        except PolicyError:
            break
        found = each
    if found is None:
        return None
    return {
        "generation": found.number,
        "published_at": found.published_at.isoformat(timespec="seconds"),
        "published_by": found.published_by,
        "note": found.note,
    }


def _says(reason: Reason, key: str) -> Callable[[Policy], bool] | None:
    """Whether a policy says what the reason says; None for reasons that no policy gives."""

    def group(policy: Policy) -> Group | None:
        return policy.groups.get(key)

    def closes(policy: Policy) -> bool:
        found = group(policy)
        if found is None:
            return False
        if reason.detail is None or reason.kind == "judged_closed":
            return reason.category in found.closed
        hours = {write_hours(each) for each in found.schedules if reason.category in each.categories}
        return reason.detail in hours

    match reason.kind:
        case "permitted_by_it":
            return lambda policy: (found := group(policy)) is not None and reason.name in found.permit
        case "forbidden_by_it":
            return lambda policy: (found := group(policy)) is not None and reason.name in found.forbid
        case "category_closed" | "judged_closed":
            return closes
        case "exempted":
            identity = (reason.detail or "").partition(",")[0]
            return lambda policy: any(each.id == identity for each in policy.exemptions)
        case "never_blocked" if reason.detail in ("it", "own_zone"):
            return lambda policy: reason.name in policy.never_blocked | policy.own_zones
        case _:
            return None
