"""Letting in a device that has no browser: the form of the device, its unit, why, and until which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.devices.online import groups_in_force
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.access import admission
from gateway.access.admission import Device, NotAdmitted, parse_mac
from gateway.clock import MUNICIPAL_ZONE
from gateway.installation import guest_interfaces

MAX_CHARS = 200
FIELDS = ("mac", "unit", "reason", "until", "group", "interface")
_LINES = ("unit", "reason")
_MISSING = {"unit": N_("Write the unit that answers for the device"), "reason": N_("Write what the device is for")}
_TOO_LONG = N_("At most 200 characters")
_CHARACTERS = N_("There are characters here that can’t be used")
MAC = N_("Write the device’s whole address as on its label, like 00:1a:2b:3c:4d:5e")
_DAY = N_("Give the last day of the access")
REFUSED = {
    "no_network": ("interface", N_("Choose a guest network")),
    "no_group": ("group", N_("Choose a group")),
    "past": ("until", N_("This day is past")),
    "too_long": ("until", N_("Choose a day at most 400 days from now; somebody should look at it again then")),
    "blocked": ("mac", N_("This device is blocked. Lift the block first, under Blocked devices.")),
    "admitted": ("mac", N_("This device is let in already. Extend or end its access under Devices online.")),
}
assert admission.LONGEST.days == 400, "the message above says another number"


def show(visit: Visit) -> Response:
    """GET /devices/admit"""
    typed = dict.fromkeys(FIELDS, "")
    typed["mac"] = parse_mac(visit.query.get("mac", "")[:MAX_CHARS]) or ""
    return _page(visit, typed, {})


def admit(visit: Visit) -> Response:
    """POST /devices/admit"""
    typed, problems = dict.fromkeys(FIELDS, ""), {}
    for name in FIELDS:
        typed[name], problem = clean_line(visit.form.get(name), MAX_CHARS, required=name in _LINES)
        if problem is not None:
            problems[name] = {"missing": _MISSING.get(name, ""), "too_long": _TOO_LONG}.get(problem, _CHARACTERS)
    mac, until = parse_mac(typed["mac"]), end_of_day(typed["until"])
    if mac is None:
        problems["mac"] = MAC
    if until is None:
        problems["until"] = _DAY
    if mac is None or until is None or problems:
        return _page(visit, typed, problems)
    done = admitted(visit, Device(mac, typed["unit"], typed["reason"]), typed["interface"], typed["group"], until)
    if isinstance(done, NotAdmitted):
        field, said = REFUSED[done.reason]
        return _page(visit, typed, {field: said})
    return visit.go("/devices?notice=admitted")


def admitted(
    visit: Visit, device: Device, interface: str, group: str, until: datetime
) -> admission.Admitted | NotAdmitted:
    """Let a device in: on the network named, or the only one there is; under the group, or ("") the network's own."""
    interfaces = guest_interfaces(visit.services.settings)
    return admission.admit(
        visit.session,
        visit.services.place,
        device,
        interface=interface or (interfaces[0] if len(interfaces) == 1 else ""),
        group_key=group or None,
        until=until,
        by=visit.member.username,
        now=visit.now,
    )


def end_of_day(text: str) -> datetime | None:
    """The end of the day that `2027-06-30` names, by the municipality's clock; None for what names none."""
    try:
        day = date.fromisoformat(text) if len(text) == len("2027-06-30") and text.isascii() else None
        if day is None:
            return None
        following = day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=MUNICIPAL_ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _page(visit: Visit, typed: dict[str, str], problems: dict[str, str]) -> Response:
    return visit.page(
        "admit.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        typed=typed,
        problems={name: problems[name] for name in FIELDS if name in problems},
        groups=groups_in_force(visit),
        interfaces=guest_interfaces(visit.services.settings),
    )
