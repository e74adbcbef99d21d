"""The settings: those that IT changes here, in one form; and all, as the services were started with them.

Of what is sent, that is changed which was written over: a setting that somebody else has changed since the form was
shown stays as they have it, and whoever wrote over it, or gave it back, is told so before theirs holds.

What can stop a service from starting, or takes the console away, is changed in the settings file and shown here only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from captive_portal.console.settings.words import (
    BOTH,
    CHANGED,
    CHANGED_BY,
    CHOICES,
    LABELS,
    NO_GROUP,
    NOW,
    NOW_NOTHING,
    ORIGINS,
    PROBLEMS,
    SECTIONS,
    YOURS,
)
from captive_portal.console.visit import Visit
from gateway import checks
from gateway.errors import GatewayError
from gateway.lists.draft_edits import ruled_groups
from gateway.settings import Settings
from gateway.settings import now as settings_now
from gateway.settings.operational import OPERATIONAL, Operational, over, read, shown, value_of, write
from gateway.settings.origin import Row, rows
from gateway.storage import generations, operational, places
from gateway.storage.operational_models import OperationalSetting

TYPED_MAX_CHARS = 400
BACK, WAS = "back", "was-"
"""Fields of the form besides those of the settings' own names: which the file is to say again, and what each showed."""


def show(visit: Visit) -> Response:
    """GET /settings"""
    return _page(visit)


def change(visit: Visit) -> Response:
    """POST /settings: what was written over, and (`back`) what the settings file is to say again; all of it, or nothing
    where one thing is wrong.
    """
    places.lock_owner(visit.session, visit.services.place.owner_id)  # two who save at once take turns
    stands = standing(visit)
    wanted: dict[Operational, Any] = {}
    problems: dict[str, str] = {}
    for setting in OPERATIONAL.values():
        text, problem = visit.form.get(setting.name), ""
        if setting.name in visit.form.all(BACK):
            wanted[setting], text = None, write(value_of(stands.boot, setting))
            problem = BOTH if _is_written(visit, setting) else ""
        elif _is_written(visit, setting):
            wanted[setting], problem = _read(visit, setting, text)
        else:
            continue
        problem = _overtaken(visit, setting, stands, text) or problem
        if problem:
            problems[setting.name] = problem
    if problems:
        return _page(visit, problems)
    changed = [setting.name for setting, value in wanted.items() if _put(visit, setting, value)]
    return visit.go("/settings?" + (urlencode({"changed": " ".join(changed)}) if changed else "notice=same"))


def put(visit: Visit, setting: Operational, text: str | None) -> tuple[bool, str]:
    """Have a setting be what is written, or (None) what the settings file says: whether that changed anything; or what
    is wrong with it.
    """
    value, problem = (None, "") if text is None else _read(visit, setting, text)
    return (False, problem) if problem else (_put(visit, setting, value), "")


def _read(visit: Visit, setting: Operational, text: str) -> tuple[Any, str]:
    """The value that is written, and what is wrong with it, "" if nothing."""
    value, problem = read(setting, text)
    return value, PROBLEMS[problem] if problem is not None else _unknown_group(visit, setting, value)


def _put(visit: Visit, setting: Operational, value: Any) -> bool:
    boot, by = settings_now.boot_of(visit.services.settings), visit.member.username
    return settings_now.change(visit.session, visit.services.place, boot, setting, value, by=by, now=visit.now)


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


class Standing(NamedTuple):
    """What the services were started with, what is changed of it, and what holds now."""

    boot: Settings
    stored: Mapping[str, OperationalSetting]
    current: Settings


def standing(visit: Visit) -> Standing:
    """How the settings stand."""
    boot = settings_now.boot_of(visit.services.settings)
    stored = operational.all_of(visit.session, visit.services.place.owner_id)
    return Standing(boot, stored, over(boot, {key: row.value for key, row in stored.items()}))


def _unknown_group(visit: Visit, setting: Operational, value: Any) -> str:
    if setting.key != "courses.host_groups":
        return ""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    known = ruled_groups(published.document) if published is not None else []
    missing = next((key for key in value if key not in known), None)
    return "" if missing is None else visit.look.translator(visit.language)(NO_GROUP, key=missing)


def _overtaken(visit: Visit, setting: Operational, stands: Standing, wanted: str) -> str:
    """What is told when a setting has become another than the form was shown with, and than is wanted; "" if not."""
    now = shown(write(value_of(stands.current, setting)))
    if now in (visit.form.get(f"{WAS}{setting.name}"), shown(wanted).strip()):
        return ""
    translate, row = visit.look.translator(visit.language), stands.stored.get(setting.key)
    by = row.changed_by if row is not None else ""
    words = CHOICES.get(setting.key, {}).get(now)
    return " ".join(
        (
            translate(CHANGED_BY, name=by) if by else translate(CHANGED),
            translate(NOW, value=translate(words) if words else now) if now else translate(NOW_NOTHING),
            translate(YOURS),
        )
    )


def _page(visit: Visit, problems: Mapping[str, str] = MappingProxyType({})) -> Response:
    boot, stored, current = standing(visit)
    told, translate = visit.query.get("changed", "").split(), visit.look.translator(visit.language)
    labels = {setting.name: LABELS[setting.key][0] for setting in OPERATIONAL.values()}

    def field(setting: Operational) -> Mapping[str, Any]:
        value = shown(write(value_of(current, setting)))
        return {
            "setting": setting,
            "label": labels[setting.name],
            "hint": LABELS[setting.key][1],
            "choices": CHOICES.get(setting.key),
            "value": value,
            "file": write(value_of(boot, setting)),
            "changed": stored.get(setting.key),
            "typed": shown(visit.form.get(setting.name)[:TYPED_MAX_CHARS]) if _is_written(visit, setting) else value,
            "back": setting.name in visit.form.all(BACK),
        }

    tables = groupby(OPERATIONAL.values(), lambda setting: setting.section)
    return visit.page(
        "settings.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        sections=[(SECTIONS[table], [field(setting) for setting in of_it]) for table, of_it in tables],
        problems=problems,
        summary={name: f"{translate(labels[name])}: {translate(problem)}" for name, problem in problems.items()},
        changed=[label for name, label in labels.items() if name in told],
        notice=visit.query.get("notice", ""),
    )


def _is_written(visit: Visit, setting: Operational) -> bool:
    """Whether another text came back than the form was shown with."""
    return setting.name in visit.form.fields and visit.form.get(setting.name) != visit.form.get(f"{WAS}{setting.name}")
