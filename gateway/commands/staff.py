"""`gjestenett staff`: accounts of IT, auditors and hosts, each made by a one-time link."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import click

from captive_portal.auth import accounts
from gateway.audit.scope import EVERYTHING
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.commands.staff_limits import limits, read_end, read_scope, words
from gateway.commands.staff_oidc import link
from gateway.commands.staff_tokens import tokens
from gateway.errors import UsageError
from gateway.settings import Console


@click.group(cls=Group)
def staff() -> None:
    """Add, list and reset accounts."""


@staff.command()
@click.argument("username")
@click.option("--role", type=click.Choice(accounts.ROLES), required=True)
@click.option("--unit", default="", help="Of a host: the unit whose courses are theirs.")
@click.option("--by", default="command line", help="Who asks for it.")
@limits
@pass_invocation
def add(invocation: Invocation, /, username: str, role: str, unit: str, by: str, **limited: Any) -> None:
    """Make the account USERNAME and print the link with which its bearer chooses a password.

    An auditor pairs an authenticator there too, and may be limited: to sites, a period and personal fields. A host
    makes courses for the unit, and sees nothing else.
    """
    services = invocation.services()
    ends_at = read_end(limited["until"])
    with services.database.write() as session:
        scope = read_scope(session, services.place, EVERYTHING, limited) or EVERYTHING
        link = accounts.add_account(
            session, services.place, username, role, utc_now(), by=by, ends_at=ends_at, scope=scope, unit=unit.strip()
        )
    _print_link(link, services.settings.console)
    if role == "auditor":
        click.echo(
            f"the account {'ends after ' + limited['until'] if ends_at else 'has no end'} and sees {words(scope)}"
        )


@staff.command()
@click.argument("username")
@click.option("--by", default="command line", help="Who asks for it.")
@limits
@pass_invocation
def change(invocation: Invocation, /, username: str, by: str, **limited: Any) -> None:
    """Give USERNAME another end (--until never: none) or other limits; what is not named stays."""
    if not any(limited.values()):
        raise UsageError("say what changes: --until, --site, --fields, --data-from or --data-to")
    services = invocation.services()
    ends_at: datetime | Literal["same"] | None = read_end(limited["until"]) if limited["until"] else "same"
    with services.database.write() as session:
        before = accounts.scope_of_named(session, services.place, username)
        scope = read_scope(session, services.place, before, limited)
        accounts.change_account(session, services.place, username, utc_now(), by=by, ends_at=ends_at, scope=scope)
    click.echo(f"{username} sees {words(scope or before)}")


@staff.command()
@click.argument("username")
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def disable(invocation: Invocation, username: str, by: str) -> None:
    """End USERNAME's account at once; `staff reset` opens it again."""
    services = invocation.services()
    with services.database.write() as session:
        accounts.disable_account(session, services.place, username, utc_now(), by=by)
    click.echo(f"{username} is signed out everywhere and can't sign in")


@staff.command()
@click.argument("username")
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def reset(invocation: Invocation, username: str, by: str) -> None:
    """Take USERNAME's password, authenticator and passkeys, end its sessions, and print a new link."""
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
                "ends": format_utc(row.ends_at) if row.ends_at else "",
                "signs_in": "provider" if row.oidc_subject else "password",
                "authenticator": "yes" if row.authenticator else "no",
                "passkeys": row.passkeys,
                "sees": words(row.scope) if row.role != "host" else f"the courses of {row.unit}",
            }
            for row in accounts.list_accounts(session, services.place, utc_now())
        ]
    print_rows(rows, as_json=as_json, empty="there is no account yet; `gjestenett up` prints the first link")


staff.add_command(link)
staff.add_command(tokens)


def _print_link(link: accounts.Link, console: Console) -> None:
    click.echo(f"{link.url(console)}  (one use, until {format_utc(link.expires_at)})")
