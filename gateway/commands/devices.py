"""`gjestenett devices`: let in devices that have no browser to accept the rules with, and list them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from gateway.access.admission import LONGEST, Device, NotAdmitted, admit, parse_mac
from gateway.clock import MUNICIPAL_ZONE, format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.installation import guest_interfaces
from gateway.storage import grants as stored

MAX_CHARS = 200
DAY, MINUTE = "%Y-%m-%d", "%Y-%m-%dT%H:%M"


@click.group(cls=Group)
def devices() -> None:
    """Admit devices without a browser, and list them."""


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
    address = parse_mac(mac)
    if address is None:
        raise UsageError(f"{mac!r} is no device's address; write it as on its label, like 00:1a:2b:3c:4d:5e")
    device = Device(address, _line("--unit", unit), _line("--reason", reason))
    ends_at = _moment(until)
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
            by=_line("--by", by),
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


def _line(option: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > MAX_CHARS or not text.isprintable():
        raise UsageError(f"{option} must be one line of 1 to {MAX_CHARS} characters")
    return text


def _moment(text: str) -> datetime:
    """The end of a day, or a minute, by the municipality's clock. Raises: UsageError."""
    for form, rest in ((DAY, timedelta(days=1)), (MINUTE, timedelta())):
        try:
            named = datetime.strptime(text, form)  # noqa: DTZ007 - a clock on the wall; its zone comes next
        except ValueError:
            continue
        return (named + rest).replace(tzinfo=MUNICIPAL_ZONE).astimezone(UTC)
    raise UsageError(f"--until {text!r} is no day; write it like 2027-06-30, or 2027-06-30T16:00")
