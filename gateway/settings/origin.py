"""Where each setting comes from: the environment, the file, the console, or nowhere, so that the default holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gateway.settings.boot import Settings
from gateway.settings.reading import given_by_environment

Origin = Literal["default", "file", "environment", "console"]
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its table ("" for those that stand in none), key, value as JSON and origin."""

    section: str
    key: str
    value: str
    origin: Origin


def rows(settings: Settings, changed: Collection[str] = ()) -> Iterator[Row]:
    """Every setting in the order of the settings file. `changed` are the keys that IT has changed in the console; of
    the others one that says what the default says is the default. A database's URL may hold a password, and is hidden.

    Raises: UsageError when a variable of the environment is no setting.
    """
    defaults = Settings.model_construct().model_dump(mode="json")
    variables = given_by_environment()
    for section, value in shown(settings).items():
        for key, one in value.items() if isinstance(value, dict) else ((None, value),):
            levels = (section,) if key is None else (section, key)
            origin: Origin = "file"
            if ".".join(levels) in changed:
                origin = "console"
            elif one == (defaults[section] if key is None else defaults[section][key]):
                origin = "default"
            elif any(given[: len(levels)] == levels[: len(given)] for given in variables):
                origin = "environment"
            yield Row("" if key is None else section, key or section, json.dumps(one, ensure_ascii=False), origin)


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as plain data, without secrets."""
    values: dict[str, Any] = settings.model_dump(mode="json")
    if values["database"]["url"] and not values["database"]["url"].startswith("sqlite"):
        values["database"]["url"] = HIDDEN
    return values
