"""The policy document, plain data as IT writes it, checked as a whole and read into a `Policy`.

{"version": 1, "block_answer": "zero",
 "groups": {"default": {"mark": 1, "closed": ["adult"], "permit": ["name"], "forbid": ["name"]}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

from policies.categories import CATEGORIES, CLOSED_BY_DEFAULT
from policies.model import BLOCK_ANSWERS, BlockAnswer, Group, Policy
from policies.names import NameError_, PolicyError, listable

VERSION = 1
DEFAULT_GROUP = "default"
DEFAULT_MARK = 1
MAX_MARK = 0xFFFF
_GROUP_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class DocumentError(PolicyError):
    """The policy document is not usable. `problems` are all that was found, each with the place it stands
    at.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def default_document() -> dict[str, Any]:
    """The document of a fresh installation: one group, with the categories closed that are closed by
    default.
    """
    closed = [key for key in CATEGORIES if key in CLOSED_BY_DEFAULT]
    group = {"mark": DEFAULT_MARK, "closed": closed, "permit": [], "forbid": []}
    return {"version": VERSION, "block_answer": "zero", "groups": {DEFAULT_GROUP: group}}


def parse_document(document: object) -> Policy:
    """Check a policy document (as read from JSON) and read it. Names may be written as in
    `policies.names.listable`.

    Raises: DocumentError with every problem: unknown or missing keys, unknown category, bad or repeated
        name, a name both permitted and forbidden in one group, a mark used twice or out of range, no group
        `default` with mark 1.
    """
    problems: list[str] = []
    top = _keys(document, {"version", "block_answer", "groups"}, "policy", problems)
    if "version" in top and (top["version"] != VERSION or isinstance(top["version"], bool)):
        problems.append(f"version: {top['version']!r} is not known, write {VERSION}")
    if "block_answer" in top and top["block_answer"] not in BLOCK_ANSWERS:
        problems.append(f"block_answer: {top['block_answer']!r} is not one of {', '.join(BLOCK_ANSWERS)}")
    groups: dict[str, Group] = {}
    written = top.get("groups", {})
    if not isinstance(written, Mapping):
        problems.append("groups: must be a table of groups by key")
        written = {}
    for key, value in written.items():
        group = _group(key, value, problems)
        if group is not None:
            groups[group.key] = group
    _check_marks(groups, problems)
    if "groups" in top and DEFAULT_GROUP not in written:
        problems.append(f"groups: there must be a group {DEFAULT_GROUP!r}")
    if problems:
        raise DocumentError(problems)
    return Policy(cast(BlockAnswer, top["block_answer"]), MappingProxyType(dict(sorted(groups.items()))))


def write_document(policy: Policy) -> dict[str, Any]:
    """The policy as a document in its one canonical form: groups, categories and names sorted, names in
    normal form.
    """
    groups = {
        group.key: {
            "mark": group.mark,
            "closed": sorted(group.closed),
            "permit": sorted(group.permit),
            "forbid": sorted(group.forbid),
        }
        for group in policy.groups.values()
    }
    return {"version": VERSION, "block_answer": policy.block_answer, "groups": groups}


def _keys(value: object, known: set[str], place: str, problems: list[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        problems.append(f"{place}: must be a table with the keys {', '.join(sorted(known))}")
        return {}
    problems += [f"{place}: unknown key {key!r}" for key in value if key not in known]
    problems += [f"{place}: {key!r} is missing" for key in sorted(known) if key not in value]
    return value


def _group(key: object, value: object, problems: list[str]) -> Group | None:
    if not isinstance(key, str) or not _GROUP_KEY.fullmatch(key):
        problems.append(f"groups: {key!r} is not a usable key: at most 40 of a-z, 0-9, - and _, a letter first")
        return None
    place = f"groups.{key}"
    table = _keys(value, {"mark", "closed", "permit", "forbid"}, place, problems)
    mark = table.get("mark", DEFAULT_MARK)
    if not isinstance(mark, int) or isinstance(mark, bool) or not 1 <= mark <= MAX_MARK:
        problems.append(f"{place}.mark: {mark!r} is not a whole number from 1 to {MAX_MARK}")
        mark = 0
    closed = _texts(table.get("closed", []), f"{place}.closed", problems)
    for category in closed:
        if category not in CATEGORIES:
            problems.append(f"{place}.closed: unknown category {category!r}")
    for category in sorted({category for category in closed if closed.count(category) > 1}):
        problems.append(f"{place}.closed: {category!r} stands there twice")
    permit = _names(table.get("permit", []), f"{place}.permit", problems)
    forbid = _names(table.get("forbid", []), f"{place}.forbid", problems)
    problems += [f"{place}: {name} is both permitted and forbidden, keep one" for name in sorted(permit & forbid)]
    return Group(key, mark, frozenset(closed), permit, forbid)


def _texts(value: object, place: str, problems: list[str]) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        problems.append(f"{place}: must be a list of texts")
        return []
    return list(value)


def _names(value: object, place: str, problems: list[str]) -> frozenset[str]:
    names: set[str] = set()
    for text in _texts(value, place, problems):
        try:
            name = listable(text)
        except NameError_ as problem:
            problems.append(f"{place}: {problem}")
            continue
        if name in names:
            problems.append(f"{place}: {name} stands there twice")
        names.add(name)
    return frozenset(names)


def _check_marks(groups: Mapping[str, Group], problems: list[str]) -> None:
    by_mark: dict[int, str] = {}
    for group in groups.values():
        if group.mark and group.mark in by_mark:
            problems.append(f"groups.{group.key}.mark: {group.mark} is already the mark of {by_mark[group.mark]!r}")
        by_mark.setdefault(group.mark, group.key)
    default = groups.get(DEFAULT_GROUP)
    if default is not None and default.mark not in (0, DEFAULT_MARK):
        problems.append(f"groups.{DEFAULT_GROUP}.mark: must be {DEFAULT_MARK}")
