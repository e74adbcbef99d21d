"""A prepared installation on each database, as for guests' access."""

from __future__ import annotations

from tests.contract.access.conftest import postgres, postgres_installation, services, sqlite_installation

__all__ = ["postgres", "postgres_installation", "services", "sqlite_installation"]
