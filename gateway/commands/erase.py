"""`gjestenett audit erase`: find a person, show exactly what would be erased, and erase it; the list of the erased."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import click

from gateway.access import erasure
from gateway.access.admission import parse_mac
from gateway.access.erasure import Admission, Held, NotErased, Plan, Wanted
from gateway.access.receipts import format_receipt_code, parse_receipt_code
from gateway.audit.aftermath import Aftermath, finish
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import ranges_of, write_ranges
from gateway.clock import MUNICIPAL_ZONE, format_utc, utc_now
from gateway.commands.session import Invocation, json_option, pass_invocation
from gateway.context import Services
from gateway.errors import GatewayError, UsageError

SEAL_WAIT_S = 10.0
_PAUSE_S = 0.2
_REFUSED = {
    "nobody": "nobody fits; look with a shorter --name, or by --receipt, --device, --contact or --course",
    "unsealed": "entries about them wait to be sealed, and can't be erased before; start the sealer (gjestenett up) and"
    " try again",
    "changed": "something about them has changed meanwhile; nothing was erased: look at it again",
    "no_reason": "--reason says why they are erased and can't be empty",
    "reason_names_them": "--reason is kept, and names them: write it without name, contact, device and receipt code",
}


def search_options(command: Any) -> Any:
    """--name, --contact, --device, --receipt and --course."""
    for option in (
        click.option("--course", default="", help="The course code that they gave."),
        click.option("--receipt", default="", help="A receipt code."),
        click.option("--device", default="", help="A device's MAC address."),
        click.option("--contact", default="", help="Part of the phone number or e-mail address."),
        click.option("--name", default="", help="Part of the name, in any case."),
    ):
        command = option(command)
    return command


def wanted(name: str, contact: str, device: str, receipt: str, course: str) -> Wanted:
    """The search that was asked for. Raises: UsageError when nothing was, or a code or MAC can't be one."""
    code = parse_receipt_code(receipt) if receipt else ""
    if code is None:
        raise UsageError(f"{receipt!r} is no receipt code: 16 letters and digits")
    mac = ""
    if device:
        read = parse_mac(device)
        if read is None:
            raise UsageError(f"{device!r} is no MAC address, such as 02:00:5e:10:00:01")
        mac = read
    search = Wanted(name.strip(), contact.strip(), mac, code, course.strip())
    if search == Wanted():
        raise UsageError("say who: --name, --contact, --device, --receipt or --course")
    return search


@click.command()
@search_options
@click.option("--reason", default="", help="Why, without naming them; recorded in the log.")
@click.option("--by", default="command line", help="Who erases.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--preview", is_flag=True, help="Show what would be erased, and erase nothing.")
@json_option
@pass_invocation
def erase(
    invocation: Invocation,
    name: str,
    contact: str,
    device: str,
    receipt: str,
    course: str,
    reason: str,
    by: str,
    yes: bool,
    preview: bool,
    as_json: bool,
) -> None:
    """Erase what is held on a person: every acceptance that fits all that is given.

    Shows exactly what would be erased first. Their access ends at once; a device may accept anew.
    """
    search = wanted(name, contact, device, receipt, course)
    if not preview and not reason.strip():
        raise UsageError(_REFUSED["no_reason"])
    if as_json and not preview and not yes:
        raise UsageError("--json asks nothing: add --preview or --yes")
    services = invocation.services()
    planned = _planned(services, search)
    if not planned.held and not planned.admissions and not planned.blocks:
        raise GatewayError(_REFUSED["nobody"])
    if not as_json:
        _show(planned)
    elif preview:
        click.echo(json.dumps(_as_json(planned), ensure_ascii=False, indent=2, default=str))
    if preview:
        return
    if not yes:
        click.confirm("Erase this for ever?", abort=True)
    now = utc_now()
    with services.database.write() as session:
        done = erasure.erase(session, services.place, planned, by, reason, now)
    if isinstance(done, NotErased):
        raise GatewayError(_REFUSED[done.reason])
    after = finish(
        services.database, services.place, services.settings.state, done.leaf_ids, erasure.marks(planned), now
    )
    _tell(planned, after, as_json)


@click.command("erasure-list")
@pass_invocation
def erasure_list(invocation: Invocation) -> None:
    """Print the erasure list: which entries have been erased, for a copy outside the backups."""
    services = invocation.services()
    with services.database.read() as session:
        listed = current_list(session, services.place)
    click.echo(listed.encode(), nl=False)


def _planned(services: Services, search: Wanted) -> Plan:
    """The plan; a few seconds are given to the sealer when it has yet to order a leaf of it."""
    deadline = time.monotonic() + SEAL_WAIT_S
    while True:
        with services.database.read() as session:
            found = erasure.find(session, services.place, search, utc_now())
            admissions = erasure.find_admissions(session, services.place, search, utc_now())
            blocked = erasure.find_blocked(session, services.place, search, utc_now())
            planned = erasure.plan(
                session, services.place, [item.acceptance_id for item in found], utc_now(), admissions, blocked
            )
        if not planned.unsealed or time.monotonic() >= deadline:
            return planned
        time.sleep(_PAUSE_S)


