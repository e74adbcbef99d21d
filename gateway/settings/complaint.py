"""What is wrong with a setting, in our own words: which one it is, how to write it, and where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

KINDS = ("directory", "https", "email", "witness")
"""The kinds of audit.targets: pydantic names the kind after the number of the entry, where no key stands in TOML."""

_HOW: Mapping[str, str] = {
    "missing": "this has to be set",
    "union_tag_not_found": "set kind to {of_kinds}",
    "union_tag_invalid": "set kind to {expected_tags}",
    "extra_forbidden": "no such setting; check the spelling",
    "string_type": "write text in quotes",
    "string_too_long": "write at most {max_length} characters",
    "too_short": "write at least {min_length}",
    "path_type": "write a path in quotes",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "finite_number": "write a number",
    "float_parsing": "write a number",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "less_than": "write less than {lt}",
    "literal_error": "write {expected}",
    "dict_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
    "ip_any_address": "write a numeric address, as in 192.0.2.53 or 2001:db8::53",
}
"""pydantic's types of errors, to how the setting is written; in braces what pydantic knows of its bounds."""


def complaint(error: ErrorDetails, path: Path | None, environment: Mapping[tuple[str, ...], str]) -> str:
    """One line for one of pydantic's errors. `environment` holds the levels of each key that a variable gives."""
    levels = tuple(str(part) for part in error["loc"])
    variables = [name for given, name in environment.items() if levels[: len(given)] == given]
    where = variables[0] if variables else path or "the environment"
    return f"setting {_key(error['loc'])}: {_how(error)} (in {where})"


def no_json(levels: Iterable[str], variable: str) -> str:
    """One line for a list or table that a variable does not give as JSON."""
    return (
        f"setting {_key(levels)}: in the environment lists and tables are JSON, as in "
        f"""GJESTENETT_DNS__UPSTREAMS='["192.0.2.53"]' (in {variable})"""
    )


def _key(levels: Iterable[int | str]) -> str:
    """As it would be written in TOML: keys with dots in quotes, and which entry of a list."""
    text = ""
    before: int | str = ""
    for level in levels:
        of_kind, before = isinstance(before, int) and level in KINDS, level
        if level == "[key]" or of_kind:  # the level before it is the key
            continue
        if isinstance(level, int):
            text += f", entry {level + 1}"
        else:
            text += "." * bool(text) + (level if _BARE_KEY.fullmatch(level) else json.dumps(level, ensure_ascii=False))
    return text


def _how(error: ErrorDetails) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in ("tuple_type", "list_type"):
        return f"write a list: {_as_list(given)}"
    if kind == "ip_any_network":
        return f"write a network, as in {_network_near(given) or '10.0.0.0/8'}"
    how = _HOW.get(kind)
    return how.format(of_kinds=" or ".join(KINDS), **context) if how is not None else error["msg"]


def _as_list(given: Any) -> str:
    return json.dumps([given], ensure_ascii=False) if isinstance(given, str) and len(given) < 100 else '["…", "…"]'


def _network_near(given: Any) -> str | None:
    try:
        return str(ip_network(given, strict=False)) if isinstance(given, str) else None
    except ValueError:
        return None
