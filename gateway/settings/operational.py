"""Settings that IT may change while everything runs: one table, from which forms, checks and words are made.

A setting is here when it is read anew for each page, so that a change needs no restart, and when a wrong value can't
take the console or the network away from IT. What is set here overrides the file and the environment until it is given
back (`docs/decisions/0034-what-hosts-open.md` has what hosts may open: that is policy, and no setting).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from gateway.settings.boot import Settings

Problem = Literal["line", "phone", "address", "number", "keys", "choice"]


@dataclass(frozen=True, slots=True)
class Operational:
    """One of them. `kind` is how it is written and, as a `Problem`, what is told of one that is not.

    `most` are characters of a line, or the highest number; `least` the lowest.
    """

    key: str
    kind: Problem
    most: int = 120
    least: int = 0

    @property
    def section(self) -> str:
        """The table of the settings file."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The key in that table."""
        return self.key.partition(".")[2]


OPERATIONAL: Mapping[str, Operational] = {
    each.key: each
    for each in (
        Operational("owner.name", "line", 120),
        Operational("owner.unit", "line", 80),
        Operational("owner.helpdesk_phone", "phone", 40),
        Operational("owner.helpdesk_hours", "line", 120),
        Operational("portal.accessibility_statement", "address", 300),
        Operational("privacy.controller", "line", 300),
        Operational("privacy.dpo", "line", 300),
        Operational("privacy.legal_basis", "choice"),
        Operational("privacy.legal_basis_law", "line", 300),
        Operational("privacy.backup_days", "number", 3650),
        Operational("courses.host_groups", "keys", 300),
        Operational("console.idle_minutes", "number", 24 * 60, 5),
        Operational("console.session_hours", "number", 7 * 24, 1),
    )
}
NEVER_EMPTY = frozenset(
    {
        "owner.name",
        "owner.unit",
        "privacy.controller",
        "privacy.dpo",
        "privacy.legal_basis",
        "privacy.legal_basis_law",
    }
)
"""Guests must be told; what the settings file says of it comes back by giving the setting back."""
_PHONE = re.compile(r"[0-9+() -]*")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def read(setting: Operational, text: str) -> tuple[Any, Problem | None]:
    """The value that is written, and what is wrong with how it is written, if anything.

    Lines lose the spaces round them; keys are parted by spaces or commas.
    """
    text = text.strip()
    value: Any = text
    if setting.kind == "number":
        if not (text.isascii() and text.isdigit() and len(text) < 8 and setting.least <= int(text) <= setting.most):
            return None, "number"
        value = int(text)
    elif len(text) > setting.most or _UNSHOWN.search(text) or (setting.key in NEVER_EMPTY and not text):
        return None, setting.kind
    elif setting.kind == "phone" and not _PHONE.fullmatch(text):
        return None, "phone"
    elif setting.kind == "keys":
        value = list(dict.fromkeys(text.replace(",", " ").split()))
    return (value, None) if is_sound(setting, value) else (None, setting.kind)


def write(value: Any) -> str:
    """A value as forms and the log have it: the inverse of `read`. Nothing for one that the settings file lacks."""
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, list | tuple) else str(value)


def shown(text: str) -> str:
    """A text as a field of one line takes it and gives it back: without what `read` refuses since it can't be seen."""
    return _UNSHOWN.sub("", text)


def is_sound(setting: Operational, value: Any) -> bool:
    """Whether the settings file could say so too."""
    try:
        _with(Settings.model_construct(), setting, value)
    except ValidationError:
        return False
    return True


def value_of(settings: Settings, setting: Operational) -> Any:
    """What a setting is."""
    return getattr(getattr(settings, setting.section), setting.name)


def over(settings: Settings, stored: Mapping[str, Any]) -> Settings:
    """The settings with what is stored over them. What is no operational setting, or not sound, changes nothing."""
    for key, value in stored.items():
        setting = OPERATIONAL.get(key)
        if setting is not None and is_sound(setting, value):
            settings = _with(settings, setting, value)
    return settings


def _with(settings: Settings, setting: Operational, value: Any) -> Settings:
    """Raises: ValidationError."""
    section = getattr(settings, setting.section)
    given = {name: getattr(section, name) for name in type(section).model_fields}
    changed = type(section).model_validate(given | {setting.name: value})
    return settings.model_copy(update={setting.section: changed})
