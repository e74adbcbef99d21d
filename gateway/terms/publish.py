"""Publishing a version of the rules: from then on it is immutable, and guests are shown exactly it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files

from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.errors import UsageError
from gateway.storage import places, rules
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import RulesText, RulesVersion
from gateway.storage.places import Place
from gateway.terms.draft import BODY_MAX_CHARS, CASE_MAX_CHARS, LABEL_MAX_CHARS, TEXT_MAX_BYTES
from gateway.terms.render import render

STARTER_LANGUAGES = ("nb", "nn", "en")


def publish(
    session: Session,
    place: Place,
    texts: Mapping[str, str],
    *,
    label: str,
    adopting_body: str,
    adopted_on: date | None,
    case_number: str,
    binding_language: str,
    next_review_on: date | None,
    published_by: str,
    now: datetime,
    group_key: str = "",
    in_force_from: datetime | None = None,
    ask_again: bool = False,
    approved_by: str = "",
) -> RulesVersion:
    """Publish `texts` (language → Markdown), recorded as a leaf: in force at once, or `in_force_from` a later moment.

    With `group_key` they are in force for that group alone, in place of everybody's. `ask_again` is a leaf too; what
    follows from it is `drafting`'s, or of a later moment `coming`'s. `approved_by`: who published what `published_by`
    had proposed.

    A text is named by two SHA-256: of its Markdown in UTF-8 with LF line ends, and of the HTML shown for it.
    Raises: UsageError when a text is empty or too long, the binding language has no text, or the label is taken.
    """
    if binding_language not in texts:
        raise UsageError(f"there is no text in the binding language {binding_language!r}; give one with --language")
    for what, value, most in (
        ("label", label, LABEL_MAX_CHARS),
        ("adopting body", adopting_body, BODY_MAX_CHARS),
        ("case", case_number, CASE_MAX_CHARS),
    ):
        if len(value) > most or not value.isprintable():
            raise UsageError(f"the {what} must be one line of at most {most} characters")
    if not label:
        raise UsageError("a version needs a label")
    places.lock_owner(session, place.owner_id)
    if rules.version_labelled(session, place.owner_id, label) is not None:
        raise UsageError(f"rules {label!r} are published already and can't be changed; choose another --label")
    version = RulesVersion(
        owner_id=place.owner_id,
        label=label,
        group_key=group_key,
        adopting_body=adopting_body,
        adopted_on=adopted_on,
        case_number=case_number,
        binding_language=binding_language,
        next_review_on=next_review_on,
        published_at=now,
        in_force_from=in_force_from,
        ask_again=ask_again,
        texts=[_text(language, markdown) for language, markdown in sorted(texts.items())],
    )
    session.add(version)
    session.flush()
    by = {"by": published_by, "approved_by": approved_by}
    record(
        session,
        place,
        "rules_published",
        {
            "version": label,
            "adopting_body": adopting_body,
            "adopted_on": adopted_on.isoformat() if adopted_on else "",
            "case_number": case_number,
            "binding_language": binding_language,
            "texts": {
                text.language: {"text_sha256": text.text_sha256, "html_sha256": text.html_sha256}
                for text in version.texts
            },
            **({"group": group_key} if group_key else {}),
            **({"in_force_from": format_utc(in_force_from)} if in_force_from is not None else {}),
        },
        by,
        now,
    )
    if ask_again:
        record(session, place, "rules_asked_again", {"version": label}, by, now)
    announce(session, "rules")
    return version


def starter_texts() -> dict[str, str]:
    """The rules that a fresh installation begins with, by language."""
    folder = files("gateway.terms") / "starter"
    return {language: (folder / f"{language}.md").read_text(encoding="utf-8") for language in STARTER_LANGUAGES}


def short_texts() -> dict[str, str]:
    """Shorter rules to begin with for groups that are asked for no name, as in a library or a youth club."""
    folder = files("gateway.terms") / "starter" / "short"
    return {language: (folder / f"{language}.md").read_text(encoding="utf-8") for language in STARTER_LANGUAGES}


def _text(language: str, markdown: str) -> RulesText:
    source = markdown.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in source:
        raise UsageError(f"the {language} text holds a NUL character; save it as plain UTF-8 text")
    if not source.strip():
        raise UsageError(f"the {language} text is empty; nobody can accept it")
    if len(source.encode()) > TEXT_MAX_BYTES:
        raise UsageError(f"the {language} text is longer than {TEXT_MAX_BYTES // 1024} KiB; nobody would read it")
    html = render(source)
    return RulesText(
        language=language,
        markdown=source,
        html=html,
        text_sha256=hashlib.sha256(source.encode()).hexdigest(),
        html_sha256=hashlib.sha256(html.encode()).hexdigest(),
    )
