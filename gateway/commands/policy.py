"""`gjestenett policy`: what is closed for whom, why, and publishing a change."""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from gateway.clock import format_utc, utc_now
from gateway.commands.policy_text import learnt, render
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists import generations
from gateway.lists.reader import current_path, read_snapshot
from gateway.storage import generations as stored
from gateway.storage.engine import Session
from gateway.storage.places import Place
from policies.categories import CATEGORIES
from policies.diff import changes
from policies.diff_words import in_words
from policies.document import DocumentError, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.model import Policy
from policies.names import PolicyError, from_person
from policies.snapshot import Snapshot

BLOCK_LINES = 1000  # written at once; a person who types gets an answer after each line
LAZY = {
    "exemptions": "gateway.commands.policy_edits:exemptions",
    "forbid": "gateway.commands.policy_edits:forbid",
    "groups": "gateway.commands.policy_edits:groups",
    "judge": "gateway.commands.judge:judge",
    "overrule": "gateway.commands.policy_quarantine:overrule",
    "permit": "gateway.commands.policy_edits:permit",
    "quarantine": "gateway.commands.policy_quarantine:quarantine",
    "safe-search": "gateway.commands.policy_edits:safe_search",
    "top-names": "gateway.commands.policy_edits:top_names",
    "unset": "gateway.commands.policy_edits:unset",
}


@click.group(cls=Group, lazy=LAZY)
def policy() -> None:
    """Explain, change and publish the policy."""


def compiled(invocation: Invocation) -> Snapshot:
    """The snapshot in front of DNS. Raises: GatewayError."""
    try:
        return read_snapshot(current_path(invocation.settings.state))
    except OSError as error:
        raise GatewayError("no policy is compiled yet; start: gjestenett jobs (or up)") from error
    except PolicyError as error:
        raise GatewayError(f"the compiled policy is damaged: {error}") from error


def warn(invocation: Invocation, wanted: Policy) -> None:
    """Tell on standard error which rules of a policy change nothing."""
    from gateway.lists.no_effect import warnings  # noqa: PLC0415 - compiling is not what most commands need

    for line in warnings(wanted, (invocation.settings.portal.hostname,)):
        click.echo(f"gjestenett: {line}", err=True)


def warn_of_courses(invocation: Invocation, session: Session, place: Place, wanted: Policy) -> None:
    """Tell on standard error which courses a policy has no group for."""
    from gateway.access.course_openings import stranded  # noqa: PLC0415 - not what most commands need

    for course in stranded(session, place, wanted, utc_now()):
        click.echo(
            f"gjestenett: the course {course.code} has the group {course.group_key!r}, which is not in this policy: "
            "nobody gets in by its code until it has another one",
            err=True,
        )


@policy.command()
@click.argument("name")
@click.option("--group", "group_key", default="default", help="The group that asks.")
@click.option("--at", help="The moment, as 2026-12-01T16:00 (local time) or with an offset; now by default.")
@json_option
@pass_invocation
def explain(invocation: Invocation, name: str, group_key: str, at: str | None, as_json: bool) -> None:
    """Say whether NAME may be visited, why, since when, and what would change it."""
    from gateway.lists.explanation import explanation  # noqa: PLC0415 - only this command needs it
    from gateway.lists.history import list_since, published  # noqa: PLC0415

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
    from gateway.lists.explanation import check_year  # noqa: PLC0415 - only this command needs it

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text}: write a moment as 2026-12-01T16:00 or 2026-12-01T16:00+01:00") from error
    check_year(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=snapshot.policy.zone)


@policy.command()
@click.option("--judge", is_flag=True, help="Ask the judge about names that no list has.")
@json_option
@pass_invocation
def classify(invocation: Invocation, judge: bool, as_json: bool) -> None:
    """Read names from standard input, one a line, and print what each is and which list or judge says so."""
    from gateway.lists.classify import Classifier  # noqa: PLC0415 - only this command needs it

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


@policy.command()
@click.argument("category")
@click.option("--group", "group_key", default="default")
@pass_invocation
def report(invocation: Invocation, category: str, group_key: str) -> None:
    """Open CATEGORY in the draft, and have its answers counted, so that you see what closing it would refuse."""
    _set(invocation, group_key, category, closed=False, report=True)


def _set(invocation: Invocation, group_key: str, category: str, *, closed: bool, report: bool = False) -> None:
    services = invocation.services()
    with services.database.write() as session:
        generations.set_category(
            session, services.place, group_key, category, closed=closed, report=report, now=utc_now()
        )
    click.echo("in the draft; put it in force with: gjestenett policy publish")


@policy.command()
@click.option("--generation", type=int, help="A published one instead of the draft (or what is in force).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@json_option
@pass_invocation
def export(invocation: Invocation, generation: int | None, out: Path | None, as_json: bool) -> None:
    """Print the whole policy as one TOML document, for review in git."""
    services = invocation.services()
    with services.database.read() as session:
        place = services.place
        document = (
            generations.draft(session, place)
            if generation is None
            else generations.document_of(session, place, generation)
        )
    document = write_document(parse_document(document))
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n" if as_json else write_toml(document)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}") from error


