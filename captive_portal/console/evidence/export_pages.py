"""Exporting in the console: from the filled-in form, by way of a bar that moves, to the downloads."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from http import HTTPStatus
from importlib.util import find_spec

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from captive_portal.console.evidence.exports import AFTER_DOWNLOAD_S, KEEP_S, ExportShelf, KeptExport
from captive_portal.console.evidence.periods import Period, read_period
from captive_portal.console.forms import Form, clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.audit import fields
from gateway.audit.errors import BundleError
from gateway.audit.export import Order
from gateway.audit.export_child import Job
from gateway.audit.sample import MAX_ROWS, Sample
from gateway.audit.scope import Scope
from gateway.audit.selection import PERSONAL_KEYS, read_device
from gateway.audit.view import HEADINGS, PERSONAL_COLUMNS, PLAIN_COLUMNS
from gateway.audit.workbook import MAX_ROWS as WORKBOOK_MAX_ROWS
from gateway.clock import MUNICIPAL_ZONE
from gateway.installation import public_key_path
from gateway.storage import leaves, places, rules

log = logging.getLogger(__name__)

EVERY_S = 2
LINE_MAX_CHARS = 100
REASON_MAX_CHARS = 300

NOT_NOW = N_("The export could not be made just now. Nothing may be sealed yet: wait a little and try again.")
BUSY = N_("Other exports are under way. Wait until one is finished and try again.")
REASON_PROBLEMS = {
    "missing": N_("Write why the acceptances are exported. The reason becomes part of the log."),
    "too_long": N_("The reason may have at most 300 characters."),
    "characters": N_("The reason has characters that can't be used, such as control characters. Write it again."),
}
LINE_PROBLEM = N_("Write at most 100 ordinary characters.")
DEVICE_PROBLEM = N_("Write the device’s address (MAC), such as 02:00:5e:10:00:01, or at least its last two digits.")
WITHHELD_PROBLEM = N_("You can’t search for what is withheld: the search itself would tell it.")
OUTSIDE_PROBLEM = N_("Your account sees nothing of this period.")
SITE_PROBLEM = N_("Choose one of the sites that your account sees.")
COUNT_PROBLEM = N_("Write a number from 1 to 10,000.")
NUMBER_PROBLEM = N_("Write the auditor’s own number. The sample is drawn with it.")
FAILURES = {
    "rows": N_("More acceptances than a workbook can hold. Choose a shorter period, or leave the workbook out."),
    "log": N_("The log does not agree with its signed checkpoint. Delete nothing; IT finds more in the service’s log."),
    "space": N_("There is too little room on the disk. Make room and try again."),
    "storage": N_("The database did not answer. Wait a little and try again."),
    "unexpected": N_("Something went wrong here. Try again; if it happens again, look in the service’s log."),
}
STAGES = {
    "starting": N_("The export begins …"),
    "reading": N_("{done} of {total} entries of the log read"),
    "packing": N_("Everything is read; the files are being packed …"),
    "signing": N_("Waiting for the sealer to sign …"),
}


@dataclass(frozen=True)
class Typed:
    """The form as it was filled in, and what is wrong with it by field."""

    period: Period
    texts: dict[str, str]
    ticked: frozenset[str]
    problems: dict[str, str]


TEXTS = ("site", "version", "course", "name", "device", "count", "number", "reason")
TICKS = ("withheld", "xlsx", "report")


class ExportPages:
    """What `/acceptances/export` and the pages of one export answer."""

    def __init__(self, shelf: ExportShelf) -> None:
        self._shelf = shelf

    def ask(self, visit: Visit) -> Response:
        """GET /acceptances/export"""
        today = visit.now.astimezone(MUNICIPAL_ZONE).date()
        period = read_period(
            visit.query.get("first", "") or today.replace(month=1, day=1).isoformat(),
            visit.query.get("last", "") or today.isoformat(),
        )
        blank = Typed(replace(period, problems={}), dict.fromkeys(TEXTS, ""), frozenset(), {})
        return self._form(visit, blank, HTTPStatus.OK)

    def make(self, visit: Visit) -> Response:
        """POST /acceptances/export. The export itself becomes a leaf of the log as it begins."""
        made = self.begin(visit)
        if isinstance(made, KeptExport):
            return visit.go(f"/acceptances/exports/{made.key}")
        failed = made.problems.get("") in (NOT_NOW, BUSY)
        return self._form(visit, made, HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.UNPROCESSABLE_ENTITY)

    def begin(self, visit: Visit) -> KeptExport | Typed:
        """Begin the export that the form of this visit describes; or the form, with what is wrong."""
        typed = _within(visit.member.scope, _read(visit.form), _fields(visit))
        order = None if typed.problems else _order(visit, typed)
        if order is None:
            return typed
        services, staff = visit.services, visit.member
        head = leaves.find_head(visit.session, services.place.owner_id)
        try:
            order.check()
            keys = public_key_path(services.settings).read_text(encoding="utf-8")
            if head is None or head.size == 0:
                raise BundleError("nothing is sealed yet")
            kept = self._shelf.start(
                staff.staff_id,
                _name(visit, typed),
                lambda folder: Job(
                    services.settings.database_url, services.place.owner_key, services.place.site_key,
                    services.settings.enforcement.gateway, keys, order, visit.now, folder,
                ),
            )  # fmt: skip
        except (BundleError, OSError):
            log.warning("an export could not begin", exc_info=True)
            return replace(typed, problems={"": NOT_NOW})
        return kept if kept is not None else replace(typed, problems={"": BUSY})

    def show(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}: it comes again by itself while the export is under way."""
        kept = self._find(visit)
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        state = kept.state
        if state.stage == "failed":
            return visit.page("export_failed.html", kept=kept, message=FAILURES[state.reason or "unexpected"])
        if state.stage != "done":
            response = visit.page("export_progress.html", kept=kept, state=state, message=STAGES[state.stage])
            response.headers["Refresh"] = f"{EVERY_S}; url={visit.path}"
            return response
        return visit.page(
            "export.html",
            kept=kept,
            entries=state.done,
            size_bytes=kept.bundle.stat().st_size,
            minutes=round(KEEP_S / 60),
            minutes_after=round(AFTER_DOWNLOAD_S / 60),
        )

    def download(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}/{file}: bundle or note."""
        kept, file = self._find(visit), visit.params["file"]
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        return self.file(kept, file) or visit.failed(HTTPStatus.NOT_FOUND)

    def file(self, kept: KeptExport, file: str) -> Response | None:
        """The `bundle` or the `note` of an export that is done."""
        path = {"bundle": kept.bundle, "note": kept.note}.get(file)
        if path is None or kept.state.stage != "done":
            return None
        media_type, name = (
            ("application/zip", kept.name) if file == "bundle" else ("text/plain; charset=utf-8", f"{kept.name}.note")
        )
        sent = BackgroundTask(self._shelf.sent, kept, file)
        return FileResponse(path, media_type=media_type, filename=name, background=sent)

    def remove(self, visit: Visit) -> Response:
        """POST /acceptances/exports/{key}/remove: stop it, or delete it now."""
        kept = self._find(visit)
        if kept is not None:
            self._shelf.discard(kept.key)
        return visit.go("/acceptances/export")

    def _find(self, visit: Visit) -> KeptExport | None:
        return self._shelf.find(visit.params["key"], visit.member.staff_id)

    def _form(self, visit: Visit, typed: Typed, status: int) -> Response:
        owner_id, scope = visit.services.place.owner_id, visit.member.scope
        headings = HEADINGS[visit.language][len(PLAIN_COLUMNS) :]
        named = dict(zip(PERSONAL_COLUMNS, headings, strict=True))
        sites = places.site_keys(visit.session, owner_id)
        visible = fields.visible(names_withheld=False) & scope.fields
        return visit.page(
            "export_form.html",
            status,
            typed=typed,
            problems=typed.problems,
            sites=[key for key in sites if scope.sites is None or key in scope.sites],
            scope=scope,
            versions=[version.label for version in rules.versions(visit.session, owner_id)],
            visible=[named[name] for name in PERSONAL_COLUMNS if name in visible],
            withheld=[named[name] for name in PERSONAL_COLUMNS if name in visible & fields.WITHHELD],
            under_way=self._shelf.under_way(visit.member.staff_id),
            has_report=find_spec("weasyprint") is not None,
            workbook_max_rows=WORKBOOK_MAX_ROWS,
        )


def _read(form: Form) -> Typed:
    period = read_period(form.get("first"), form.get("last"), required=True)
    problems = dict(period.problems)
    texts: dict[str, str] = {}
    ticked = frozenset(name for name in TICKS if form.get(name))
    for name in TEXTS:
        required = name == "reason"
        texts[name], problem = clean_line(
            form.get(name), REASON_MAX_CHARS if required else LINE_MAX_CHARS, required=required
        )
        if problem is not None:
            problems[name] = REASON_PROBLEMS[problem] if required else LINE_PROBLEM
    if texts["device"] and read_device(texts["device"]) is None:
        problems["device"] = DEVICE_PROBLEM
    if (texts["number"] and not texts["count"]) or (texts["count"] and not _is_count(texts["count"])):
        problems["count"] = COUNT_PROBLEM
    if texts["count"] and not texts["number"]:
        problems["number"] = NUMBER_PROBLEM
    return Typed(period, texts, ticked, problems)


def _within(scope: Scope, typed: Typed, shown: frozenset[str]) -> Typed:
    """What was filled in, narrowed to what the account may see; what can't be narrowed is a problem."""
    problems = {
        key: WITHHELD_PROBLEM for key, field in PERSONAL_KEYS.items() if typed.texts[key] and field not in shown
    }
    since, until = scope.within(typed.period.since, typed.period.until)
    if since is not None and until is not None and since >= until:
        problems["first"] = OUTSIDE_PROBLEM
    texts = dict(typed.texts)
    if scope.sites is not None and texts["site"] not in scope.sites:
        if texts["site"] or len(scope.sites) > 1:
            problems["site"] = SITE_PROBLEM
        else:
            (texts["site"],) = scope.sites
    period = replace(typed.period, since=since, until=until)
    return replace(typed, period=period, texts=texts, problems=typed.problems | problems)


