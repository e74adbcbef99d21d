"""`gjestenett staff`: accounts of IT and auditors, each made by a one-time link."""

from __future__ import annotations

import click

from captive_portal.auth import accounts
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.settings import Console


@click.group(cls=Group)
def staff() -> None:
    """Add, list and reset accounts."""


@staff.command()
@click.argument("username")
@click.option("--role", type=click.Choice(["it", "auditor"]), required=True)
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def add(invocation: Invocation, username: str, role: str, by: str) -> None:
    """Make the account USERNAME and print the link with which its bearer chooses a password."""
    services = invocation.services()
    with services.database.write() as session:
        link = accounts.add_account(session, services.place, username, role, utc_now(), by=by)
    _print_link(link, services.settings.console)


@staff.command()
@click.argument("username")
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def reset(invocation: Invocation, username: str, by: str) -> None:
    """Take USERNAME's password, end its sessions, and print a new link."""
    services = invocation.services()
    with services.database.write() as session:
        link = accounts.reset_account(session, services.place, username, utc_now(), by=by)
    _print_link(link, services.settings.console)


@staff.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every account."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "username": row.username,
                "role": row.role,
                "state": row.state,
                "created": format_utc(row.created_at),
            }
            for row in accounts.list_accounts(session, services.place)
        ]
    print_rows(rows, as_json=as_json, empty="there is no account yet; `gjestenett up` prints the first link")


def _print_link(link: accounts.Link, console: Console) -> None:
    click.echo(f"{link.url(console)}  (one use, until {format_utc(link.expires_at)})")
