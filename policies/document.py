"""The policy document, plain data as IT writes it, checked as a whole and read into a `Policy`.

{"version": 2, "block_answer": "zero", "time_zone": "Europe/Oslo",
 "groups": {"course": {"mark": 2, "names": {"nb": "Kurs"}, "closed": ["adult"], "permit": ["name"], "forbid": ["name"],
   "schedules": [{"categories": ["dating"], "days": ["mon"], "from": "08:00", "to": "16:00", "effect": "close"}],
   "safe_search": ["google", "youtube_strict"], "judge": {"gambling": 0.97}, "top_names": false,
   "report": ["streaming"]},
  "course-1": {"mark": 3, "like": "course"}},
 "exemptions": [{"id": "e1", "group": "course", "categories": ["gaming"], "from": "2026-12-01T08:00:00+01:00",
   "until": "2026-12-01T16:00:00+01:00", "approved_by": "Kari Nordmann", "reason": "a course in game design"}],
 "never_blocked": ["name"], "own_zones": ["name"], "overrules": [{"name": "name", "source": "list"}],
 "quarantine_private_suffixes": false, "host_categories": ["gaming"]}

Needed are version, groups with a group `default` of mark 1, and of each group mark and closed. A group that is `like`
another one has that one's rules: its canonical form repeats them, and what it says of its own is not read. Version 1,
which had block_answer and groups of mark, closed, permit and forbid only, is read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from policies.categories import CATEGORIES, CLOSED_BY_DEFAULT
from policies.document_parts import Reader, Table, read_exemption, read_schedules, read_zone, write_moment
from policies.document_problems import DocumentError, Path, Problem
from policies.model import BLOCK_ANSWERS, NEVER_BY_HOSTS, BlockAnswer, Exemption, Group, Policy
from policies.safe_search import ONE_OF, PROVIDERS
from policies.schedule import write_days, write_minute

__all__ = [
    "DEFAULT_GROUP",
    "VERSION",
    "DocumentError",
    "Problem",
    "default_document",
    "parse_document",
    "write_document",
]

VERSION = 2
DEFAULT_GROUP = "default"
DEFAULT_MARK = 1
MAX_MARK = 0xFFFF
DEFAULT_ZONE = "Europe/Oslo"
LANGUAGES = ("nb", "nn", "en")
MIN_THRESHOLD = 0.5
_GROUP_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TOP = frozenset(
    (
        "block_answer",
        "time_zone",
        "exemptions",
        "never_blocked",
        "own_zones",
        "overrules",
        "quarantine_private_suffixes",
        "host_categories",
    )
)
_IN_GROUP = frozenset(("names", "permit", "forbid", "schedules", "safe_search", "judge", "top_names", "report"))


def default_document() -> dict[str, Any]:
    """The document of a fresh installation: one group, with the categories closed that are closed by
    default.
    """
    closed = [key for key in CATEGORIES if key in CLOSED_BY_DEFAULT]
    group = {"mark": DEFAULT_MARK, "closed": closed}
    return write_document(parse_document({"version": VERSION, "groups": {DEFAULT_GROUP: group}}))


def new_group(mark: int, closed: frozenset[str] | None = None) -> dict[str, Any]:
    """A group as it stands in a document, with the default categories closed unless others are given."""
    return {"mark": mark, "closed": sorted(CLOSED_BY_DEFAULT if closed is None else closed), "permit": [], "forbid": []}


def parse_document(document: object) -> Policy:
    """Check a policy document (as read from JSON or TOML) and read it. Names may be written as in
    `policies.names.listable`.

    Raises: DocumentError with every problem: unknown or missing keys, unknown category, bad or repeated
        name, a name both permitted and forbidden in one group, schedules of one category that overlap, an unknown
        time zone, an exemption that ends before it begins or lifts malware or phishing, a category for hosts that
        they never open, a mark used twice or out of range, a group like one that is not there or is like another one
        itself, no group `default` with mark 1.
    """
    read = Reader()
    version = document.get("version") if isinstance(document, Mapping) else VERSION
    if version == 1 and not isinstance(version, bool):
        top = read.table(document, (), {"version", "block_answer", "groups"})
    else:
        top = read.table(document, (), {"version", "groups"}, _TOP)
        if "version" in top and (top["version"] != VERSION or isinstance(top["version"], bool)):
            read.problem(("version",), f"{top['version']!r} is not known, write {VERSION}")
    if "block_answer" in top and top["block_answer"] not in BLOCK_ANSWERS:
        read.problem(("block_answer",), f"{top['block_answer']!r} is not one of {', '.join(BLOCK_ANSWERS)}")
    zone_key, zone = read_zone(read, top.get("time_zone", DEFAULT_ZONE))
    groups: dict[str, Group] = {}
    written = read.mapping(top.get("groups", {}), ("groups",), "groups by key")
    for key, value in written.items():
        group = _group(read, key, value, old=version == 1)
        if group is not None:
            groups[group.key] = group
    _follow(read, groups)
    _check_marks(read, groups)
    if "groups" in top and DEFAULT_GROUP not in written:
        read.problem(("groups",), f"there must be a group {DEFAULT_GROUP!r}")
    never = read.names(top.get("never_blocked", []), ("never_blocked",))
    own = read.names(top.get("own_zones", []), ("own_zones",))
    _check_forbidden(read, groups, {"never_blocked": never, "own_zones": own})
    exemptions: dict[str, Exemption] = {}
    for number, item in enumerate(read.items(top.get("exemptions", []), ("exemptions",))):
        found = read_exemption(read, item, ("exemptions", number), zone, written.keys())
        if found.id and found.id in exemptions:
            read.problem(("exemptions", number, "id"), f"{found.id!r} is already the id of another exemption")
        exemptions[found.id] = found
    overrules = _overrules(read, top)
    private = _truth(read, top.get("quarantine_private_suffixes", False), ("quarantine_private_suffixes",))
    for_hosts = read.categories(top.get("host_categories", []), ("host_categories",))
    for category in sorted(for_hosts & NEVER_BY_HOSTS):
        read.problem(("host_categories",), f"{category} is never opened by a host")
    read.finish()
    return Policy(
        cast(BlockAnswer, top.get("block_answer", BLOCK_ANSWERS[0])),
        MappingProxyType(dict(sorted(groups.items()))),
        zone_key,
        zone,
        tuple(sorted(exemptions.values(), key=lambda each: (each.start, each.id))),
        never,
        own,
        overrules,
        private,
        for_hosts,
    )


def write_document(policy: Policy) -> dict[str, Any]:
    """The policy as a document in its one canonical form, version 2: groups, categories and names sorted, names in
    normal form, moments with the offset of the policy's time zone.
    """
    return {
        "version": VERSION,
        "block_answer": policy.block_answer,
        "time_zone": policy.zone_key,
        "own_zones": sorted(policy.own_zones),
        "never_blocked": sorted(policy.never_blocked),
        "quarantine_private_suffixes": policy.quarantine_private_suffixes,
        "host_categories": sorted(policy.host_categories),
        "groups": {group.key: _write_group(group) for group in policy.groups.values()},
        "exemptions": [
            {
                "id": each.id,
                "group": each.group,
                "categories": sorted(each.categories),
                "from": write_moment(each.start, policy.zone),
                "until": write_moment(each.end, policy.zone),
                "approved_by": each.approved_by,
                "reason": each.reason,
            }
            for each in policy.exemptions
        ],
        "overrules": [
            {"name": name} | ({"source": source} if source is not None else {}) for name, source in policy.overrules
        ],
    }


def _write_group(group: Group) -> dict[str, Any]:
    return {
        "mark": group.mark,
        "names": {language: group.titles[language] for language in LANGUAGES if language in group.titles},
        "closed": sorted(group.closed),
        "permit": sorted(group.permit),
        "forbid": sorted(group.forbid),
        "safe_search": [key for key in PROVIDERS if key in group.safe_search],
        "judge": dict(sorted(group.judge.items())),
        "top_names": group.top_names,
        "report": sorted(group.report),
        "schedules": [
            {
                "categories": sorted(each.categories),
                "days": list(write_days(each.days)),
                "from": write_minute(each.start),
                "to": write_minute(each.end),
                "effect": each.effect,
            }
            for each in group.schedules
        ],
    } | ({"like": group.like} if group.like else {})


def _group(read: Reader, key: object, value: object, *, old: bool) -> Group | None:
    if not isinstance(key, str) or not _GROUP_KEY.fullmatch(key):
        text = f"{key!r} is not a usable key: at most 40 of a-z, 0-9, - and _, a letter first"
        read.problem(("groups",), text, ("groups", str(key)))
        return None
    place: Path = ("groups", key)
    if old:
        table = read.table(value, place, {"mark", "closed", "permit", "forbid"})
    elif isinstance(value, Mapping) and "like" in value:
        table = read.table(value, place, {"mark", "like"}, _IN_GROUP | {"closed"})
    else:
        table = read.table(value, place, {"mark", "closed"}, _IN_GROUP)
    mark = table.get("mark", DEFAULT_MARK)
    if not isinstance(mark, int) or isinstance(mark, bool) or not 1 <= mark <= MAX_MARK:
        read.problem((*place, "mark"), f"{mark!r} is not a whole number from 1 to {MAX_MARK}")
        mark = 0
    if "like" in table:
        like = read.line(table["like"], (*place, "like")) or key
        nothing: frozenset[str] = frozenset()
        return Group(key, mark, nothing, nothing, nothing, titles=_titles(read, table, place), like=like)
    closed = read.categories(table.get("closed", []), (*place, "closed"))
    permit = read.names(table.get("permit", []), (*place, "permit"))
    forbid = read.names(table.get("forbid", []), (*place, "forbid"))
    for name in sorted(permit & forbid):
        at = read.place_of_name(table.get("forbid"), (*place, "forbid"), name)
        read.problem(place, f"{name} is both permitted and forbidden, keep one", at)
    return Group(
        key,
        mark,
        closed,
        permit,
        forbid,
        read_schedules(read, table.get("schedules", []), (*place, "schedules")),
        _safe_search(read, table, place),
        _judge(read, table, place),
        _titles(read, table, place),
        _truth(read, table.get("top_names", False), (*place, "top_names")),
        read.categories(table.get("report", []), (*place, "report")),
    )


def _follow(read: Reader, groups: dict[str, Group]) -> None:
    """Give each group that is like another one the rules of that one, or of the one that it in turn is like."""
    for key, group in groups.items():
        if not group.like:
            continue
        seen, other, place = {key}, groups.get(group.like), ("groups", key, "like")
        while other is not None and other.like and other.key not in seen:
            seen.add(other.key)
            other = groups.get(other.like)
        if group.like not in groups:
            read.problem(place, f"there is no group {group.like!r}")
        elif other is not None and (other.like or key == DEFAULT_GROUP):
            read.problem(place, f"{key!r} can't be like {group.like!r}: one of the two must have rules of its own")
        elif other is not None:  # else the problem is told of the one between
            groups[key] = replace(other, key=key, mark=group.mark, titles=group.titles, like=group.like)


def _truth(read: Reader, value: object, place: Path) -> bool:
    if not isinstance(value, bool):
        read.problem(place, f"{value!r} is neither true nor false")
    return value is True


def _safe_search(read: Reader, table: Table, place: Path) -> frozenset[str]:
    at = (*place, "safe_search")
    chosen = read.keys(table.get("safe_search", []), at, PROVIDERS.keys(), "search engine")
    for rivals in ONE_OF:
        if len(chosen & rivals) > 1:
            read.problem(at, f"{' and '.join(sorted(chosen & rivals))} exclude each other, keep one")
    return chosen


def _judge(read: Reader, table: Table, place: Path) -> Mapping[str, float]:
    at = (*place, "judge")
    found: dict[str, float] = {}
    for category, threshold in read.mapping(table.get("judge", {}), at, "thresholds by category").items():
        if category not in CATEGORIES:
            read.problem(at, f"unknown category {category!r}", (*at, str(category)))
        elif (
            isinstance(threshold, bool)
            or not isinstance(threshold, int | float)
            or not (MIN_THRESHOLD <= threshold <= 1)
        ):
            read.problem((*at, category), f"{threshold!r} is not a number from {MIN_THRESHOLD} to 1")
        else:
            found[category] = float(threshold)
    return MappingProxyType(found)


def _titles(read: Reader, table: Table, place: Path) -> Mapping[str, str]:
    at = (*place, "names")
    found: dict[str, str] = {}
    for language, text in read.mapping(table.get("names", {}), at, "names by language").items():
        if language not in LANGUAGES:
            read.problem(at, f"{language!r} is not one of {', '.join(LANGUAGES)}", (*at, str(language)))
        else:
            found[language] = read.line(text, (*at, language))
    return MappingProxyType(found)


def _overrules(read: Reader, top: Table) -> tuple[tuple[str, str | None], ...]:
    found: set[tuple[str, str | None]] = set()
    for number, item in enumerate(read.items(top.get("overrules", []), ("overrules",))):
        place: Path = ("overrules", number)
        table = read.table(item, place, {"name"}, frozenset({"source"}))
        name = read.name(table.get("name"), (*place, "name")) if "name" in table else ""
        source = read.line(table["source"], (*place, "source")) if "source" in table else None
        if (name, source) in found:
            read.problem(place, f"{name} stands there twice")
        found.add((name, source))
    return tuple(sorted(found, key=lambda each: (each[0], each[1] or "")))


def _check_marks(read: Reader, groups: Mapping[str, Group]) -> None:
    by_mark: dict[int, str] = {}
    for group in groups.values():
        place: Path = ("groups", group.key, "mark")
        if group.mark and group.mark in by_mark:
            read.problem(place, f"{group.mark} is already the mark of {by_mark[group.mark]!r}")
        by_mark.setdefault(group.mark, group.key)
    default = groups.get(DEFAULT_GROUP)
    if default is not None and default.mark not in (0, DEFAULT_MARK):
        read.problem(("groups", DEFAULT_GROUP, "mark"), f"must be {DEFAULT_MARK}")


def _check_forbidden(read: Reader, groups: Mapping[str, Group], open_everywhere: Mapping[str, frozenset[str]]) -> None:
    for group in groups.values():
        for key, names in open_everywhere.items() if not group.like else ():
            for name in sorted(group.forbid & names):
                read.problem(("groups", group.key, "forbid"), f"{name} stands in {key} too, keep one")
