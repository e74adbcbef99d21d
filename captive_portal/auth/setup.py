"""First start: a fresh installation prints one link, and whoever opens it becomes IT's first account."""

from __future__ import annotations

from captive_portal.auth.accounts import first_link
from gateway.context import Services


def first_setup_link(services: Services) -> str | None:
    """The address to print while no IT account can sign in, else None. Links printed at earlier starts stop working.

    Raises: StorageUnavailableError.
    """
    with services.database.write() as session:
        link = first_link(session, services.place, services.clock())
    return link.url(services.settings.console) if link is not None else None
