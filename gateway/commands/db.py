"""`gjestenett db`: the database's schema."""

from __future__ import annotations

import sys

import click

from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, pass_invocation


@click.group(cls=Group)
def db() -> None:
    """Upgrade or check the database."""


@db.command()
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Bring the database to this version's schema and set up what a first start needs."""
    from gateway.installation import prepare  # noqa: PLC0415 - after the settings have been read

    prepare(invocation.settings, utc_now).database.close()
    click.echo("the database is ready")


@db.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Say whether the database stands at this version's schema; exit code 1 when not."""
    from gateway.storage import schema  # noqa: PLC0415
    from gateway.storage.engine import open_database  # noqa: PLC0415

    database = open_database(invocation.settings.database_url)
    if not schema.is_current(database) or schema.differences(database):
        click.echo("the database is not at this version's schema; run: gjestenett db upgrade", err=True)
        sys.exit(1)
    click.echo("the database is at this version's schema")
