"""A draft of the rules: what it begins as, and what it still needs before it can be put in force. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Literal

TEXT_MAX_BYTES = 256 * 1024
FURTHEST = timedelta(days=731)
LABEL_MAX_CHARS, BODY_MAX_CHARS, CASE_MAX_CHARS = 80, 200, 80
Problem = Literal["missing", "taken", "future", "past", "too_long", "characters", "no_text"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is published, once it is: texts (language → Markdown), what the version is called, and who decided it."""

    texts: Mapping[str, str]
    label: str
    binding_language: str
    adopting_body: str = ""
    adopted_on: date | None = None
    case_number: str = ""
    next_review_on: date | None = None

    @property
    def written(self) -> dict[str, str]:
        """The texts that say something, with LF line ends: the languages that guests can read the rules in."""
        unified = {language: unify(text) for language, text in self.texts.items()}
        return {language: text for language, text in unified.items() if text.strip()}


def unify(text: str) -> str:
    """The text with LF line ends, as it is hashed; browsers send CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def begin(
    texts: Mapping[str, str], languages: Sequence[str], label: str, *, binding: str = "", adopting_body: str = ""
) -> Draft:
    """A draft that begins with the texts in force, or with the starter rules, in the languages that guests can choose.

    Who adopts the rules stays; when they did, in which case, and when to look again belong to each version alone.
    """
    possible = [language for language in languages if language in texts]
    return Draft(
        {language: texts.get(language, "") for language in languages},
        label,
        binding if binding in languages else (possible or list(languages))[0],
        adopting_body,
    )


def suggested_label(taken: Collection[str], group_key: str, year: int) -> str:
    """What a new version may be called: the first of `2026-1`, `2026-2`, … that is free; a group's `library-2026-1`."""
    start = f"{group_key}-{year}" if group_key else f"{year}"
    return next(label for number in count(1) if (label := f"{start}-{number}") not in taken)


def hindrances(
    draft: Draft, taken: Collection[str], today: date, in_force_on: date | None = None
) -> dict[str, Problem]:
    """What hinders publishing, by field (`text_nb` is the bokmål text); {} when the draft is ready.

    `today` is the day in Norway. Rules that are published have been adopted, so the day of it can't lie ahead. Of a
    version that is in force later, on a day of its own, the next review comes after that.
    """
    found: dict[str, Problem] = {}
    if not draft.label:
        found["label"] = "missing"
    elif draft.label in taken:
        found["label"] = "taken"
    elif len(draft.label) > LABEL_MAX_CHARS:
        found["label"] = "too_long"
    if draft.adopted_on is not None and draft.adopted_on > today:
        found["adopted_on"] = "future"
    if draft.next_review_on is not None and draft.next_review_on <= (in_force_on or today):
        found["next_review_on"] = "past"
    if draft.binding_language not in draft.written:
        found["binding_language"] = "no_text"
    return found | text_problems(draft.texts)


def begin_problem(moment: datetime, now: datetime) -> Literal["past", "far"] | None:
    """What is wrong with a later moment to be in force from; nobody means one that is years away."""
    if moment <= now:
        return "past"
    return "far" if moment > now + FURTHEST else None


def text_problems(texts: Mapping[str, str]) -> dict[str, Problem]:
    """The texts that can't even be kept: longer than a text may be, or with control characters in them."""
    found: dict[str, Problem] = {}
    for language, text in texts.items():
        if any((character < " " and character not in "\n\r\t") or character == "\x7f" for character in text):
            found[f"text_{language}"] = "characters"
        elif len(unify(text).encode()) > TEXT_MAX_BYTES:
            found[f"text_{language}"] = "too_long"
    return found
