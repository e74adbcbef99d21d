"""Which personal fields of an acceptance an export shows, before the account's own limits narrow them. Pure.

In a copy for somebody who asks for access under offentleglova, what identifies a person or a device is withheld.
"""

from __future__ import annotations

from gateway.audit.entry import SHAPES

ALL = SHAPES["acceptance"].personal
WITHHELD = frozenset({"name", "contact", "mac", "address", "receipt"})


def visible(*, names_withheld: bool) -> frozenset[str]:
    """All fields, or those that identify nobody."""
    return ALL - WITHHELD if names_withheld else ALL
