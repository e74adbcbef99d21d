"""What an auditor's account may see of the log, over JSON: as it is told, and as it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment
from captive_portal.api.paging import Asked
from captive_portal.api.problems import refused
from captive_portal.console.visit import Visit
from gateway.audit.scope import ALL_FIELDS, EVERYTHING, Scope
from gateway.audit.view import PERSONAL_COLUMNS
from gateway.storage import places

Site = Annotated[str, Field(max_length=60)]
PersonalField = Literal["name", "organisation", "contact", "course_code", "mac", "address", "receipt"]


class Sees(BaseModel):
    """What an auditor may see of the log: sites, the period `since` ≤ at < `until`, and fields that name guests; null:
    all of them.
    """

    sites: Annotated[list[str] | None, Field(examples=[["hovedbygg"]])]
    since: datetime | None
    until: datetime | None
    fields: Annotated[list[str] | None, Field(examples=[["name", "organisation"]])]


class SeesAsked(Asked):
    """What an auditor may see of the log; what is left out is not limited."""

    sites: Annotated[list[Site] | None, Field(max_length=200, examples=[None])] = None
    since: Annotated[Moment | None, Field(examples=[None])] = None
    until: Annotated[Moment | None, Field(examples=[None])] = None
    fields: Annotated[list[PersonalField] | None, Field(max_length=len(PERSONAL_COLUMNS), examples=[None])] = None


def wanted(visit: Visit, asked: SeesAsked | None) -> Scope | Response:
    """What an account is to see (None: everything); 422 for what can't be."""
    if asked is None:
        return EVERYTHING
    missing = set(asked.sites or ()).difference(places.site_keys(visit.session, visit.services.place.owner_id))
    if missing:
        return refused({"sees.sites": f"there is no site {', '.join(sorted(missing))}"})
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        return refused({"sees.until": "the period ends before it begins"})
    return Scope(
        None if asked.sites is None else frozenset(asked.sites),
        asked.since,
        asked.until,
        ALL_FIELDS if asked.fields is None else frozenset(asked.fields),
    )


def told(scope: Scope) -> dict[str, Any] | None:
    """A scope as `Sees` has it; None where it hides nothing."""
    if not scope.is_limited:
        return None
    return {
        "sites": None if scope.sites is None else sorted(scope.sites),
        "since": scope.since,
        "until": scope.until,
        "fields": None if scope.fields == ALL_FIELDS else [name for name in PERSONAL_COLUMNS if name in scope.fields],
    }
