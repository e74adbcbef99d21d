"""`gjestenett db`: the database's schema, and copies of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, pass_invocation
from gateway.errors import GatewayError


@click.group(cls=Group)
def db() -> None:
    """Upgrade, check, back up or restore the database."""


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


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_invocation
def backup(invocation: Invocation, file: Path) -> None:
    """Write a copy of the database to FILE (mode 0600) while everything goes on. It holds no key."""
    from gateway.storage.backup import backup as copy  # noqa: PLC0415

    services = invocation.services()
    try:
        copy(services.database, file)
    except OSError as error:
        raise GatewayError(f"{file} can't be written: {error.strerror}") from error
    click.echo(f"{file}: the whole database, with personal data; keep it no longer than you have promised")
    click.echo("keep apart from it: the log's signing key, and the erasure list (gjestenett audit erasure-list)")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--erasure-list",
    "lists",
    type=click.Path(path_type=Path),
    multiple=True,
    help="The newest erasure list from outside this machine; that of the state directory counts anyway.",
)
@pass_invocation
def restore(invocation: Invocation, file: Path, lists: tuple[Path, ...]) -> None:
    """Put the copy FILE in place of the database; who was erased since it was made is erased again.

    Stop every service first. The sealer then finds that the log is shorter than it was, and says what to do.
    """
    from gateway.audit.restoring import restore as put_back  # noqa: PLC0415
    from gateway.startup import hold_state  # noqa: PLC0415

    lock = hold_state(invocation.settings)
    try:
        done = put_back(invocation.settings, file, list(lists), utc_now)
    except OSError as error:
        raise GatewayError(f"not restored: {error.filename}: {error.strerror}") from error
    finally:
        lock.close()
    click.echo(f"restored: the log has {done.size} entries")
    click.echo(f"erased again: {done.erased_again} entries")
    if done.kept is not None:
        click.echo(f"the database before is kept as {done.kept}; delete it when you no longer need it")
    if done.unwiped is not None:
        click.echo(f"not finished: {done.unwiped}; the service jobs tries again every minute", err=True)
