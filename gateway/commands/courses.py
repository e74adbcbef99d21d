"""`gjestenett courses`: make courses whose guests get in by a code, list them, end them."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from gateway.access import courses as access
from gateway.access.course_codes import code_key
from gateway.access.course_plan import DEVICES_FOR_PARTICIPANTS, MAX_DEVICES, OFFERS, Wish, local_moment
from gateway.clock import MUNICIPAL_ZONE, format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists.draft_edits import ruled_groups
from gateway.storage import courses as stored
from gateway.storage import generations
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.places import Place

MAX_LISTED = 1000
_SAYS = {
    "missing": "{option} is missing or not understood; moments are written like 2026-12-01T09:00 (Europe/Oslo)",
    "too_long": "{option} may have at most 120 characters",
    "characters": "{option} must be one line of ordinary characters",
    "order": "--until must be after --from",
    "past": "--until is past already; choose a later moment",
    "too_far": "{option} is too far ahead; a course is at most 400 days ahead and at most 400 days long",
    "no_group": "there is no such group in the policy in force; see: gjestenett policy groups list",
    "count": f"--devices must be 1 to {MAX_DEVICES}",
    "no_offer": f"--offered must be one of {', '.join(OFFERS)}",
}
_OPTIONS = {
    "title": "TITLE",
    "unit": "--unit",
    "starts_at": "--from",
    "ends_at": "--until",
    "group": "--group",
    "max_devices": "--devices",
    "offered": "--offered",
}


@click.group(cls=Group)
def courses() -> None:
    """Make, list and end courses."""


@courses.command()
@click.argument("title")
@click.option("--unit", required=True, help="The unit that has invited the course; its hosts see and change it.")
@click.option("--from", "since", required=True, metavar="MOMENT", help="When it begins, like 2026-12-01T09:00.")
@click.option("--until", required=True, metavar="MOMENT", help="When it ends, and with it its guests' access.")
@click.option("--group", default="default", show_default=True, help="The policy group that its guests get.")
@click.option("--devices", type=int, default=DEVICES_FOR_PARTICIPANTS, show_default=True, help="At most so many.")
@click.option(
    "--offered",
    type=click.Choice(OFFERS),
    default="code",
    show_default=True,
    help="Whether the guests' form names it: code: yes, and asks for it; title: it is chosen without; hidden: no.",
)
@click.option("--by", default="command line", help="Who makes it.")
@json_option
@pass_invocation
def add(
    invocation: Invocation,
    title: str,
    unit: str,
    since: str,
    until: str,
    group: str,
    devices: int,
    offered: str,
    by: str,
    as_json: bool,
) -> None:
    """Make a course at this machine's site and print its code. Moments are in local time (Europe/Oslo)."""
    wish = Wish(title.strip(), unit.strip(), local_moment(since), local_moment(until), group, devices, offered)
    services = invocation.services()
    with services.database.write() as session:
        done = access.add(session, services.place, wish, _groups(session, services.place), by=by, now=utc_now())
    if isinstance(done, access.Refused):
        field, problem = next(iter(done.problems.items()))
        raise UsageError(_SAYS[problem].format(option=_OPTIONS[field]))
    if as_json:
        print_rows([_row(done, 0, utc_now())], as_json=True, empty="")
        return
    click.echo(f"{done.code}")
    click.echo(f"open to guests from an hour before {_local(done.starts_at)} until {_local(done.ends_at)}")
    click.echo(f"to end it before: gjestenett courses end {done.code}")


@courses.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are over, too.")
@json_option
@pass_invocation
def list_(invocation: Invocation, every: bool, as_json: bool) -> None:
    """Print the courses that are not over, with how many devices have access by them."""
    services, now = invocation.services(), utc_now()
    since = now - timedelta(days=3653) if every else now
    with services.database.read() as session:
        found = stored.of_owner(session, services.place.owner_id, over_since=since, limit=MAX_LISTED)
        used = stored.access_now(session, [course.id for course in found], now)
    rows = [_row(course, used.get(course.id, 0), now) for course in found]
    print_rows(rows, as_json=as_json, empty="there is no course; make one: gjestenett courses add")


@courses.command()
@click.argument("code")
@click.option("--by", default="command line", help="Who ends it.")
@json_option
@pass_invocation
def end(invocation: Invocation, code: str, by: str, as_json: bool) -> None:
    """End the course CODE (or its id) now: its guests' access and connections end with it."""
    services = invocation.services()
    with services.database.write() as session:
        found = stored.by_code(session, services.place.owner_id, code_key(code)) if code else None
        course_id = found.id if found is not None else code
        done = access.end(session, services.place, course_id, by=by, now=utc_now())
    if isinstance(done, access.NoCourse):
        raise GatewayError(
            {
                "unknown": f"there is no course {code!r}; see: gjestenett courses list",
                "over": f"the course {code!r} is over already",
            }[done.reason]
        )
    if as_json:
        print_rows([_row(done.course, 0, utc_now()) | {"closed": done.closed}], as_json=True, empty="")
        return
    click.echo(f"ended; {done.closed} {'device' if done.closed == 1 else 'devices'} lost access")


def _groups(session: Session, place: Place) -> list[str]:
    published = generations.in_force(session, place.owner_id)
    return ruled_groups(published.document) if published is not None else []


def _row(course: Course, devices: int, now: datetime) -> dict[str, object]:
    state = "over" if course.over_at <= now else "running" if course.starts_at <= now else "to come"
    return {
        "code": course.code,
        "title": course.title,
        "unit": course.unit,
        "from": format_utc(course.starts_at),
        "until": format_utc(course.over_at),
        "state": state,
        "group": course.group_key,
        "devices": devices,
        "max": course.max_devices,
        "offered": course.offered,
        "id": course.id,
    }


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(MUNICIPAL_ZONE):%Y-%m-%d %H:%M}"
