"""`gjestenett devices`: let in devices that have no browser to accept the rules with, keep devices out, list both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from gateway.access import blocking
from gateway.access.admission import LONGEST, Device, NotAdmitted, admit, parse_mac
from gateway.audit.periods import parse_period
from gateway.clock import MUNICIPAL_ZONE, format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.installation import guest_interfaces
from gateway.storage import blocks
from gateway.storage import grants as stored

MAX_CHARS = 200
DAY, MINUTE = "%Y-%m-%d", "%Y-%m-%dT%H:%M"


@click.group(cls=Group)
def devices() -> None:
    """Admit devices without a browser, block devices, and list them."""


@devices.command("admit")
@click.argument("mac")
@click.option("--unit", required=True, help="The unit that answers for the device.")
@click.option("--until", required=True, metavar="DAY", help="To the end of this day, or to this minute (Europe/Oslo).")
@click.option("--reason", required=True, help="What it needs the network for; recorded in the log.")
@click.option("--group", help="The policy group; else the network's own.")
@click.option("--interface", help="The guest network's interface, where there are several.")
@click.option("--by", default="command line", help="Who admits it.")
@pass_invocation
def admit_(
    invocation: Invocation,
    mac: str,
    unit: str,
    until: str,
    reason: str,
    group: str | None,
    interface: str | None,
    by: str,
) -> None:
    """Let the device with address MAC in until a day, without an acceptance."""
    address = _address(mac)
    device = Device(address, a_line("--unit", unit), a_line("--reason", reason))
    ends_at = a_moment(until)
    services = invocation.services()
    interfaces = guest_interfaces(services.settings)
    if interface is None and len(interfaces) > 1:
        raise UsageError(f"there are several guest networks; say --interface, one of {', '.join(interfaces)}")
    chosen = interface or interfaces[0]
    with services.database.write() as session:
        done = admit(
            session,
            services.place,
            device,
            interface=chosen,
            group_key=group,
            until=ends_at,
            by=a_line("--by", by),
            now=utc_now(),
        )
    if isinstance(done, NotAdmitted):
        raise GatewayError(
            {
                "no_network": f"there is no guest network on {chosen!r}; there are: {', '.join(interfaces)}",
                "no_group": f"there is no group {group!r} in the policy in force; see: gjestenett policy groups list",
                "past": f"{until} is past already; choose a later day",
                "too_long": f"{until} is more than {LONGEST.days} days ahead; choose an earlier day and renew it then",
                "admitted": f"{address} is admitted already; to change that, end it first: gjestenett grants revoke"
                f" {done.grant_id}",
                "blocked": f"{address} is blocked; lift that first: gjestenett devices unblock {address}",
            }[done.reason]
        )
    local = done.ends_at.astimezone(MUNICIPAL_ZONE)
    click.echo(f"{address} is admitted in the group {done.group} until {local:%Y-%m-%d %H:%M} (Europe/Oslo)")
    if not services.settings.enforcement.enabled:
        click.echo("this installation does not control the network: it is recorded, but nobody is let in or kept out")
    click.echo(f"to end it before: gjestenett grants revoke {done.grant_id}")


@devices.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every device that is admitted now."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "mac": grant.device.mac,
                "unit": grant.holder,
                "group": grant.group_key,
                "interface": grant.network.interface,
                "until": format_utc(grant.ends_at),
                "applied": stored.is_applied(session, grant.id),
                "grant": grant.id,
            }
            for grant in stored.open_admissions(session, services.place.owner_id, utc_now())
        ]
    print_rows(rows, as_json=as_json, empty="no device is admitted now")


@devices.command("block")
@click.argument("mac")
@click.option("--reason", required=True, help="Why; recorded in the log. The guest does not see it.")
@click.option("--tell", default="", help="What the guest is told; else only whom to ask.")
@click.option("--until", metavar="DAY", help="To the end of this day, or to this minute (Europe/Oslo).")
@click.option("--by", default="command line", help="Who blocks it.")
@pass_invocation
def block_(invocation: Invocation, mac: str, reason: str, tell: str, until: str | None, by: str) -> None:
    """Keep the device with address MAC out of all guest networks; its access ends at once.

    A phone that makes up another address gets past it.
    """
    wish = blocking.Wish(
        _address(mac),
        a_line("--reason", reason),
        a_line("--tell", tell) if tell else "",
        a_moment(until) if until is not None else None,
    )
    services, now = invocation.services(), utc_now()
    keep = parse_period(services.settings.privacy.acceptances)
    with services.database.write() as session:
        done = blocking.block(session, services.place, wish, keep=keep, by=a_line("--by", by), now=now)
    if isinstance(done, blocking.NotBlocked):
        latest = blocking.latest(keep, now).astimezone(MUNICIPAL_ZONE)
        raise GatewayError(
            {
                "past": f"{until} is past already; choose a later day",
                "too_long": f"{until} is later than what is known of the device is kept (privacy.acceptances); choose a"
                f" time before {latest:%Y-%m-%d %H:%M}",
            }[done.reason]
        )
    local = done.ends_at.astimezone(MUNICIPAL_ZONE)
    ended = f"; access ended: {done.ended}" if done.ended else ""
    click.echo(f"{wish.mac} is blocked until {local:%Y-%m-%d %H:%M} (Europe/Oslo){ended}")
    click.echo(f"to lift it: gjestenett devices unblock {wish.mac}")


@devices.command("unblock")
@click.argument("mac")
@click.option("--by", default="command line", help="Who lifts the block.")
@pass_invocation
def unblock_(invocation: Invocation, mac: str, by: str) -> None:
    """Let the device with address MAC accept the rules again."""
    address = _address(mac)
    services = invocation.services()
    with services.database.write() as session:
        if not blocking.unblock(session, services.place, address, a_line("--by", by), utc_now()):
            raise GatewayError(f"{address} is not blocked; see: gjestenett devices blocked")
    click.echo(f"{address} may accept the rules again")


@devices.command("blocked")
@json_option
@pass_invocation
def blocked(invocation: Invocation, as_json: bool) -> None:
    """Print every device that is blocked now."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "mac": each.device.mac,
                "reason": each.reason,
                "told": each.told,
                "since": format_utc(each.blocked_at),
                "until": format_utc(each.ends_at),
                "by": each.blocked_by,
            }
            for each in blocks.in_force(session, services.place.owner_id, utc_now())
        ]
    print_rows(rows, as_json=as_json, empty="no device is blocked now")


def _address(mac: str) -> str:
    address = parse_mac(mac)
    if address is None:
        raise UsageError(f"{mac!r} is no device's address; write it as on its label, like 00:1a:2b:3c:4d:5e")
    return address


def a_line(option: str, text: str, most: int = MAX_CHARS) -> str:
    """One line of text that an option must have. Raises: UsageError."""
    text = text.strip()
    if not text or len(text) > most or not text.isprintable():
        raise UsageError(f"{option} must be one line of 1 to {most} characters")
    return text


def a_moment(text: str) -> datetime:
    """The end of a day, or a minute, by the municipality's clock. Raises: UsageError."""
    for form, rest in ((DAY, timedelta(days=1)), (MINUTE, timedelta())):
        try:
            named = datetime.strptime(text, form)  # noqa: DTZ007 - a clock on the wall; its zone comes next
        except ValueError:
            continue
        return (named + rest).replace(tzinfo=MUNICIPAL_ZONE).astimezone(UTC)
    raise UsageError(f"--until {text!r} is no day; write it like 2027-06-30, or 2027-06-30T16:00")
