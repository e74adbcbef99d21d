"""What a guest typed, as an applicant or as the errors to show: pure.

Names come in every script, so what is refused is only what no name, company or telephone number has: control
characters, angle brackets, and what is no text at all. Invisible direction marks, which could make one value look like
another, are taken out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from gateway.access.accept import Applicant
from gateway.settings import Asked, FormField

Field = FormField
Problem = Literal["missing", "too_long", "characters"]

MAX_CHARS: Mapping[Field, int] = {"name": 120, "organisation": 120, "contact": 120, "course_code": 40}
MAX_FIELDS = 20
_JOINERS = "\u200c\u200d"  # these two are part of how some languages are spelt
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_REFUSED_CHARACTERS = frozenset("<>\ufffd\ufffe\uffff")


@dataclass(frozen=True)
class Rejected:
    """What is wrong with each field, in the order of the form, and what was typed, fit to be shown again."""

    problems: Mapping[Field, Problem]


def decode_form(body: bytes) -> dict[str, str] | None:
    """The fields of an `application/x-www-form-urlencoded` body, the first of each name; None when it is no form."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="replace", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def read_applicant(fields: Mapping[str, str], asked: Mapping[Field, Asked]) -> Applicant | Rejected:
    """Check every field that is asked for. What is not asked for is dropped, whoever sent it."""
    values: dict[Field, str] = {}
    problems: dict[Field, Problem] = {}
    for name, need in asked.items():
        if need == "no":
            continue
        value = normalise(fields.get(name, ""))
        problem = _problem(value, name, need)
        if problem is not None:
            problems[name] = problem
        values[name] = value
    if problems:
        return Rejected(problems)
    return Applicant(
        name=values.get("name", ""),
        organisation=values.get("organisation", ""),
        contact=values.get("contact", ""),
        course_code=values.get("course_code", ""),
    )


def normalise(text: str) -> str:
    """NFC, without invisible format characters, spaces run together and trimmed."""
    kept = "".join(character for character in text if character in _JOINERS or unicodedata.category(character) != "Cf")
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in kept)
    return unicodedata.normalize("NFC", " ".join(part for part in spaced.split(" ") if part))


def shown_again(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to put back into the form: without what HTML can't carry (control characters)."""
    return {
        name: "".join(character for character in value if unicodedata.category(character) not in ("Cc", "Cs"))
        for name, value in fields.items()
    }


def _problem(value: str, name: Field, need: Asked) -> Problem | None:
    if any(
        unicodedata.category(character) in _REFUSED_CATEGORIES or character in _REFUSED_CHARACTERS
        for character in value
    ):
        return "characters"
    if len(value) > MAX_CHARS[name]:
        return "too_long"
    if not any(unicodedata.category(character)[0] in "LN" for character in value):
        return "missing" if need == "required" or value else None
    return None
