"""`gjestenett policy quarantine | overrule`: listed names that are held back, and closing one of them all the same."""

from __future__ import annotations

from typing import Any

import click

from gateway.commands.policy_asking import compiled
from gateway.commands.policy_edits import PUBLISH, change
from gateway.commands.policy_text import held_back
from gateway.commands.session import Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists import draft_edits
from policies.hygiene import Quarantined, read_quarantine
from policies.names import PolicyError, from_person


def _read(invocation: Invocation) -> tuple[int, tuple[Quarantined, ...]]:
    """(how many there are in all, the first of them). Raises: GatewayError."""
    try:
        totals, entries = read_quarantine(compiled(invocation).section("quarantine"))
    except PolicyError as error:
        raise GatewayError(f"the compiled policy is damaged: {error}") from error
    return sum(totals.values()), entries


@click.command()
@json_option
@pass_invocation
def quarantine(invocation: Invocation, as_json: bool) -> None:
    """Print the listed names that are held back in the compiled policy, and why."""
    total, entries = _read(invocation)
    rows = [
        {
            "name": each.name,
            "list": each.source,
            "category": each.category,
            "reason": held_back(each.reason, each.detail),
        }
        | ({"key": each.reason, "detail": each.detail} if as_json else {})
        for each in entries
    ]
    print_rows(rows, as_json=as_json, empty="nothing is held back")
    if total > len(entries):
        click.echo(f"gjestenett: {total - len(entries)} more are held back and not shown", err=True)


@click.command()
@click.argument("name")
@click.option("--list", "source", help="Only this list may close it; every list by default.")
@click.option("--undo", is_flag=True, help="Hold it back again.")
@pass_invocation
def overrule(invocation: Invocation, name: str, source: str | None, undo: bool) -> None:
    """Let lists close NAME though it is in quarantine, in the draft."""
    try:
        meant = from_person(name)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    if undo:
        change(invocation, lambda draft: (draft_edits.without_overrule(draft, meant, source), None))
        click.echo(f"{meant} is held back again {PUBLISH}")
        return

    def edit(draft: dict[str, Any]) -> tuple[dict[str, Any], None]:
        changed = draft_edits.with_overrule(draft, meant, source)
        _check(invocation, meant, source)
        return changed, None

    change(invocation, edit)
    told = f"the list {source} says" if source is not None else "lists say"
    click.echo(f"{meant} is closed as {told} {PUBLISH}")


def _check(invocation: Invocation, name: str, source: str | None) -> None:
    """Raises: UsageError when overruling `name` would change nothing."""
    total, entries = _read(invocation)
    of_name = [each for each in entries if each.name == name]
    found = [each for each in of_name if source in (None, each.source)]
    if not of_name and total == len(entries):
        raise UsageError(f"{name} is not in quarantine: see gjestenett policy quarantine")
    if of_name and not found:
        lists = ", ".join(sorted({each.source for each in of_name}))
        raise UsageError(f"{name} is not held back from the list {source}; it is held back from: {lists}")
    if found and all(each.reason == "never_blocked" for each in found):
        raise UsageError(f"{name} is never blocked, whatever lists and rules say: overruling would change nothing")
