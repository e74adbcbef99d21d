"""The settings: those that IT changes here, each by a form of its own; and all, as the services were started with them.

What can stop a service from starting, or takes the console away, is changed in the settings file and shown here only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any

from starlette.responses import Response

from captive_portal.console.settings.words import CHOICES, LABELS, NO_GROUP, ORIGINS, PROBLEMS
from captive_portal.console.visit import Visit
from gateway import checks
from gateway.errors import GatewayError
from gateway.lists.draft_edits import ruled_groups
from gateway.settings import Settings
from gateway.settings import now as settings_now
from gateway.settings.operational import OPERATIONAL, Operational, over, read, value_of, write
from gateway.settings.origin import Row, rows
from gateway.storage import generations, operational
from gateway.storage.operational_models import OperationalSetting

TYPED_MAX_CHARS = 400


def show(visit: Visit) -> Response:
    """GET /settings"""
    return _page(visit)


def change(visit: Visit) -> Response:
    """POST /settings/{key}: another value, or (`back`) what the settings file says again."""
    setting = OPERATIONAL.get(visit.params["key"])
    if setting is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    done, problem = put(visit, setting, None if visit.form.get("back") == "1" else visit.form.get("value"))
    if problem:
        return _page(visit, setting, problem)
    return visit.go(f"/settings?notice={'changed' if done else 'same'}&setting={setting.name}#{setting.name}-card")


def put(visit: Visit, setting: Operational, text: str | None) -> tuple[bool, str]:
    """Have a setting be what is written, or (None) what the settings file says: whether that changed anything; or what
    is wrong with it.
    """
    value: Any = None
    if text is not None:
        value, problem = read(setting, text)
        told = PROBLEMS[problem] if problem is not None else _unknown_group(visit, setting, value)
        if told:
            return False, told
    boot, by = settings_now.boot_of(visit.services.settings), visit.member.username
    return settings_now.change(visit.session, visit.services.place, boot, setting, value, by=by, now=visit.now), ""


def started(visit: Visit) -> Response:
    """GET /settings/started: every setting, what it is and where it comes from; and what `config check` says."""
    found, warnings = as_started(visit)
    tables = [(section, list(of_table)) for section, of_table in groupby(found, lambda row: row.section)]
    return visit.page("settings_started.html", tables=tables, origins=ORIGINS, warnings=warnings)


def as_started(visit: Visit) -> tuple[list[Row], list[str]]:
    """Every setting as it holds now, without secrets, and what `config check` says of those the services began with."""
    boot, stored, current = standing(visit)
    try:
        warnings = checks.check(boot, visit.now)
    except GatewayError as error:
        warnings = [str(error)]
    return list(rows(current, stored.keys())), warnings


def standing(visit: Visit) -> tuple[Settings, Mapping[str, OperationalSetting], Settings]:
    """What the services were started with, what is changed of it, and what holds now."""
    boot = settings_now.boot_of(visit.services.settings)
    stored = operational.all_of(visit.session, visit.services.place.owner_id)
    return boot, stored, over(boot, {key: row.value for key, row in stored.items()})


def _unknown_group(visit: Visit, setting: Operational, value: Any) -> str:
    if setting.key != "courses.host_groups":
        return ""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    known = ruled_groups(published.document) if published is not None else []
    missing = next((key for key in value if key not in known), None)
    return "" if missing is None else visit.look.translator(visit.language)(NO_GROUP, key=missing)


def _page(visit: Visit, wrong: Operational | None = None, problem: str = "") -> Response:
    boot, stored, current = standing(visit)
    fields = [
        {
            "setting": setting,
            "label": LABELS[setting.key][0],
            "hint": LABELS[setting.key][1],
            "choices": CHOICES.get(setting.key),
            "value": write(value_of(current, setting)),
            "file": write(value_of(boot, setting)),
            "changed": stored.get(setting.key),
            "typed": _typed(visit) if setting == wrong else write(value_of(current, setting)),
        }
        for setting in OPERATIONAL.values()
    ]
    return visit.page(
        "settings.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong is not None else HTTPStatus.OK,
        fields=fields,
        problems={wrong.name: problem} if wrong is not None else {},
        notice=visit.query.get("notice", ""),
        about=visit.query.get("setting", ""),
    )


def _typed(visit: Visit) -> str:
    return "".join(each for each in visit.form.get("value")[:TYPED_MAX_CHARS] if each.isprintable())
