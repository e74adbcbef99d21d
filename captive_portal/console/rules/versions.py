"""Versions of the rules: all of them, and two side by side with the words that differ."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.rules.room import standings
from captive_portal.console.visit import Visit
from gateway.storage import rules
from gateway.storage.models import RulesText, RulesVersion
from gateway.terms.compare import compare
from gateway.terms.drafting import norwegian_day


def show(visit: Visit) -> Response:
    """GET /rules: with two versions named, what differs between them."""
    versions = rules.versions(visit.session, visit.services.place.owner_id)
    old, new = (_labelled(versions, visit.query.get(name, "")) for name in ("old", "new"))
    unknown = any(visit.query.get(name) and found is None for name, found in (("old", old), ("new", new)))
    spoken = _common(old, new) if old and new else []
    wanted = visit.query.get("text", "")
    text = wanted if wanted in spoken else visit.language if visit.language in spoken else (spoken or [""])[0]
    rows = compare(_text(old, text).markdown, _text(new, text).markdown) if old and new and text else None
    return visit.page(
        "rules_versions.html",
        HTTPStatus.NOT_FOUND if unknown else HTTPStatus.OK,
        versions=versions,
        standings=standings(visit),
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


def _labelled(versions: Sequence[RulesVersion], label: str) -> RulesVersion | None:
    return next((each for each in versions if each.label == label), None) if label else None


def _common(old: RulesVersion, new: RulesVersion) -> list[str]:
    return sorted({each.language for each in old.texts} & {each.language for each in new.texts})


def _text(version: RulesVersion, language: str) -> RulesText:
    return next(each for each in version.texts if each.language == language)
