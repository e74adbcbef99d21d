"""`gjestenett terms`: the rules that guests accept."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from gateway.access.course_plan import local_moment, local_text
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import UsageError
from gateway.storage import generations, rules
from gateway.terms import coming, drafting
from gateway.terms import publish as publishing
from gateway.terms.draft import Draft, begin_problem
from gateway.terms.notice import refuse_blanks


@click.group(cls=Group)
def terms() -> None:
    """Publish and list versions of the rules."""


@terms.command()
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--language", "languages", multiple=True, required=True, help="Language of each FILE, in order.")
@click.option("--label", required=True, help="What this version is called, for ever.")
@click.option("--body", default="", help="Who adopted it.")
@click.option("--adopted", type=click.DateTime(["%Y-%m-%d"]), help="When it was adopted.")
@click.option("--case", "case_number", default="", help="Case number in the archive.")
@click.option("--binding", help="The language that decides when texts differ; the first by default.")
@click.option("--next-review", type=click.DateTime(["%Y-%m-%d"]), help="When it is to be looked at again.")
@click.option("--group", "group_key", default="", help="Publish as this group's own rules, in place of everybody's.")
@click.option("--from", "in_force_from", help="In force from this moment, as 2027-01-01T08:00, Norwegian time.")
@click.option("--ask-again", is_flag=True, help="Whoever is online then is asked before they go on.")
@click.option("--by", default="command line", help="Who publishes.")
@pass_invocation
def publish(
    invocation: Invocation,
    file: tuple[Path, ...],
    languages: tuple[str, ...],
    label: str,
    body: str,
    adopted: datetime | None,
    case_number: str,
    binding: str | None,
    next_review: datetime | None,
    group_key: str,
    in_force_from: str | None,
    ask_again: bool,
    by: str,
) -> None:
    """Publish Markdown FILEs as the rules, in force at once or from a moment: one FILE and one --language for each
    language.

    Where rules.two_person is set, this refuses: two people of IT publish in the console. Guests have to be told who
    records what they write and why, so the [privacy] settings must be filled in first.
    """
    if len(file) != len(languages) or len(set(languages)) != len(languages):
        raise UsageError("give one --language for each FILE, each language once")
    services = invocation.services()
    known = set(services.settings.portal.languages)
    if unknown := set(languages) - known:
        raise UsageError(f"language {sorted(unknown)[0]!r} is not one of portal.languages {sorted(known)}")
    refuse_blanks(services.settings.privacy)
    if services.settings.rules.two_person:
        raise UsageError(
            "rules.two_person is set: one of IT proposes the rules and another publishes them, in the console under"
            " Rules; the command line can't tell who is who"
        )
    now = utc_now()
    choice = drafting.Choice(_begin(in_force_from, now), ask_again)
    try:
        texts = {language: path.read_text(encoding="utf-8") for language, path in zip(languages, file, strict=True)}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the rules text can't be read: {error}") from error
    if blank := next((language for language, text in texts.items() if not text.strip()), None):
        raise UsageError(f"the {blank} text is empty; nobody can accept it")
    with services.database.write() as session:
        if group_key and generations.mark_of(session, services.place.owner_id, group_key) is None:
            raise UsageError(f"the policy in force has no group {group_key!r}; see: gjestenett policy groups list")
        draft = Draft(texts, label, binding or languages[0], body, _day(adopted), case_number, _day(next_review))
        done = drafting.publish_now(session, services.place, group_key, draft, choice, by=by, now=now)
    version = done.version
    when = "are in force"
    if version.in_force_from is not None:
        when = f"come into force by themselves {local_text(version.in_force_from).replace('T', ' ')} (Norwegian time)"
    click.echo(f"rules {version.label} {when}" + (f" for the group {group_key}" if group_key else ""))
    if done.ended:
        click.echo(f"{done.ended} devices are asked to accept them before they go on")
    for missing in sorted(known - set(texts)):
        click.echo(f"{missing}  no text of its own; these guests are shown {version.binding_language}")
    for text in version.texts:
        click.echo(f"{text.language}  sha256 {text.text_sha256}")


@terms.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """Print every version and the SHA-256 of its texts, newest first."""
    services = invocation.services()
    with services.database.read() as session:
        outcomes = rules.outcomes(session, services.place.owner_id)
        rows = [
            {
                "label": version.label,
                "group": version.group_key,
                "language": text.language,
                "published": format_utc(version.published_at),
                "in_force_from": format_utc(version.in_force_from or version.published_at),
                "withdrawn": outcomes.get(version.id) == "withdrawn",
                "body": version.adopting_body,
                "case": version.case_number,
                "sha256": text.text_sha256,
            }
            for version in rules.versions(session, services.place.owner_id)
            for text in sorted(version.texts, key=lambda text: text.language)
        ]
    print_rows(rows, as_json=as_json, empty="no rules are published")


@terms.command()
@click.argument("label")
@click.option("--by", default="command line", help="Who withdraws it.")
@pass_invocation
def withdraw(invocation: Invocation, label: str, by: str) -> None:
    """Withdraw version LABEL before it comes into force. One that is in force can only be replaced by a newer one."""
    services = invocation.services()
    with services.database.write() as session:
        done = coming.withdraw(session, services.place, label, by, utc_now())
    if done != "done":
        raise UsageError(_NOT_WITHDRAWN[done].format(label=label))
    click.echo(f"rules {label} are withdrawn and will not come into force")


@terms.command()
@click.option("--short", is_flag=True, help="The shorter rules, for groups that are asked for no name.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
def starter(short: bool, out: Path) -> None:
    """Write the rules that a municipality can begin with as Markdown files, to change and publish."""
    texts = publishing.short_texts() if short else publishing.starter_texts()
    targets = {language: out / f"{'short-' if short else ''}rules.{language}.md" for language in texts}
    if there := next((path for path in targets.values() if path.exists()), None):
        raise UsageError(f"{there} is there already; choose another --out folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for language, path in targets.items():
            path.write_text(texts[language], encoding="utf-8")
            click.echo(path)
    except OSError as error:
        raise UsageError(f"{out} can't be written ({error.strerror}); choose another --out folder") from error


_NOT_WITHDRAWN = {
    "unknown": "there are no rules {label!r}; see: gjestenett terms list",
    "in_force": "rules {label!r} have come into force; publish a newer version in their place",
    "withdrawn": "rules {label!r} are withdrawn already",
}


def _begin(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    moment = local_moment(text)
    if moment is None:
        raise UsageError(f"--from {text}: write a moment as 2027-01-01T08:00, Norwegian time")
    if (problem := begin_problem(moment, now)) is not None:
        raise UsageError(f"--from {text}: {'it has passed' if problem == 'past' else 'it is more than two years away'}")
    return moment


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
