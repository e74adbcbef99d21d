"""`gjestenett policy explain | classify`: what the compiled policy says of names."""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime
from itertools import islice

import click

from gateway.clock import utc_now
from gateway.commands.policy_text import learnt, render
from gateway.commands.session import Invocation, json_option, pass_invocation
from gateway.errors import GatewayError, UsageError
from gateway.lists.classify import Classifier
from gateway.lists.explanation import check_year, explanation
from gateway.lists.history import list_since, published
from gateway.lists.reader import current_path, read_snapshot
from policies.names import PolicyError, from_person
from policies.snapshot import Snapshot

BLOCK_LINES = 1000  # written at once; a person who types gets an answer after each line


def compiled(invocation: Invocation) -> Snapshot:
    """The snapshot in front of DNS. Raises: GatewayError."""
    try:
        return read_snapshot(current_path(invocation.settings.state))
    except OSError as error:
        raise GatewayError("no policy is compiled yet; start: gjestenett jobs (or up)") from error
    except PolicyError as error:
        raise GatewayError(f"the compiled policy is damaged: {error}") from error


@click.command()
@click.argument("name")
@click.option("--group", "group_key", default="default", help="The group that asks.")
@click.option("--at", help="The moment, as 2026-12-01T16:00 (local time) or with an offset; now by default.")
@json_option
@pass_invocation
def explain(invocation: Invocation, name: str, group_key: str, at: str | None, as_json: bool) -> None:
    """Say whether NAME may be visited, why, since when, and what would change it."""
    snapshot = compiled(invocation)
    group = snapshot.group(group_key)
    if group is None:
        raise UsageError(f"there is no group {group_key!r}; there are: {', '.join(snapshot.policy.groups)}")
    try:
        plain = from_person(name)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    moment = utc_now() if at is None else _moment(at, snapshot)
    try:
        services = invocation.services()
        with services.database.read() as session:
            generations_, lists_ = published(session, services.place), list_since(session, services.place)
            answer = explanation(plain, group, moment, snapshot, generations_, lists_)
    except GatewayError as error:  # the decision needs no database; only "since when" does
        click.echo(f"gjestenett: since when is not known: {error}", err=True)
        answer = explanation(plain, group, moment, snapshot)
    zone = snapshot.policy.zone
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else render(answer, zone))


def _moment(text: str, snapshot: Snapshot) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text}: write a moment as 2026-12-01T16:00 or 2026-12-01T16:00+01:00") from error
    check_year(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=snapshot.policy.zone)


@click.command()
@click.option("--judge", is_flag=True, help="Ask the judge about names that no list has.")
@json_option
@pass_invocation
def classify(invocation: Invocation, judge: bool, as_json: bool) -> None:
    """Read names from standard input, one a line, and print what each is and which list or judge says so."""
    classifier = Classifier(compiled(invocation), judge=judge)
    if judge and not classifier.has_judge:
        raise GatewayError("there is no judge in the compiled policy: train one with gjestenett policy judge train")
    if judge and not classifier.judged:
        click.echo(f"gjestenett: {learnt(classifier.judged)}", err=True)
    names = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    lines = classifier.json_lines(names) if as_json else classifier.tab_lines(names)
    at_once = 1 if sys.stdin.isatty() else BLOCK_LINES
    while block := "".join(islice(lines, at_once)):
        sys.stdout.write(block)
    sys.stdout.flush()
