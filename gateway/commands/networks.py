"""`gjestenett networks`: the guest networks, and their outage switch."""

from __future__ import annotations

from typing import cast

import click

from gateway.access import outages as access
from gateway.clock import MUNICIPAL_ZONE, format_utc, utc_now
from gateway.commands.devices import a_line, a_moment
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.context import Services
from gateway.errors import GatewayError, UsageError
from gateway.storage import outages
from gateway.storage.engine import Session
from gateway.storage.outages import Mode, NetworkRow

MAX_NOTICE_CHARS = 300


@click.group(cls=Group)
def networks() -> None:
    """List guest networks, close them, or open them to everybody."""


@networks.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every guest network and what it is switched to."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "interface": each.interface,
                "site": each.site_key,
                "gateway": each.gateway_key,
                "group": each.group_key,
                "state": each.outage.mode if each.outage is not None else "normal",
                "until": format_utc(each.outage.ends_at) if each.outage is not None else "",
                "applied": each.outage is not None and each.outage.applied_at is not None,
                "by": each.outage.set_by if each.outage is not None else "",
                "reason": each.outage.reason if each.outage is not None else "",
            }
            for each in outages.networks(session, services.place.owner_id, utc_now())
        ]
    print_rows(rows, as_json=as_json, empty="there is no guest network")


@networks.command("outage")
@click.argument("interface")
@click.argument("state", type=click.Choice(["closed", "rules-only", "normal"]))
@click.option("--until", metavar="DAY", help="To the end of this day, or to this minute (Europe/Oslo).")
@click.option("--reason", default="", help="Why; recorded in the log.")
@click.option("--notice", multiple=True, metavar="LANGUAGE=TEXT", help="What guests are told; once for each language.")
@click.option("--gateway", default="", help="The network's gateway, where several have one on this interface.")
@click.option("--by", default="command line", help="Who switches it.")
@pass_invocation
def outage(
    invocation: Invocation,
    interface: str,
    state: str,
    until: str | None,
    reason: str,
    notice: tuple[str, ...],
    gateway: str,
    by: str,
) -> None:
    """Switch the guest network on INTERFACE: closed to all, open to all without accepting (rules-only), or as usual."""
    who = a_line("--by", by)
    services, now = invocation.services(), utc_now()
    if state == "normal":
        with services.database.write() as session:
            network = _network(session, services, interface, gateway)
            if not access.restore(session, services.place, network.id, by=who, now=now):
                raise GatewayError(f"{interface} is as usual already; see: gjestenett networks list")
        click.echo(f"{interface} is as usual again")
        return
    if until is None:
        raise UsageError("--until says when the network is as usual again, lest it is forgotten")
    mode = cast(Mode, state.replace("-", "_"))
    notices = dict(_notice(text, services.settings.portal.languages) for text in notice)
    if not notices:
        raise UsageError("--notice says what guests are told, as in --notice 'nb=Nettet er stengt til klokka 14'")
    wish = access.Wish(mode, a_line("--reason", reason), a_moment(until), notices)
    with services.database.write() as session:
        network = _network(session, services, interface, gateway)
        refused = access.switch(session, services.place, network.id, wish, by=who, now=now)
    if refused is not None:
        raise GatewayError(
            {
                "no_network": f"there is no guest network on {interface!r}",
                "past": f"{until} is past already",
                "too_long": f"{until} is more than {_longest(mode)} ahead; choose an earlier time and renew it then",
                "no_policy": f"the group {network.group_key!r} is not in the policy in force, so nobody can be let in",
            }[refused.reason]
        )
    local = wish.until.astimezone(MUNICIPAL_ZONE)
    said = "closed to everybody" if mode == "closed" else "open to everybody without accepting"
    click.echo(f"{interface} is {said} until {local:%Y-%m-%d %H:%M} (Europe/Oslo)")
    if not services.settings.enforcement.enabled:
        click.echo("this installation does not control the network: guests see the notice, and nothing else changes")
    click.echo(f"to end it before: gjestenett networks outage {interface} normal")


def _network(session: Session, services: Services, interface: str, gateway: str) -> NetworkRow:
    found = outages.networks(session, services.place.owner_id, utc_now())
    named = [each for each in found if each.interface == interface and gateway in ("", each.gateway_key)]
    own = [each for each in named if each.gateway_id == services.place.gateway_id]
    if not named:
        there = ", ".join(sorted({each.interface for each in found}))
        raise UsageError(f"there is no guest network on {interface!r}; there are: {there}")
    if len(named) > 1 and not own:
        keys = ", ".join(each.gateway_key for each in named)
        raise UsageError(f"several gateways have a guest network on {interface}; say --gateway, one of {keys}")
    return (own if len(named) > 1 else named)[0]


def _notice(text: str, languages: tuple[str, ...]) -> tuple[str, str]:
    language, _, said = text.partition("=")
    if language not in languages:
        raise UsageError(f"--notice {text!r}: begin with one of {', '.join(languages)} and =")
    return language, a_line("--notice", said, MAX_NOTICE_CHARS)


def _longest(mode: Mode) -> str:
    longest = access.LONGEST[mode]
    return f"{longest.days} days"
