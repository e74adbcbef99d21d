"""The policy document as TOML text: one form for review in git, and problems with the line they stand on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from policies.categories import CATEGORIES
from policies.document import parse_document
from policies.document_problems import DocumentError, Problem
from policies.model import Policy
from policies.toml_lines import line_of, lines_of

MAX_CHARS = 4_000_000
YEARS = range(1970, 9999)
"""Years in which a moment can be told in every time zone."""
_LONG = re.compile(r"[0-9A-Fa-f_]{3000,}")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_HEAD = """\
# The policy of this installation. Check it with: gjestenett policy import FILE --check
# Order and spelling are always the same, so that a change shows as a change. Times of day are local time.
"""


def parse_toml(text: str) -> Policy:
    """Read a policy document from TOML text.

    Raises: DocumentError with every problem, each with its line.
    """
    if len(text) > MAX_CHARS:
        raise DocumentError([Problem((), f"longer than {MAX_CHARS} characters: no policy is", 1)])
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        match = _LINE.search(str(problem))
        line = int(match[1]) if match else text.count("\n") + 1
        raise DocumentError([Problem((), f"not TOML: {_LINE.sub('', str(problem)).strip()}", line)]) from None
    except RecursionError:
        raise DocumentError([Problem((), "not TOML: nested too deeply", 1)]) from None
    except ValueError:
        raise _too_long(text) from None
    try:
        policy = parse_document(document)
        _check_years(policy, document)
        return policy
    except DocumentError as error:
        lines = lines_of(text)
        found = [Problem(each.path, each.text, line_of(lines, each.path)) for each in error.found]
        raise DocumentError(sorted(found, key=lambda each: each.line or 0)) from None
    except ValueError:
        raise _too_long(text) from None


def _too_long(text: str) -> DocumentError:
    """The interpreter neither reads nor writes numbers of thousands of digits."""
    found = _LONG.search(text)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return DocumentError([Problem((), "not TOML: a number has too many digits", line)])


def _check_years(policy: Policy, document: Mapping[str, Any]) -> None:
    by_id = {each.id: each for each in policy.exemptions}
    found = [
        Problem(
            ("exemptions", number, key),
            f"exemptions[{number + 1}].{key}: {item[key]} is not in a year from {YEARS[0]} to {YEARS[-1]}",
        )
        for number, item in enumerate(document.get("exemptions", []))
        for key, moment in (("from", by_id[item["id"]].start), ("until", by_id[item["id"]].end))
        if moment.year not in YEARS
    ]
    if found:
        raise DocumentError(found)


def write_toml(document: Mapping[str, Any]) -> str:
    """A canonical document (`policies.document.write_document`) as TOML text; `parse_toml` reads it back the same."""
    parts = [_HEAD]
    parts.append(f"version = {document['version']}\n")
    parts.append(f"block_answer = {_text(document['block_answer'])}\n")
    parts.append(f"time_zone = {_text(document['time_zone'])}\n")
    parts.append(f"own_zones = {_list(document['own_zones'])}\n")
    parts.append(f"never_blocked = {_list(document['never_blocked'])}\n")
    parts.append(f"quarantine_private_suffixes = {str(document['quarantine_private_suffixes']).lower()}\n")
    parts.append(f"host_categories = {_categories(document['host_categories'])}\n")
    for key, group in document["groups"].items():
        parts.append(f"\n[groups.{key}]\nmark = {group['mark']}\n")
        if group["names"]:
            names = ", ".join(f"{language} = {_text(text)}" for language, text in group["names"].items())
            parts.append(f"names = {{ {names} }}\n")
        if "like" in group:
            parts.append(f"like = {_text(group['like'])}\n")
            continue
        parts.append(f"closed = {_categories(group['closed'])}\n")
        parts.append(f"permit = {_list(group['permit'])}\nforbid = {_list(group['forbid'])}\n")
        parts.append(f"safe_search = {_list(group['safe_search'])}\n")
        if group["judge"]:
            judge = ", ".join(f"{category} = {threshold!r}" for category, threshold in group["judge"].items())
            parts.append(f"judge = {{ {judge} }}\n")
        if group["top_names"]:
            parts.append("top_names = true\n")
        if group["report"]:
            parts.append(f"report = {_categories(group['report'])}\n")
        for schedule in group["schedules"]:
            parts.append(f"\n[[groups.{key}.schedules]]\n{_rows(schedule)}")
    for exemption in document["exemptions"]:
        parts.append(f"\n[[exemptions]]\n{_rows(exemption, bare=('from', 'until'))}")
    for overrule in document["overrules"]:
        parts.append(f"\n[[overrules]]\n{_rows(overrule)}")
    return "".join(parts)


def _rows(table: Mapping[str, Any], bare: tuple[str, ...] = ()) -> str:
    rows = []
    for key, value in table.items():
        written = value if key in bare else _text(value) if isinstance(value, str) else _short(value)
        rows.append(f"{key} = {written}\n")
    return "".join(rows)


def _categories(keys: list[str]) -> str:
    """One a line, with what people call it, so that a reviewer needs no table beside."""
    if not keys:
        return "[]"
    width = max(len(key) for key in keys) + 3
    lines = (f"    {_text(key) + ',':<{width}}  # {CATEGORIES[key].names['nb']}\n" for key in keys)
    return "[\n" + "".join(lines) + "]"


def _list(items: list[str]) -> str:
    return "[\n" + "".join(f"    {_text(item)},\n" for item in items) + "]" if items else "[]"


def _short(items: list[str]) -> str:
    return "[" + ", ".join(_text(item) for item in items) + "]"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'