def _show(planned: Plan) -> None:
    click.echo(f"acceptances: {len(planned.held)}")
    for item in planned.held:
        click.echo(f"  {_line(item)}")
        if item.online_until is not None:
            click.echo(f"    is online until {_moment(item.online_until)}: access ends at once")
    for admission in planned.admissions:
        click.echo(f"admitted by staff: {_admission(admission)}")
        if admission.online_until is not None:
            click.echo(f"    is let in until {_moment(admission.online_until)}: access ends at once")
    for block in planned.blocks:
        click.echo(f"blocked by staff: {block.mac}, {block.reason}, until {_moment(block.until)}: the block is lifted")
    click.echo(f"entries whose personal values are erased, by number: {_numbered(planned)}")
    if planned.unsealed:
        click.echo(f"entries that wait to be sealed: {planned.unsealed}")
    for mac in planned.devices:
        click.echo(f"device: {mac}")
    for mac in planned.shared:
        click.echo(f"stays, since other people accepted on it or staff let it in: device {mac}")
    for text in planned.texts:
        click.echo(f"names them and is erased: entry {text.index} ({text.type}), {text.field}: {text.value}")
    for number in planned.notes:
        click.echo(f"names them and is erased: the note of policy generation {number}")
    for number in planned.documents:
        click.echo(f"names them and STAYS, since a published policy is never changed: policy generation {number}")
    for item in planned.also:
        click.echo(f"not part of this, but on the same device or of the same name: {_line(item)}")


def _numbered(planned: Plan) -> str:
    """The entries' numbers as ranges, and how many they are."""
    return f"{write_ranges(ranges_of(planned.numbers))} ({_entries(planned)})" if planned.numbers else "none"


def _entries(planned: Plan) -> str:
    return _counted(len(planned.numbers), "entry", "entries")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _line(item: Held) -> str:
    parts = [item.name, item.organisation, item.contact, item.mac, format_receipt_code(item.receipt_code)]
    return f"{_moment(item.accepted_at)}  " + ", ".join(part for part in parts if part)


def _admission(item: Admission) -> str:
    return f"{_moment(item.admitted_at)}  " + ", ".join(part for part in (item.mac, item.unit, item.reason) if part)


def _moment(moment: Any) -> str:
    return f"{moment.astimezone(MUNICIPAL_ZONE):%Y-%m-%d %H:%M}"


def _as_json(planned: Plan) -> dict[str, Any]:
    return {
        "acceptances": [_fields(item) for item in planned.held],
        "admissions": [
            {
                "admitted_at": format_utc(item.admitted_at),
                "mac": item.mac,
                "unit": item.unit,
                "reason": item.reason,
                "leaf": item.index,
                "online_until": format_utc(item.online_until) if item.online_until is not None else None,
            }
            for item in planned.admissions
        ],
        "blocks": [
            {
                "mac": item.mac,
                "reason": item.reason,
                "told": item.told,
                "blocked_at": format_utc(item.blocked_at),
                "until": format_utc(item.until),
            }
            for item in planned.blocks
        ],
        "leaves": write_ranges(ranges_of(planned.numbers)),
        "unsealed": planned.unsealed,
        "devices": list(planned.devices),
        "shared_devices": list(planned.shared),
        "texts": [asdict(text) for text in planned.texts],
        "policy_notes": list(planned.notes),
        "policies_that_stay": list(planned.documents),
        "also": [_fields(item) for item in planned.also],
    }


def _fields(item: Held) -> dict[str, Any]:
    return {
        "accepted_at": format_utc(item.accepted_at),
        "name": item.name,
        "organisation": item.organisation,
        "contact": item.contact,
        "mac": item.mac,
        "receipt": item.receipt_code,
        "leaf": item.index,
        "online_until": format_utc(item.online_until) if item.online_until is not None else None,
    }


def _tell(planned: Plan, after: Aftermath, as_json: bool) -> None:
    left = after.leftovers
    if as_json:
        found = {"deleted": left.deleted, "found": left.found, "unread": left.unread}
        copies = {name: [str(path) for path in paths] for name, paths in found.items()}
        click.echo(
            json.dumps(_as_json(planned) | {"erased": True, "unwiped": after.unwiped, "copies": copies}, indent=2)
        )
        return
    admitted = f"{_counted(len(planned.admissions), 'admission', 'admissions')}, " if planned.admissions else ""
    click.echo(f"erased: {_counted(len(planned.held), 'acceptance', 'acceptances')}, {admitted}{_entries(planned)}")
    if after.unwiped is not None:
        click.echo(f"not finished: {after.unwiped}; the service jobs tries again every minute", err=True)
    for path in left.deleted:
        click.echo(f"deleted: the export {path}")
    for path in left.found:
        click.echo(f"STILL HOLDS it and is yours to delete: {path}", err=True)
    for path in left.unread:
        click.echo(f"may hold it, and can't be looked into: {path}", err=True)
    click.echo(
        "outside this directory: backups, exports that were handed out, and the DHCP server's leases of the device"
    )
