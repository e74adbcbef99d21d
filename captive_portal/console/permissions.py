"""Who may use what: the permissions that pages and rooms declare, and the roles that have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

# Who may: anybody; whoever is signed in; an auditor or IT; a host, for their own unit's courses, or IT; IT alone; a
# program that collects figures (`gate._is_scraper`), or IT.
Permission = Literal["public", "staff", "auditor", "host", "it", "scrape"]
_MAY: Mapping[str, frozenset[Permission]] = {
    "it": frozenset({"staff", "auditor", "host", "it", "scrape"}),
    "auditor": frozenset({"staff", "auditor"}),
    "host": frozenset({"staff", "host"}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether an account of this role may use a page of this permission; a role that is not known may nothing."""
    return permission in _MAY.get(role, frozenset())
