"""`gjestenett policy groups | exemptions | permit | forbid | unset | safe-search | top-names`:
single changes to the draft."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import UsageError
from gateway.lists import draft_edits, generations, no_effect
from gateway.lists.explanation import check_year
from policies.document import parse_document
from policies.no_effect import Rule
from policies.safe_search import PROVIDERS

T = TypeVar("T")
PUBLISH = "in the draft; put it in force with: gjestenett policy publish"


def change(invocation: Invocation, edit: Callable[[dict[str, Any]], tuple[dict[str, Any], T]]) -> T:
    """Edit the draft in one transaction. Raises: UsageError when the result is no policy."""
    services, told = invocation.services(), []

    def edited(draft: dict[str, Any]) -> dict[str, Any]:
        document, saying = edit(draft)
        told.append(saying)
        return document

    with services.database.write() as session:
        generations.edit_draft(session, services.place, edited, generations.COMMAND_LINE, utc_now())
    return told[0]


def _draft(invocation: Invocation) -> dict[str, Any]:
    services = invocation.services()
    with services.database.read() as session:
        return generations.draft(session, services.place)


@click.group(cls=Group)
def groups() -> None:
    """Groups of devices under rules of their own."""


@groups.command("list")
@json_option
@pass_invocation
def list_groups(invocation: Invocation, as_json: bool) -> None:
    """Print the groups in the draft."""
    rows = [
        {
            "group": key,
            "mark": group["mark"],
            "name": group.get("names", {}).get("nb", ""),
            "closed": " ".join(group["closed"]),
            "schedules": len(group.get("schedules", [])),
            "safe search": " ".join(group.get("safe_search", [])),
        }
        for key, group in _draft(invocation)["groups"].items()
    ]
    print_rows(rows, as_json=as_json, empty="there are no groups")


@groups.command("add")
@click.argument("key")
@click.option("--like", help="Begin with the rules of this group.")
@click.option(
    "--mark",
    type=click.IntRange(1, 65535),
    help="The kernel's number for it; by default the next that no group has had.",
)
@click.option("--name", "title", default="", help="What people call it.")
@pass_invocation
def add_group(invocation: Invocation, key: str, like: str | None, mark: int | None, title: str) -> None:
    """Add a group KEY with a mark of its own to the draft."""
    services = invocation.services()
    with services.database.write() as session:
        document, chosen = draft_edits.with_group(
            generations.draft(session, services.place),
            key,
            like=like,
            mark=mark,
            title=title,
            given=generations.marks(session, services.place),
        )
        generations.save_draft(session, services.place, document, utc_now())
    click.echo(f"group {key} with mark {chosen} is {PUBLISH}")


@groups.command("remove")
@click.argument("key")
@pass_invocation
def remove_group(invocation: Invocation, key: str) -> None:
    """Remove the group KEY and its exemptions from the draft."""
    change(invocation, lambda draft: (draft_edits.without_group(draft, key), None))
    click.echo(f"group {key} is gone {PUBLISH}")


@click.group(cls=Group)
def exemptions() -> None:
    """Categories lifted for a group for a while."""


@exemptions.command("list")
@json_option
@pass_invocation
def list_exemptions(invocation: Invocation, as_json: bool) -> None:
    """Print the exemptions in the draft."""
    rows = [each | {"categories": " ".join(each["categories"])} for each in _draft(invocation).get("exemptions", [])]
    print_rows(rows, as_json=as_json, empty="there are no exemptions")


@exemptions.command("add")
@click.argument("categories", nargs=-1, required=True)
@click.option("--group", "group_key", required=True, help="The group (a course, a session) that it is for.")
@click.option("--from", "start", help="When it begins, as 2026-12-01T08:00 (local time); now by default.")
@click.option("--until", "end", required=True, help="When it ends.")
@click.option("--approved-by", required=True, help="Who approved it.")
@click.option("--reason", required=True)
@pass_invocation
def add_exemption(
    invocation: Invocation,
    categories: tuple[str, ...],
    group_key: str,
    start: str | None,
    end: str,
    approved_by: str,
    reason: str,
) -> None:
    """Lift CATEGORIES for a group until a moment, in the draft."""

    def edit(draft: dict[str, Any]) -> tuple[dict[str, Any], str]:
        zone = draft["time_zone"]
        begins = utc_now() if start is None else _moment(start, zone)
        return draft_edits.with_exemption(
            draft, group_key, categories, begins, _moment(end, zone), approved_by=approved_by, reason=reason
        )

    identity = change(invocation, edit)
    click.echo(f"exemption {identity} is {PUBLISH}")


@exemptions.command("end")
@click.argument("identity")
@pass_invocation
def end_exemption(invocation: Invocation, identity: str) -> None:
    """Take the exemption IDENTITY out of the draft."""
    change(invocation, lambda draft: (draft_edits.without_exemption(draft, identity), None))
    click.echo(f"exemption {identity} is gone {PUBLISH}")


@click.command()
@click.argument("name")
@click.option("--group", "group_key", default="default")
@pass_invocation
def permit(invocation: Invocation, name: str, group_key: str) -> None:
    """Permit NAME and everything below it for a group, in the draft."""
    click.echo(f"{_set_rule(invocation, group_key, name, 'permit')} is permitted {PUBLISH}")


@click.command()
@click.argument("name")
@click.option("--group", "group_key", default="default")
@pass_invocation
def forbid(invocation: Invocation, name: str, group_key: str) -> None:
    """Forbid NAME and everything below it for a group, in the draft."""
    click.echo(f"{_set_rule(invocation, group_key, name, 'forbid')} is forbidden {PUBLISH}")


@click.command()
@click.argument("name")
@click.option("--group", "group_key", default="default")
@pass_invocation
def unset(invocation: Invocation, name: str, group_key: str) -> None:
    """Take away the rule for NAME, so that lists decide, in the draft."""

    def edit(draft: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, bool]]:
        document, meant = draft_edits.with_name(draft, group_key, name, None)
        return document, (meant, document != draft)

    meant, changed = change(invocation, edit)
    if changed:
        click.echo(f"{meant} has no rule of its own {PUBLISH}")
    else:
        click.echo(f"{meant} has no rule of its own for group {group_key}: nothing was changed")


@click.command("safe-search")
@click.argument("providers", nargs=-1, type=click.Choice([*PROVIDERS]))
@click.option("--group", "group_key", default="default")
@pass_invocation
def safe_search(invocation: Invocation, providers: tuple[str, ...], group_key: str) -> None:
    """Have exactly these PROVIDERS' safe search on for a group (none: off), in the draft."""
    change(invocation, lambda draft: (draft_edits.with_safe_search(draft, group_key, providers), None))
    click.echo(f"safe search of group {group_key}: {', '.join(providers) or 'off'}, {PUBLISH}")


@click.command("top-names")
@click.argument("switch", type=click.Choice(["on", "off"]))
@click.option("--group", "group_key", default="default")
@pass_invocation
def top_names(invocation: Invocation, switch: str, group_key: str) -> None:
    """Have refused and judged names that at least five devices ask for kept for 24 hours, or not, in the draft."""
    change(invocation, lambda draft: (draft_edits.with_top_names(draft, group_key, on=switch == "on"), None))
    click.echo(f"top names of group {group_key}: {switch}, {PUBLISH}")
    if switch == "on":
        click.echo(
            "From then on the guest page says so before people accept. Those who have accepted were told otherwise."
        )


def _set_rule(invocation: Invocation, group_key: str, text: str, rule: Rule) -> str:
    """The name that was meant. Raises: UsageError, also when the rule would change nothing."""

    def edit(draft: dict[str, Any]) -> tuple[dict[str, Any], str]:
        document, name = draft_edits.with_name(draft, group_key, text, rule)
        no_effect.refuse(rule, name, parse_document(draft), (invocation.settings.portal.hostname,))
        return document, name

    return change(invocation, edit)


def _moment(text: str, zone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text}: write a moment as 2026-12-01T16:00 or 2026-12-01T16:00+01:00") from error
    check_year(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
