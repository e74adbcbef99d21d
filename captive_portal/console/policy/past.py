"""The content filter in force at a moment: its generation, its entry in the log, and what it closed, in words.

Of the lists of then, the last compiled snapshot of the generation is kept on this machine: it tells which categories no
list had names for, exactly where it was compiled before the moment. Otherwise the page says what is not known.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

from starlette.responses import Response

from captive_portal.console import kept_words
from captive_portal.console.evidence.periods import read_moment
from captive_portal.console.look import N_
from captive_portal.console.policy.room import names, titles
from captive_portal.console.visit import Visit
from gateway.clock import MUNICIPAL_ZONE
from gateway.lists.explanation import closable
from gateway.lists.publish import Kept, kept
from gateway.storage import generations
from gateway.storage.headings import LeafQuery, find_leaves
from gateway.storage.policy_models import PolicyGeneration
from policies.categories import CATEGORIES, Language
from policies.diff_words import exemption_in_words, hours_in_words
from policies.document import parse_document
from policies.model import Group, Policy

MOMENT_PROBLEM = N_("Write a day and a time of day.")
FUTURE_PROBLEM = N_("Write a moment that has been: nobody knows yet what will be in force then.")
MINUTE_CHARS = len("2026-11-22T13:30")
TO_ITS_END = timedelta(minutes=1, microseconds=-1)
"""A minute is taken to its end: what the history says was published in it was in force by then."""


def show(visit: Visit) -> Response:
    """GET /policy-then"""
    typed = visit.query.get("at", "")
    at = read_moment(typed) if typed else visit.now
    problems = {} if at is not None else {"at": MOMENT_PROBLEM}
    if at is not None and at > visit.now:
        at, problems = None, {"at": FUTURE_PROBLEM}
    elif at is not None and len(typed) == MINUTE_CHARS:
        at = min(at + TO_ITS_END, visit.now)
    published = generations.in_force_at(visit.session, visit.services.place.owner_id, at) if at is not None else None
    policy = parse_document(published.document) if published is not None else None
    if policy is not None:
        policy = kept_words.readable(visit.look.translator(visit.language), policy)
    compiled = kept(visit.services.settings.state, published.generation) if published is not None else None
    return visit.page(
        "policy_then.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        typed=typed or visit.now.astimezone(MUNICIPAL_ZONE).strftime("%Y-%m-%dT%H:%M"),
        at=at,
        problems=problems,
        published=published,
        leaf=_leaf(visit, published) if published is not None else None,
        groups=_groups(visit, policy, compiled) if policy is not None else [],
        compiled=compiled,
        policy=policy,
        exemptions=_exemptions(visit, policy, at) if policy is not None and at is not None else [],
        kept=kept_words,
    )


def _groups(visit: Visit, policy: Policy, compiled: Kept | None) -> list[dict[str, Any]]:
    called, ruled = titles(visit, policy), [each for each in policy.groups.values() if not each.like]
    return [_group(each, called[each.key], visit.language, compiled) for each in ruled]


def _group(group: Group, title: str, language: str, compiled: Kept | None) -> dict[str, Any]:
    said = cast(Language, language)
    known = closable(compiled.snapshot, group) if compiled is not None else CATEGORIES.keys()
    return {
        "title": title,
        "closed": [(category.names[said], key in known) for key, category in CATEGORIES.items() if key in group.closed],
        "open": [category.names[said] for key, category in CATEGORIES.items() if key not in group.closed],
        "schedules": [
            (
                schedule.effect,
                [
                    (category.names[said], key in known)
                    for key, category in CATEGORIES.items()
                    if key in schedule.categories
                ],
                hours_in_words(schedule, said),
            )
            for schedule in group.schedules
        ],
        "permit": sorted(group.permit),
        "forbid": sorted(group.forbid),
        "safe_search": sorted(group.safe_search),
        "report": [category.names[said] for key, category in CATEGORIES.items() if key in group.report],
        "judged": [category.names[said] for key, category in CATEGORIES.items() if key in group.judge],
    }


def _exemptions(visit: Visit, policy: Policy, at: datetime) -> list[str]:
    called, moment = names(visit, policy), visit.look.translator(visit.language).moment
    return [
        exemption_in_words(each, cast(Language, visit.language), policy.zone, called, moment)
        for each in policy.exemptions
        if each.start <= at < each.end
    ]


def _leaf(visit: Visit, published: PolicyGeneration) -> int | None:
    """The number of the entry about this generation; None while it waits to be sealed."""
    from_ms = published.published_at.replace(microsecond=published.published_at.microsecond // 1000 * 1000)
    query = LeafQuery(("policy_published",), from_ms, from_ms + timedelta(milliseconds=1))
    found = find_leaves(visit.session, visit.services.place.owner_id, query, before=None, limit=20)
    return next((leaf.index for leaf in found if json.loads(leaf.entry)["generation"] == published.generation), None)
