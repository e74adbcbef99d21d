"""The fields of a form that a guest posted."""

from __future__ import annotations

from starlette.requests import Request

from captive_portal.guest import form
from captive_portal.guest.edge import BODY

FORM_TYPE = "application/x-www-form-urlencoded"


def posted(request: Request) -> dict[str, str] | None:
    """The fields; None when the body is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return form.decode_form(request.scope.get(BODY, b"")) if kind == FORM_TYPE else None