def _fields(visit: Visit) -> frozenset[str]:
    """The personal fields that the export will show."""
    withheld = bool(visit.form.get("withheld"))
    return fields.visible(names_withheld=withheld) & visit.member.scope.fields


def _name(visit: Visit, typed: Typed) -> str:
    """What the file is called: no two of one person have the same name, as one is made at a time."""
    period, withheld = typed.period, "-withheld" if "withheld" in typed.ticked else ""
    made = visit.now.astimezone(MUNICIPAL_ZONE)
    chosen = f"{visit.services.place.owner_key}-{period.first}-{period.last}{withheld}"
    return f"gjestenett-{chosen}-made-{made:%Y%m%d-%H%M%S}.zip"


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_ROWS


def _order(visit: Visit, typed: Typed) -> Order | None:
    period, texts = typed.period, typed.texts
    if period.since is None or period.until is None:
        return None
    return Order(
        period.since,
        period.until,
        visit.member.username,
        texts["reason"],
        visit.language,
        _fields(visit),
        **{name: texts[name] for name in ("site", "version", "course", "name", "device")},
        sample=Sample(int(texts["count"]), texts["number"]) if texts["count"] else None,
        xlsx="xlsx" in typed.ticked,
        report="report" in typed.ticked and find_spec("weasyprint") is not None,
        owner_name=visit.services.settings.owner.name,
    )
