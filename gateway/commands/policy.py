"""`gjestenett policy`: what is closed for whom, why, and publishing a change."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists import generations
from gateway.lists.reader import current_path, read_snapshot
from gateway.storage import generations as stored
from policies.decide import decide
from policies.explain import explain as explain_decision
from policies.names import PolicyError, from_person


@click.group(cls=Group)
def policy() -> None:
    """Explain, change and publish the policy."""


@policy.command()
@click.argument("name")
@click.option("--group", "group_key", default="default", help="The group that asks.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="The moment (local time); now by default.")
@json_option
@pass_invocation
def explain(invocation: Invocation, name: str, group_key: str, at: datetime | None, as_json: bool) -> None:
    """Say whether NAME may be visited, why, and what would change it."""
    try:
        snapshot = read_snapshot(current_path(invocation.settings.state))
    except OSError as error:
        raise GatewayError("no policy is compiled yet; start: gjestenett jobs (or up)") from error
    except PolicyError as error:
        raise GatewayError(f"the compiled policy is damaged: {error}") from error
    group = snapshot.group(group_key)
    if group is None:
        raise UsageError(f"there is no group {group_key!r}")
    try:
        plain = from_person(name)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    answer = explain_decision(decide(plain, group, at.astimezone() if at else utc_now(), snapshot))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    click.echo(render(answer))


def render(answer: dict[str, Any]) -> str:
    """The explanation in plain lines: the verdict, each reason, and what would change it."""
    verdict = "may be visited" if answer["permitted"] else "is closed"
    lines = [f"{answer['name']} {verdict} for group {answer['group']} (policy generation {answer['generation']})"]
    for reason in answer["reasons"]:
        parts = [reason["kind"].replace("_", " ")]
        parts += [reason["name"]] if reason.get("name") else []
        parts += [reason["category"]["key"]] if reason.get("category") else []
        parts += [f"(list {reason['source']})"] if reason.get("source") else []
        lines.append("  because: " + " ".join(parts))
    for change in answer["changes"]:
        what = change.get("name") or ", ".join(change.get("categories", []))
        lines.append(f"  would change it: {change['action'].replace('_', ' ')} {what}")
    return "\n".join(lines)


@policy.command("close")
@click.argument("category")
@click.option("--group", "group_key", default="default")
@pass_invocation
def close_(invocation: Invocation, category: str, group_key: str) -> None:
    """Close CATEGORY in the draft; `policy publish` puts it in force."""
    _set(invocation, group_key, category, closed=True)


@policy.command("open")
@click.argument("category")
@click.option("--group", "group_key", default="default")
@pass_invocation
def open_(invocation: Invocation, category: str, group_key: str) -> None:
    """Open CATEGORY in the draft; `policy publish` puts it in force."""
    _set(invocation, group_key, category, closed=False)


def _set(invocation: Invocation, group_key: str, category: str, *, closed: bool) -> None:
    services = invocation.services()
    with services.database.write() as session:
        generations.set_category(session, services.place, group_key, category, closed=closed, now=utc_now())
    click.echo("in the draft; put it in force with: gjestenett policy publish")


@policy.command()
@click.option("--note", default="", help="Why, for the history.")
@click.option("--by", default="command line", help="Who publishes.")
@pass_invocation
def publish(invocation: Invocation, note: str, by: str) -> None:
    """Put the draft in force as the next generation."""
    services = invocation.services()
    with services.database.write() as session:
        number = generations.publish(session, services.place, by, note, utc_now())
    click.echo(f"generation {number} is published")


@policy.command()
@json_option
@pass_invocation
def history(invocation: Invocation, as_json: bool) -> None:
    """Print the published generations, newest first."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "generation": row.generation,
                "published": format_utc(row.published_at),
                "by": row.published_by,
                "note": row.note,
                "sha256": row.sha256,
            }
            for row in stored.history(session, services.place.owner_id)
        ]
    print_rows(rows, as_json=as_json, empty="no policy is published")
