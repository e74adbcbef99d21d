"""The settings over JSON: those that IT changes while everything runs, and all, as the services were started with."""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt
from starlette.responses import Response

from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import refused, unknown
from captive_portal.console.route import Call
from captive_portal.console.settings import room as pages
from captive_portal.console.visit import Visit
from gateway.settings.operational import OPERATIONAL, Operational, value_of, write

ROOT, ROOM = "/api/v1/settings", "settings"
NOT_HERE = "there is no setting of that name that is changed while everything runs; others stand in the settings file"
Said = str | int | list[str] | None


class Setting(BaseModel):
    """A setting that IT changes here: its value, and what the settings file says (null: nothing), which counts while
    nobody has changed it.
    """

    key: Annotated[str, Field(examples=["owner.helpdesk_hours"])]
    value: Annotated[Said, Field(examples=["hverdager 8–15"])]
    file: Annotated[Said, Field(examples=["8–15"])]
    changed_by: Annotated[str | None, Field(examples=["kari"])]
    changed_at: datetime | None


class OperationalSettings(BaseModel):
    """All of them."""

    settings: list[Setting]


class SettingAsked(Asked):
    """What the setting is to be: a text, a whole number, or keys, as the setting has it."""

    value: Annotated[
        Annotated[str, Field(max_length=1000)]
        | StrictInt
        | Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)],
        Field(examples=["hverdager 8–15"]),
    ]


class StartedSetting(BaseModel):
    """A setting of the settings file, in its `table` ("": in none); `origin` is where its value comes from: default,
    file, environment or console. Secrets are hidden.
    """

    table: Annotated[str, Field(examples=["portal"])]
    key: Annotated[str, Field(examples=["port"])]
    value: Annotated[Any, Field(examples=[8080])]
    origin: Annotated[str, Field(examples=["default"])]


class StartedSettings(BaseModel):
    """Every setting, and what `gjestenett config check` says of them."""

    settings: list[StartedSetting]
    warnings: Annotated[list[str], Field(examples=[["sessions.longest_hours: …"]])]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{ROOT}/{{setting}}"
    return (
        Call("GET", ROOT, "it", every, "read", None, OperationalSettings, "Settings that are changed here", ROOM),
        Call("GET", f"{ROOT}/started", "it", started, "read", None, StartedSettings, "Every setting", ROOM),
        Call("PUT", one, "it", change, "write", SettingAsked, Setting, "Change a setting", ROOM),
        Call(
            "DELETE", one, "it", give_back, "write", None, None, "Have the settings file say it again", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/settings"""
    rows = [_facts(visit, setting) for setting in OPERATIONAL.values()]
    return answered(OperationalSettings, {"settings": rows})


def started(visit: Visit) -> Response:
    """GET /api/v1/settings/started"""
    found, warnings = pages.as_started(visit)
    rows = [
        {"table": row.section, "key": row.key, "value": json.loads(row.value), "origin": row.origin} for row in found
    ]
    return answered(StartedSettings, {"settings": rows, "warnings": warnings})


def change(visit: Visit) -> Response:
    """PUT /api/v1/settings/{setting}: as it is already, nothing is done."""
    setting = OPERATIONAL.get(visit.params["setting"])
    if setting is None:
        return unknown(visit, NOT_HERE)
    _, problem = pages.put(visit, setting, write(visit.asked.value))
    return refused({"value": problem}) if problem else answered(Setting, _facts(visit, setting))


def give_back(visit: Visit) -> Response:
    """DELETE /api/v1/settings/{setting}: one that nobody has changed stays as it is."""
    setting = OPERATIONAL.get(visit.params["setting"])
    if setting is None:
        return unknown(visit, NOT_HERE)
    pages.put(visit, setting, None)
    return no_content()


def _facts(visit: Visit, setting: Operational) -> dict[str, Any]:
    boot, stored, current = pages.standing(visit)
    row = stored.get(setting.key)
    return {
        "key": setting.key,
        "value": _plain(value_of(current, setting)),
        "file": _plain(value_of(boot, setting)),
        "changed_by": row.changed_by if row is not None else None,
        "changed_at": row.changed_at if row is not None else None,
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
