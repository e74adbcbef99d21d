"""Versions of the rules: all of them, and two side by side with the words that differ."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.rules.room import standings
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.storage import rules
from gateway.storage.models import RulesText, RulesVersion
from gateway.terms.compare import compare
from gateway.terms.drafting import norwegian_day

TABLE = Table("/rules", (Column("published", N_("Published"), "moment"),), size=20)
EVERYBODY = "*"
"""What stands in the address for the rules of everybody, whose group has no name."""
CHOICES, LABEL_MAX_CHARS = 200, 80


def show(visit: Visit) -> Response:
    """GET /rules: with two versions named, what differs between them."""
    session, owner_id = visit.session, visit.services.place.owner_id
    asked_for = {name: visit.query.get(name, "") for name in ("old", "new")}
    old, new = (_labelled(visit, label) for label in asked_for.values())
    unknown = any(asked_for[name] and found is None for name, found in (("old", old), ("new", new)))
    spoken = common(old, new) if old and new else []
    wanted = visit.query.get("text", "")
    text = wanted if wanted in spoken else visit.language if visit.language in spoken else (spoken or [""])[0]
    rows = compare(text_of(old, text).markdown, text_of(new, text).markdown) if old and new and text else None
    standing = standings(visit)
    groups = [each.room.key for each in standing]
    group = visit.query.get("group", "") if visit.query.get("group", "").removeprefix(EVERYBODY) in groups else ""
    asked = TABLE.read(visit.query, {"group": group})
    whose = group.removeprefix(EVERYBODY) if group else None
    found = rules.page_of_versions(session, owner_id, whose, asked.cut)
    return visit.page(
        "rules_versions.html",
        HTTPStatus.NOT_FOUND if unknown else HTTPStatus.OK,
        labels=_labels(visit, old, new),
        shown=asked.shown(found, lambda row: (row.published_at, row.id)),
        group=group,
        everybody=EVERYBODY,
        standings=standing,
        notice=visit.query.get("notice", ""),
        outcomes=rules.outcomes(visit.session, visit.services.place.owner_id),
        today=norwegian_day(visit.now),
        old=old,
        new=new,
        unknown=unknown,
        spoken=spoken,
        text=text,
        rows=rows,
    )


def _labelled(visit: Visit, label: str) -> RulesVersion | None:
    line, problem = clean_line(label, LABEL_MAX_CHARS, required=True)
    return rules.version_labelled(visit.session, visit.services.place.owner_id, line) if problem is None else None


def _labels(visit: Visit, *chosen: RulesVersion | None) -> Sequence[rules.Label]:
    """The newest versions to choose from, and those that are chosen."""
    found = dict.fromkeys(rules.newest_labels(visit.session, visit.services.place.owner_id, CHOICES))
    return list(found | {rules.Label(each.label, each.published_at): None for each in chosen if each is not None})


def common(old: RulesVersion, new: RulesVersion) -> list[str]:
    """The languages that both have a text in."""
    return sorted({each.language for each in old.texts} & {each.language for each in new.texts})


def text_of(version: RulesVersion, language: str) -> RulesText:
    """The text of a version in one of its languages."""
    return next(each for each in version.texts if each.language == language)
