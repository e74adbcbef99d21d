"""`gjestenett grants`: who is online, under which policy, and changing or ending it."""

from __future__ import annotations

import click

from gateway.access import grants as access
from gateway.access.receipts import parse_receipt_code
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError
from gateway.storage import grants as stored
from gateway.storage import traffic


@click.group(cls=Group)
def grants() -> None:
    """List, move and revoke grants."""


@grants.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every grant in force; `sent` and `received` are octets, as counted every half minute."""
    services = invocation.services()
    with services.database.read() as session:
        found = stored.open_grants(session, services.place.owner_id, utc_now())
        octets = traffic.of_grants(session, [grant.id for grant in found])
        rows = [
            {
                "grant": grant.id,
                "name": grant.holder,
                "receipt": grant.acceptance.receipt_code if grant.acceptance is not None else "",
                "mac": grant.device.mac,
                "interface": grant.network.interface,
                "group": grant.group_key,
                "until": format_utc(grant.ends_at),
                "applied": stored.is_applied(session, grant.id),
                "sent": octets[grant.id].sent if grant.id in octets else 0,
                "received": octets[grant.id].received if grant.id in octets else 0,
            }
            for grant in found
        ]
    print_rows(rows, as_json=as_json, empty="nobody is granted access now")


@grants.command()
@click.argument("grant_id")
@click.option("--by", default="command line", help="Who revokes.")
@click.option("--reason", default="", help="Why; recorded in the log.")
@pass_invocation
def revoke(invocation: Invocation, grant_id: str, by: str, reason: str) -> None:
    """End the grant GRANT_ID and cut its connections."""
    services = invocation.services()
    with services.database.write() as session:
        if not access.revoke(session, services.place, grant_id, by, utc_now(), reason=reason):
            raise GatewayError(f"no grant {grant_id!r} is in force; see: gjestenett grants list")
    click.echo("revoked")


@grants.command()
@click.argument("code")
@click.argument("group")
@click.option("--by", default="command line", help="Who moves it.")
@pass_invocation
def move(invocation: Invocation, code: str, group: str, by: str) -> None:
    """Put the session CODE (its receipt code, or its grant) under the policy of GROUP, at once."""
    services = invocation.services()
    wanted = parse_receipt_code(code)
    with services.database.write() as session:
        done = access.move(session, services.place, wanted or code, group, by, utc_now())
    if isinstance(done, access.NotMoved):
        raise GatewayError(
            {
                "no_grant": f"no grant in force has the code {code!r}; see: gjestenett grants list",
                "no_group": f"there is no group {group!r} in the policy in force; see: gjestenett policy groups list",
                "same_group": f"it is in the group {group!r} already",
            }[done.reason]
        )
    click.echo(f"moved from {done.from_group} to {done.to_group}")
