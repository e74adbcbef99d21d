"""Acceptances: the search page by page, and the auditor's bundle of it."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.responses import FileResponse, Response

from captive_portal.console import search
from captive_portal.console.exports import KEEP_S, ExportShelf
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.periods import Period, read_period
from captive_portal.console.visit import Visit
from gateway.audit.errors import AuditError
from gateway.audit.export import Order, export
from gateway.audit.note import parse_verifiers
from gateway.clock import MUNICIPAL_ZONE
from gateway.installation import public_key_path

log = logging.getLogger(__name__)

REASON_MAX_CHARS = 300

NOT_NOW = N_("The export could not be made just now. Nothing may be sealed yet: wait a little and try again.")
LIMITED = N_("Your account sees a part of the log only, and a bundle holds more. Ask IT for the export.")
REASON_PROBLEMS = {
    "missing": N_("Write why the acceptances are exported. The reason becomes part of the log."),
    "too_long": N_("The reason may have at most 300 characters."),
    "characters": N_("The reason has characters that can't be used, such as control characters. Write it again."),
}


def show(visit: Visit) -> Response:
    """GET /acceptances"""
    return _page(visit, read_period(visit.query.get("first", ""), visit.query.get("last", "")))


class ExportPages:
    """From the filled-in form to the downloads: the bundle, and the signed hash of it."""

    def __init__(self, shelf: ExportShelf) -> None:
        self._shelf = shelf

    def make(self, visit: Visit) -> Response:
        """POST /acceptances/export. The export itself becomes a leaf of the log."""
        period = read_period(visit.form.get("first"), visit.form.get("last"), required=True)
        reason, problem = clean_line(visit.form.get("reason"), REASON_MAX_CHARS, required=True)
        problems = dict(period.problems)
        if problem is not None:
            problems["reason"] = REASON_PROBLEMS[problem]
        if problems or period.since is None or period.until is None:
            return self._again(visit, period, problems, reason)
        if visit.member.scope.is_limited:
            return self._again(visit, period, {"": LIMITED}, reason, HTTPStatus.FORBIDDEN)
        services = visit.services
        order = Order(period.since, period.until, visit.member.username, reason, visit.language)
        try:
            keys = parse_verifiers(public_key_path(services.settings).read_text(encoding="utf-8"))
            kept = self._shelf.make(
                visit.member.staff_id,
                f"gjestenett-{services.place.owner_key}-{period.first}-{period.last}.zip",
                lambda out: export(services.database, services.place, keys, order, out, visit.now),
            )
        except (AuditError, OSError):
            log.warning("an export failed", exc_info=True)
            return self._again(visit, period, {"": NOT_NOW}, reason, HTTPStatus.SERVICE_UNAVAILABLE)
        return visit.go(f"/acceptances/exports/{kept.key}")

    def show(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}"""
        kept = self._shelf.find(visit.params["key"], visit.member.staff_id)
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        return visit.page("export.html", kept=kept, minutes=KEEP_S // 60)

    def download(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}/{file}: bundle or note."""
        kept = self._shelf.find(visit.params["key"], visit.member.staff_id)
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        if visit.params["file"] == "bundle":
            return FileResponse(kept.bundle, media_type="application/zip", filename=kept.name)
        if visit.params["file"] == "note" and kept.note is not None:
            return FileResponse(kept.note, media_type="text/plain; charset=utf-8", filename=f"{kept.name}.note")
        return visit.failed(HTTPStatus.NOT_FOUND)

    def _again(
        self, visit: Visit, period: Period, problems: dict[str, str], reason: str, status: int | None = None
    ) -> Response:
        shown = read_period("", "") if period.problems else period
        with visit.services.database.read() as session:
            return _page(
                visit.within(session),
                shown,
                status or HTTPStatus.UNPROCESSABLE_ENTITY,
                export_problems=problems,
                reason=reason,
                typed=(period.first, period.last),
            )


def _page(
    visit: Visit,
    period: Period,
    status: int | None = None,
    *,
    export_problems: dict[str, str] | None = None,
    reason: str = "",
    typed: tuple[str, str] | None = None,
) -> Response:
    found = search.find(visit)
    today = visit.now.astimezone(MUNICIPAL_ZONE).date()
    return visit.page(
        "acceptances.html",
        status or (HTTPStatus.UNPROCESSABLE_ENTITY if found.problems else HTTPStatus.OK),
        found=found,
        scope=visit.member.scope,
        export_problems=export_problems or {},
        reason=reason,
        reason_max_chars=REASON_MAX_CHARS,
        export_first=typed[0] if typed else period.first or today.replace(month=1, day=1).isoformat(),
        export_last=typed[1] if typed else period.last or today.isoformat(),
        portal=visit.services.settings.public_url,
    )
