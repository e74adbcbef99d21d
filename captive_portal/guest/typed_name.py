"""A website's name as a guest typed or pasted it: what was meant, and how it is shown. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

import idna

from policies.names import NameError_, from_person

TYPED_MAX_CHARS = 2048
Problem = Literal["empty", "address", "name"]


def read_name(typed: str) -> tuple[str, Problem | None]:
    """The name that a guest meant, or what is wrong with what was typed. Pasted addresses of pages are understood."""
    text = typed[:TYPED_MAX_CHARS].strip()
    if not text:
        return "", "empty"
    try:
        name = from_person(text)
    except NameError_ as error:
        return "", "address" if error.reason == "ip_address" else "name"
    return (name, None) if not _is_address(name) else ("", "address")


def readable(name: str) -> str:
    """An internationalised name as people write it, where it can be; the name itself else."""
    if "xn--" not in name:
        return ""
    try:
        return str(idna.decode(name))
    except (idna.IDNAError, UnicodeError):
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
