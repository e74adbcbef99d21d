"""`gjestenett terms`: the rules that guests accept."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import UsageError
from gateway.storage import generations, rules
from gateway.terms import publish as publishing
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
    by: str,
) -> None:
    """Publish Markdown FILEs as the rules in force: one FILE and one --language for each language.

    Guests have to be told who records what they write and why, so the [privacy] settings must be filled in first.
    """
    if len(file) != len(languages) or len(set(languages)) != len(languages):
        raise UsageError("give one --language for each FILE, each language once")
    services = invocation.services()
    known = set(services.settings.portal.languages)
    if unknown := set(languages) - known:
        raise UsageError(f"language {sorted(unknown)[0]!r} is not one of portal.languages {sorted(known)}")
    refuse_blanks(services.settings.privacy)
    try:
        texts = {language: path.read_text(encoding="utf-8") for language, path in zip(languages, file, strict=True)}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the rules text can't be read: {error}") from error
    with services.database.write() as session:
        if group_key and generations.mark_of(session, services.place.owner_id, group_key) is None:
            raise UsageError(f"the policy in force has no group {group_key!r}; see: gjestenett policy groups list")
        version = publishing.publish(
            session,
            services.place,
            texts,
            label=label,
            adopting_body=body,
            adopted_on=_day(adopted),
            case_number=case_number,
            binding_language=binding or languages[0],
            next_review_on=_day(next_review),
            published_by=by,
            now=utc_now(),
            group_key=group_key,
        )
    click.echo(f"rules {version.label} are in force" + (f" for the group {group_key}" if group_key else ""))
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
        rows = [
            {
                "label": version.label,
                "group": version.group_key,
                "language": text.language,
                "published": format_utc(version.published_at),
                "body": version.adopting_body,
                "case": version.case_number,
                "sha256": text.text_sha256,
            }
            for version in rules.versions(session, services.place.owner_id)
            for text in sorted(version.texts, key=lambda text: text.language)
        ]
    print_rows(rows, as_json=as_json, empty="no rules are published")


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


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
