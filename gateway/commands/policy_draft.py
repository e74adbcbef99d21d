"""`gjestenett policy close | open | report | export | import | diff | draft`: the draft, as a whole and by category."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.access.course_openings import stranded
from gateway.clock import utc_now
from gateway.commands.session import Invocation, json_option, pass_invocation
from gateway.errors import UsageError
from gateway.lists import generations
from gateway.lists.group_users import Missed, missed
from gateway.lists.no_effect import warnings
from gateway.storage import generations as stored
from gateway.storage.engine import Session
from gateway.storage.places import Place
from policies.diff import changes
from policies.diff_words import in_words
from policies.document import DocumentError, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.model import Policy


def warn(invocation: Invocation, wanted: Policy) -> None:
    """Tell on standard error which rules of a policy change nothing."""
    for line in warnings(wanted, (invocation.settings.portal.hostname,)):
        click.echo(f"gjestenett: {line}", err=True)


def warn_of_courses(session: Session, place: Place, wanted: Policy) -> None:
    """Tell on standard error which courses a policy has no group for."""
    for course in stranded(session, place, wanted, utc_now()):
        click.echo(
            f"gjestenett: the course {course.code} has the group {course.group_key!r}, which is not in this policy: "
            "nobody gets in by its code until it has another one",
            err=True,
        )


def tell(found: Sequence[Missed]) -> None:
    """Tell on standard error what uses groups that a policy lacks."""
    for each in found:
        click.echo(f"gjestenett: {each.in_words}", err=True)


@click.command("close")
@click.argument("category")
@click.option("--group", "group_key", default="default")
@pass_invocation
def close_(invocation: Invocation, category: str, group_key: str) -> None:
    """Close CATEGORY in the draft; `policy publish` puts it in force."""
    _set(invocation, group_key, category, closed=True)


@click.command("open")
@click.argument("category")
@click.option("--group", "group_key", default="default")
@pass_invocation
def open_(invocation: Invocation, category: str, group_key: str) -> None:
    """Open CATEGORY in the draft; `policy publish` puts it in force."""
    _set(invocation, group_key, category, closed=False)


@click.command()
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


@click.command()
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


@click.command("import")
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


@click.command()
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
        warn_of_courses(session, place, after)
        told_of = missed(session, place, services.settings.dns.sources, after.groups)
    warn(invocation, after)
    tell(told_of)
    found = changes(before, after)
    told = [in_words(change, language, after.zone) for change in found]
    if as_json:
        rows = [{"kind": each.kind, "group": each.group, "text": text} for each, text in zip(found, told, strict=True)]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(told) if told else f"nothing differs from generation {generation}")


@click.command()
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
