"""Which of the devices online is meant by a word, and in which order they stand. Pure.

A word is a name, a course, a link-layer address or an IP address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import MappingProxyType
from typing import Any

from gateway.storage.models import fold
from gateway.storage.online import By, Online

_SEPARATORS = re.compile(r"[:.\-\s]")
_DIGITS = re.compile(r"[0-9a-f]{4,12}")
_SPACES = re.compile(r"[-\s]+")

SORTS: Mapping[By, bool] = MappingProxyType(
    {"since": True, "name": False, "device": False, "until": False, "traffic": True}
)
"""By what they can be sorted, and whether the greatest comes first then, unless the other way is asked for."""
_KEYS: Mapping[By, Callable[[Online], Any]] = MappingProxyType(
    {
        "since": lambda row: row.starts_at,
        "name": lambda row: fold(row.name or row.mac).replace("å", "þ"),  # as in Norwegian lists, after æ and ø
        "device": lambda row: row.mac,
        "until": lambda row: row.ends_at,
        "traffic": lambda row: row.octets,
    }
)


def address_in(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that was written, if it is one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def matching(rows: Sequence[Online], text: str, macs: frozenset[str] = frozenset()) -> list[Online]:
    """The rows that `text` means, in their order; `macs` are of the devices that have the IP address written."""
    wanted = _words(text)
    digits = _SEPARATORS.sub("", text.lower())
    digits = digits if _DIGITS.fullmatch(digits) else ""
    return [row for row in rows if row.mac in macs or _fits(row, wanted, digits)]


def in_order(rows: Sequence[Online], by: By, *, turned: bool = False) -> list[Online]:
    """The rows sorted, `turned` the other way round; equal ones by their identifiers, as the database has them."""
    key = _KEYS[by]
    return sorted(rows, key=lambda row: (key(row), row.id), reverse=SORTS[by] != turned)


def _fits(row: Online, wanted: str, digits: str) -> bool:
    if digits and digits in row.mac.replace(":", ""):
        return True
    said = (row.name, row.organisation, row.course_title, row.course_code, row.course_unit)
    return any(wanted in _words(each) for each in said if each)


@lru_cache(maxsize=20_000)
def _words(text: str) -> str:
    return _SPACES.sub(" ", fold(text)).strip()
