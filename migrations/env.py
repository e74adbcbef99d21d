"""Alembic's environment: the connection comes from the caller, so that the product decides what is migrated."""

from alembic import context

from gateway.storage import base, schema  # noqa: F401 - every table is known once schema is

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=base.Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
