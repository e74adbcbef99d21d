"""Which of the devices online is meant by a word: a name, a course, a link-layer address or an IP address. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.storage.models import Grant, fold

_SEPARATORS = re.compile(r"[:.\-\s]")
_DIGITS = re.compile(r"[0-9a-f]{4,12}")
_SPACES = re.compile(r"[-\s]+")


def address_in(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that was written, if it is one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def matching(grants: Sequence[Grant], text: str, macs: frozenset[str] = frozenset()) -> list[Grant]:
    """The grants that `text` means, in their order; `macs` are of the devices that have the IP address written."""
    wanted = _words(text)
    digits = _SEPARATORS.sub("", text.lower())
    digits = digits if _DIGITS.fullmatch(digits) else ""
    return [grant for grant in grants if grant.device.mac in macs or _fits(grant, wanted, digits)]


def _fits(grant: Grant, wanted: str, digits: str) -> bool:
    if digits and digits in grant.device.mac.replace(":", ""):
        return True
    said = [grant.holder]
    if grant.acceptance is not None:
        said.append(grant.acceptance.visitor.organisation)
    if grant.course is not None:
        said += [grant.course.title, grant.course.code, grant.course.unit]
    return any(wanted in _words(each) for each in said if each)


def _words(text: str) -> str:
    return _SPACES.sub(" ", fold(text)).strip()
