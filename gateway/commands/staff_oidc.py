"""`gjestenett staff link`: an account for somebody whom the OpenID provider knows, where its claims give no role."""

from __future__ import annotations

import click

from captive_portal.auth import accounts, federated
from gateway.clock import utc_now
from gateway.commands.session import Invocation, pass_invocation
from gateway.errors import UsageError


@click.command()
@click.argument("username")
@click.option("--subject", required=True, help="Who it is to the provider (`sub`); the console shows it.")
@click.option("--role", type=click.Choice(accounts.ROLES), default=None, help="Where there is no account yet.")
@click.option("--unit", default="", help="Of a host: the unit whose courses are theirs.")
@click.option("--by", default="command line", help="Who asks for it.")
@pass_invocation
def link(invocation: Invocation, /, username: str, subject: str, role: str | None, unit: str, by: str) -> None:
    """Let USERNAME sign in at the OpenID provider, as the person it knows as SUBJECT, and not by a password.

    A disabled account opens again. The last account of IT that can be signed in to here stays: it is the way in without
    the provider.
    """
    services = invocation.services()
    chosen = services.settings.oidc
    if not chosen.enabled:
        raise UsageError("no OpenID provider is set; see [oidc] in docs/guide/signin.md")
    with services.database.write() as session:
        federated.link(
            session, services.place, username, chosen.issuer, subject.strip(), role or "", utc_now(), by=by,
            console=services.settings.console, unit=unit.strip(),
        )  # fmt: skip
    click.echo(f"{username} signs in with {chosen.label} from now on")
