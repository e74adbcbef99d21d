"""The form of a draft of the rules: what was typed in it, and what is wrong with that, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from captive_portal.console.forms import Form, clean_line
from captive_portal.console.look import N_
from gateway.terms.draft import (
    BODY_MAX_CHARS,
    CASE_MAX_CHARS,
    LABEL_MAX_CHARS,
    TEXT_MAX_BYTES,
    Draft,
    text_problems,
    unify,
)

FORM_MAX_BYTES = 8 * TEXT_MAX_BYTES
LINES = {"label": LABEL_MAX_CHARS, "adopting_body": BODY_MAX_CHARS, "case_number": CASE_MAX_CHARS}
DATES = ("adopted_on", "next_review_on")
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SAID: Mapping[tuple[str, str], str] = {
    ("label", "missing"): N_("Write what this version is called"),
    ("label", "taken"): N_("Another version has that name already, and keeps it for ever. Choose another name"),
    ("label", "too_long"): N_("The name of the version may have at most 80 characters"),
    ("adopting_body", "too_long"): N_("Who adopts the rules may be told in at most 200 characters"),
    ("case_number", "too_long"): N_("The case number may have at most 80 characters"),
    ("adopted_on", "date"): N_("Write the day of adoption as a date"),
    ("adopted_on", "future"): N_("The day of adoption lies ahead; rules come into force once they are adopted"),
    ("next_review_on", "date"): N_("Write the day of the next review as a date"),
    ("next_review_on", "past"): N_("The next review must lie ahead"),
    ("binding_language", "no_text"): N_("There is no text in the binding language; write it, or choose another"),
}
_TEXT_TOO_LONG = N_("The text is too long; at most 256 KiB, and nobody reads that much")
_TEXT_CHARACTERS = N_(
    "Characters that can’t be used have been taken out of the text. Read it through, and save once more"
)
_CHARACTERS = N_("There are characters here that can’t be used")


@dataclass(frozen=True)
class Typed:
    """What stands in the form: by field, each text under `text_LANGUAGE`."""

    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]


def typed(draft: Draft, languages: Sequence[str]) -> Typed:
    """The form of a draft that stands."""
    return Typed(
        {
            "label": draft.label,
            "adopting_body": draft.adopting_body,
            "case_number": draft.case_number,
            "binding_language": draft.binding_language,
            "adopted_on": draft.adopted_on.isoformat() if draft.adopted_on is not None else "",
            "next_review_on": draft.next_review_on.isoformat() if draft.next_review_on is not None else "",
            **{f"text_{language}": draft.texts.get(language, "") for language in languages},
        }
    )


def read(form: Form, languages: Sequence[str]) -> tuple[Draft, Typed, dict[str, str]]:
    """The draft that was posted, the form as it is shown again, and problems in words by field. With any, it can't be
    kept as it is.
    """
    lines: dict[str, str] = {}
    days: dict[str, date | None] = {}
    problems: dict[str, str] = {}
    for name, most in LINES.items():
        lines[name], problem = clean_line(form.get(name), most)
        if problem is not None:
            problems[name] = words(name, problem)
    for name in DATES:
        days[name], is_date = _day(form.get(name).strip())
        if not is_date:
            problems[name] = words(name, "date")
    texts = {language: unify(form.get(f"text_{language}")) for language in languages}
    problems |= {name: words(name, problem) for name, problem in text_problems(texts).items()}
    chosen = form.get("binding_language")
    draft = Draft(
        texts,
        lines["label"],
        chosen if chosen in languages else languages[0],
        lines["adopting_body"],
        days["adopted_on"],
        lines["case_number"],
        days["next_review_on"],
    )
    shown = dict(typed(draft, languages).fields)
    shown |= {name: _UNSHOWN.sub("", shown[name]) for name in shown if name.startswith("text_")}
    shown |= {name: _UNSHOWN.sub("", form.get(name))[:40] for name in DATES if name in problems}
    return draft, Typed(shown), problems


def words(field: str, problem: str) -> str:
    """A problem as it is said, in English: the text that the catalogues translate."""
    if field.startswith("text_"):
        return _TEXT_TOO_LONG if problem == "too_long" else _TEXT_CHARACTERS
    return _CHARACTERS if problem == "characters" else _SAID[field, problem]


def _day(text: str) -> tuple[date | None, bool]:
    """The day, None for an empty field; and whether the field can be kept."""
    if not text:
        return None, True
    try:
        return (date.fromisoformat(text), True) if _DATE.fullmatch(text) else (None, False)
    except ValueError:
        return None, False