@policy.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--check", is_flag=True, help="Only say whether it is right.")
@pass_invocation
def import_(invocation: Invocation, file: Path, check: bool) -> None:
    """Make the TOML document FILE (- for standard input) the draft; every problem is told with its line."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read: {error}") from error
    try:
        wanted = parse_toml(text)
    except DocumentError as error:
        for problem in error.problems:
            click.echo(f"{file}: {problem}", err=True)
        raise UsageError(f"{file} was not taken: {len(error.problems)} problem(s), listed above") from error
    warn(invocation, wanted)
    if check:
        click.echo(f"{file} is right")
        return
    services = invocation.services()
    with services.database.write() as session:
        generations.save_draft(session, services.place, write_document(wanted), utc_now())
    click.echo("in the draft; look at: gjestenett policy diff; put it in force with: gjestenett policy publish")


@policy.command()
@click.argument("generation", type=int, required=False)
@click.option("--to", "to", type=int, help="Compare with this generation instead of the draft.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="en")
@json_option
@pass_invocation
def diff(invocation: Invocation, generation: int | None, to: int | None, language: Any, as_json: bool) -> None:
    """Say in words what changes from GENERATION (the one in force by default) to the draft."""
    services = invocation.services()
    with services.database.read() as session:
        place = services.place
        if generation is None:
            standing = stored.in_force(session, place.owner_id)
            if standing is None:
                raise UsageError("no policy is published yet: everything in the draft is new")
            generation = standing.generation
        before = parse_document(generations.document_of(session, place, generation))
        other = generations.draft(session, place) if to is None else generations.document_of(session, place, to)
        after = parse_document(other)
        warn_of_courses(invocation, session, place, after)
    warn(invocation, after)
    found = changes(before, after)
    told = [in_words(change, language, after.zone) for change in found]
    if as_json:
        rows = [{"kind": each.kind, "group": each.group, "text": text} for each, text in zip(found, told, strict=True)]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(told) if told else f"nothing differs from generation {generation}")


@policy.command()
@click.option("--discard", is_flag=True, help="Forget it, and begin again with what is in force.")
@pass_invocation
def draft(invocation: Invocation, discard: bool) -> None:
    """Say whether there is a draft; show it with `policy diff` and `policy export`."""
    services = invocation.services()
    if discard:
        with services.database.write() as session:
            generations.discard_draft(session, services.place)
        click.echo("the draft is forgotten")
        return
    with services.database.read() as session:
        there = generations.has_draft(session, services.place)
    click.echo("there is a draft: see gjestenett policy diff" if there else "there is no draft")


@policy.command()
@json_option
def categories(as_json: bool) -> None:
    """Print the categories that a policy can close."""
    rows = [
        {"category": key, "name": each.names["nb"], "about": each.descriptions["en"]}
        for key, each in CATEGORIES.items()
    ]
    print_rows(rows, as_json=as_json, empty="")


@policy.command()
@click.option("--note", default="", help="Why, for the history.")
@click.option("--by", default="command line", help="Who publishes.")
@click.option("--over", is_flag=True, help="Also when the draft takes back what was published after it was begun.")
@pass_invocation
def publish(invocation: Invocation, note: str, by: str, over: bool) -> None:
    """Put the draft in force as the next generation."""
    services = invocation.services()
    with services.database.write() as session:
        number = generations.publish(session, services.place, by, note, utc_now(), over=over)
        published = parse_document(generations.document_of(session, services.place, number))
        warn_of_courses(invocation, session, services.place, published)
    warn(invocation, published)
    click.echo(f"generation {number} is published")


@policy.command()
@click.argument("generation", type=int)
@click.option("--note", default="", help="Why, for the history.")
@click.option("--by", default="command line", help="Who does it.")
@pass_invocation
def rollback(invocation: Invocation, generation: int, note: str, by: str) -> None:
    """Put what GENERATION said in force again, as a new generation, and say what changes.

    Exemptions that were ended since stay ended.
    """
    services = invocation.services()
    with services.database.write() as session:
        place = services.place
        planned = generations.rolled_back(session, place, generation)
        standing = stored.in_force(session, place.owner_id)
        if standing is not None:
            after = parse_document(planned.document)
            for change in changes(parse_document(standing.document), after):
                click.echo(in_words(change, "en", after.zone))
        for each in planned.ended:
            click.echo(f"left out, since it has ended after generation {generation}: exemption {each}")
        number = generations.rollback(session, place, generation, by, note, utc_now())
        warn_of_courses(invocation, session, place, parse_document(planned.document))
    told = ", apart from that" if planned.ended else ""
    click.echo(f"generation {number} is published; it says what generation {generation} said{told}")


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
