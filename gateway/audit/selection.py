"""Which acceptances are rows of the view: by period, site and rules version, which everyone can recompute from the
entries, and by name, course and device, which only those can whom the personal fields are shown to. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLAIN_KEYS = frozenset({"from", "to", "site", "version"})
PERSONAL_KEYS: Mapping[str, str] = {"course": "course_code", "name": "name", "device": "mac"}
"""A personal key of the filter → the personal field that it looks at."""

_HEX = re.compile(r"[0-9a-f]{2,12}", re.ASCII)


def in_view(document: Mapping[str, Any], filter_: Mapping[str, str]) -> bool:
    """Whether an entry fits the plain part of the filter: an acceptance with `from` ≤ at < `to` at `site` of rules
    `version`, each where given.

    Times are compared as text: all are UTC with milliseconds and `Z`.
    """
    return bool(
        document["type"] == "acceptance"
        and filter_.get("from", "") <= document["at"]
        and ("to" not in filter_ or document["at"] < filter_["to"])
        and filter_.get("site", document["site"]) == document["site"]
        and filter_.get("version", document["rules"]["version"]) == document["rules"]["version"]
    )


def is_personal(filter_: Mapping[str, str]) -> bool:
    """Whether the filter looks at personal fields, so that the view is a selection which not everyone can recompute."""
    return not PERSONAL_KEYS.keys().isdisjoint(filter_)


def selects(filter_: Mapping[str, str], personal: Mapping[str, str]) -> bool:
    """Whether the personal fields of an acceptance fit the filter. A field that was erased or never given fits none.

    `name` is a fragment and `course` the whole code, both regardless of case; `device` is a MAC address or its last
    hexadecimal digits, regardless of case and colons.
    """
    for key, field in PERSONAL_KEYS.items():
        if key not in filter_:
            continue
        value, wanted = personal.get(field, "").lower(), filter_[key].lower()
        if key == "device":
            fits = bool(value) and value.replace(":", "").endswith(wanted.replace(":", ""))
        else:
            fits = wanted in value if key == "name" else wanted == value
        if not fits:
            return False
    return True


def read_device(text: str) -> str | None:
    """A device as typed (a MAC address with `:`, `-`, `.` or nothing between, or its last digits) as the filter has it:
    a whole address with colons, else bare digits, in lower case; None when it is neither.
    """
    digits = re.sub(r"[:.\-\s]", "", text).lower()
    if not _HEX.fullmatch(digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2)) if len(digits) == 12 else digits
