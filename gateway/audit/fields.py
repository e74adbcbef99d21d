"""Which personal fields of an acceptance an export shows: those that the exporter's role needs, and never more. Pure.

The IP address says nothing about who accepted what; IT needs it to follow up an incident. In a copy for somebody who
asks for access under offentleglova, what identifies a person or a device is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.audit.entry import SHAPES

ALL = SHAPES["acceptance"].personal
OF_ROLE: Mapping[str, frozenset[str]] = {"it": ALL, "auditor": ALL - {"address"}}
WITHHELD = frozenset({"name", "contact", "mac", "address", "receipt"})


def visible_to(role: str, *, names_withheld: bool) -> frozenset[str]:
    """The fields that an export by this role shows; a role that is not known sees none."""
    fields = OF_ROLE.get(role, frozenset())
    return fields - WITHHELD if names_withheld else fields
