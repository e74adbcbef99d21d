"""`gjestenett announce`: the captive-portal URI, as a DHCP server or router wants to have it."""

from __future__ import annotations

import json

import click

from gateway.announcement import REMEDIES, announcement
from gateway.announcement_files import FILES
from gateway.clock import utc_now
from gateway.commands.session import Invocation, json_option, pass_invocation
from gateway.errors import GatewayError

SYSTEMS = {name.partition(".")[0]: render for name, render in FILES.items()}


@click.command()
@click.argument("system", required=False, type=click.Choice(sorted(SYSTEMS)))
@json_option
@pass_invocation
def announce(invocation: Invocation, system: str | None, as_json: bool) -> None:
    """Print the captive-portal URI (RFC 8910), or the lines for SYSTEM that announce it.

    Ends with 1 and the reason while it must not be announced.
    """
    found = announcement(invocation.settings, utc_now())
    if as_json:
        click.echo(json.dumps({"uri": found.uri, "withheld": found.withheld}))
    if found.withheld is not None:
        raise GatewayError(f"{found.uri} must not be announced: {REMEDIES[found.withheld]}")
    if not as_json:
        click.echo(SYSTEMS[system](found.uri).rstrip() if system else found.uri)
