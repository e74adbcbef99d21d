"""Schema migrations (Alembic). Imports `gateway.storage` only."""
