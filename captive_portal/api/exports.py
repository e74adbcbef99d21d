"""Exports over JSON: asked for as on the page, looked at until they are done, downloaded, and removed."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Day, line
from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console.evidence.export_pages import (
    BUSY,
    FAILURES,
    LINE_MAX_CHARS,
    NOT_NOW,
    REASON_MAX_CHARS,
    STAGES,
    ExportPages,
)
from captive_portal.console.evidence.exports import ExportShelf, KeptExport
from captive_portal.console.forms import Form
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.audit.sample import MAX_ROWS

ROOT, ROOM = "/api/v1/exports", "evidence"
Line = Annotated[str, line(LINE_MAX_CHARS)]


class ExportAsked(Asked):
    """Which acceptances: days in Norwegian time, both included, and why. The reason becomes part of the log.

    `withheld` leaves names out; `sample` draws that many rows by the auditor's own `number`.
    """

    first: Day
    last: Annotated[Day, Field(examples=["2026-12-31"])]
    reason: Annotated[str, line(REASON_MAX_CHARS, required=True)]
    site: Line = ""
    version: Line = ""
    course: Line = ""
    name: Line = ""
    device: Line = ""
    sample: Annotated[int | None, Field(ge=1, le=MAX_ROWS, examples=[None])] = None
    number: Annotated[Line, Field(examples=[""])] = ""
    withheld: bool = False
    xlsx: bool = False
    report: bool = False


class Export(BaseModel):
    """An export of yours. `state` is starting, reading, packing, signing, done or failed; of `total` entries `done`
    have been read. `bundle` and `note` are addresses, null until they are there.
    """

    key: str
    name: Annotated[str, Field(examples=["gjestenett-storvik-2026-01-01-2026-12-31.zip"])]
    state: Annotated[str, Field(examples=["done"])]
    detail: str
    done: int
    total: int | None
    size_bytes: int | None
    bundle: Annotated[str | None, Field(examples=[f"{ROOT}/Zm9v/bundle"])]
    note: Annotated[str | None, Field(examples=[f"{ROOT}/Zm9v/note"])]


class ExportsApi:
    """The calls; exports lie on the same shelf as those of the pages."""

    def __init__(self, shelf: ExportShelf) -> None:
        self._shelf, self._pages = shelf, ExportPages(shelf)

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        one = f"{ROOT}/{{export}}"
        return (
            Call(
                "POST", ROOT, "auditor", self.begin, "write", ExportAsked, Export, "Ask for an export", ROOM,
                status=HTTPStatus.ACCEPTED,
            ),
            Call("GET", one, "auditor", self.show, "none", None, Export, "How far an export is", ROOM),
            Call(
                "GET", f"{one}/{{file}}", "auditor", self.download, "none", None, None,
                "The bundle, or its signature (.zip.note)", ROOM, media_type="application/octet-stream",
            ),
            Call(
                "DELETE", one, "auditor", self.remove, "write", None, None, "Stop an export, or delete it", ROOM,
                status=HTTPStatus.NO_CONTENT,
            ),
        )  # fmt: skip

    def begin(self, visit: Visit) -> Response:
        """POST /api/v1/exports"""
        asked: dict[str, Any] = visit.asked.model_dump(mode="json")
        fields = {name: [str(value)] for name, value in asked.items() if value not in (None, False, "")}
        fields |= {"count": fields.pop("sample", [""])}
        made = self._pages.begin(replace(visit, form=Form(fields)))
        if isinstance(made, KeptExport):
            return self._answer(visit, made, HTTPStatus.ACCEPTED)
        problems = {"sample" if field == "count" else field: text for field, text in made.problems.items()}
        if problems.get("") in (BUSY, NOT_NOW):
            answer = conflict(problems[""])
            answer.headers["Retry-After"] = "10"
            return answer
        return refused(problems)

    def show(self, visit: Visit) -> Response:
        """GET /api/v1/exports/{export}"""
        kept = self._find(visit)
        return _gone(visit) if kept is None else self._answer(visit, kept)

    def download(self, visit: Visit) -> Response:
        """GET /api/v1/exports/{export}/{file}: `bundle` or `note`."""
        kept = self._find(visit)
        if kept is None:
            return _gone(visit)
        return self._pages.file(kept, visit.params["file"]) or unknown(visit, "there is no such file yet")

    def remove(self, visit: Visit) -> Response:
        """DELETE /api/v1/exports/{export}: one that is gone already stays gone."""
        kept = self._find(visit)
        if kept is not None:
            self._shelf.discard(kept.key)
        return no_content()

    def _find(self, visit: Visit) -> KeptExport | None:
        return self._shelf.find(visit.params["export"], visit.member.staff_id)

    def _answer(self, visit: Visit, kept: KeptExport, status: HTTPStatus = HTTPStatus.OK) -> Response:
        state, ready = kept.state, kept.state.stage == "done"
        translate, place = visit.look.translator(visit.language), f"{ROOT}/{kept.key}"
        said = FAILURES[state.reason or "unexpected"] if state.stage == "failed" else STAGES.get(state.stage, "")
        facts = {
            "key": kept.key,
            "name": kept.name,
            "state": state.stage,
            "detail": translate(said, done=state.done, total=state.total or 0) if said else "",
            "done": state.done,
            "total": state.total,
            "size_bytes": kept.bundle.stat().st_size if ready else None,
            "bundle": f"{place}/bundle" if ready else None,
            "note": f"{place}/note" if ready and kept.note is not None else None,
        }
        return answered(Export, facts, status=status, Location=place)


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such export of yours any more")
