"""`gjestenett staff tokens`: the tokens that staff have given to programs, and ending one."""

from __future__ import annotations

import click

from captive_portal.auth import api_tokens
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import UsageError
from gateway.storage import api_tokens as stored


@click.group(cls=Group)
def tokens() -> None:
    """List and revoke personal access tokens."""


@tokens.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every token, with the id that revokes it."""
    services, now = invocation.services(), utc_now()
    with services.database.read() as session:
        rows = [
            {
                "id": row.id,
                "username": row.staff.username,
                "name": row.name,
                "scopes": row.scopes,
                "last_used": format_utc(row.last_used_at) if row.last_used_at else "",
                "expires": format_utc(row.expires_at),
                "state": "revoked" if row.revoked_at else "ended" if row.expires_at <= now else "works",
            }
            for row in stored.of_owner(session, services.place.owner_id)
        ]
    print_rows(rows, as_json=as_json, empty="there is no token; they are made in the console, on one's own account")


@tokens.command()
@click.argument("token_id", metavar="ID")
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def revoke(invocation: Invocation, token_id: str, by: str) -> None:
    """End the token ID at once."""
    services = invocation.services()
    with services.database.write() as session:
        row = stored.by_id(session, services.place.owner_id, token_id)
        if row is None or not api_tokens.revoke(session, services.place, row, by, utc_now()):
            raise UsageError(f"there is no token {token_id!r} that works; `staff tokens list` names them")
    click.echo(f"{row.name!r} of {row.staff.username} is revoked")
