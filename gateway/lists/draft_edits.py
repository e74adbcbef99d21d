"""Single changes to a policy document: groups, names and exemptions. The result is checked when it is saved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gateway.errors import UsageError
from policies import matrix
from policies.document import DEFAULT_GROUP, MAX_MARK, new_group
from policies.model import NEVER_BY_HOSTS
from policies.names import PolicyError, from_person

Document = dict[str, Any]


def with_group(
    document: Mapping[str, Any],
    key: str,
    *,
    like: str | None,
    mark: int | None,
    title: str,
    given: Iterable[int] = (),
) -> tuple[Document, int]:
    """The document with a new group, and its mark: when `mark` is None, the one after all in the document and `given`,
    which are those ever published: devices keep a mark for longer than its group may last. `like`: a copy of that
    group's rules.

    Raises: UsageError when the group exists, there is none to copy, or no mark is left.
    """
    changed = copied(document)
    groups = changed["groups"]
    if key in groups:
        raise UsageError(f"there is a group {key!r} already")
    chosen = mark or _new_mark(_marks(groups) | set(given))
    group = copied(_group(changed, like)) if like is not None else new_group(chosen)
    group.pop("like", None)
    group |= {"mark": chosen, "names": {"nb": title, "nn": title, "en": title} if title else {}}
    groups[key] = group
    return changed, chosen


def without_group(document: Mapping[str, Any], key: str) -> Document:
    """The document without a group and its exemptions. Raises: UsageError for `default` and for one that is not there.

    Devices that still carry its mark come under the rules of `default`, and so do those of groups that are like it,
    unless it is like another one itself, which they are like then.
    """
    changed = copied(document)
    if key == DEFAULT_GROUP:
        raise UsageError("the group default stays: it is for every device that has no other")
    _group(changed, key)
    gone = changed["groups"].pop(key)
    for other in changed["groups"].values():
        if other.get("like") == key:
            other["like"] = gone.get("like") or DEFAULT_GROUP
    changed["exemptions"] = [each for each in changed.get("exemptions", []) if each["group"] != key]
    return changed


def with_name(document: Mapping[str, Any], group_key: str, text: str, rule: str | None) -> tuple[Document, str]:
    """The document with `text` as `permit` or `forbid` in a group, or (None) as neither; and the name that was meant.

    Raises: UsageError.
    """
    changed = copied(document)
    group = _ruled(changed, group_key)
    try:
        name = from_person(text)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    for key in ("permit", "forbid"):
        group[key] = sorted((set(group[key]) - {name}) | ({name} if key == rule else set()))
    return changed, name


def with_safe_search(document: Mapping[str, Any], group_key: str, providers: Iterable[str]) -> Document:
    """The document with exactly these engines' safe search on for a group. Raises: UsageError."""
    changed = copied(document)
    _ruled(changed, group_key)["safe_search"] = sorted(set(providers))
    return changed


def with_top_names(document: Mapping[str, Any], group_key: str, *, on: bool) -> Document:
    """The document with top names of a group kept or not. Raises: UsageError."""
    changed = copied(document)
    _ruled(changed, group_key)["top_names"] = on
    return changed


def with_titles(document: Mapping[str, Any], group_key: str, titles: Mapping[str, str]) -> Document:
    """The document with what people call a group, by language; empty: no name. Raises: UsageError."""
    changed = copied(document)
    _group(changed, group_key)["names"] = {language: text for language, text in titles.items() if text}
    return changed


def with_judge(document: Mapping[str, Any], group_key: str, thresholds: Mapping[str, float]) -> Document:
    """The document with exactly these categories' judged names blocked for a group, from a confidence on.

    Raises: UsageError.
    """
    changed = copied(document)
    _ruled(changed, group_key)["judge"] = dict(thresholds)
    return changed


def with_cells(document: Mapping[str, Any], cells: Mapping[tuple[str, str], matrix.Base]) -> Document:
    """The document with each (group, category) open, closed or reported at every hour. Raises: UsageError."""
    changed = copied(document)
    for (group_key, category), wanted in cells.items():
        matrix.set_state(_ruled(changed, group_key), category, wanted)
    return changed


def with_hours(
    document: Mapping[str, Any],
    group_key: str,
    category: str,
    base: matrix.Base,
    rows: Iterable[Mapping[str, Any]],
) -> Document:
    """The document with exactly these hours for a category and a group, and `base` outside them. Raises: UsageError."""
    changed = copied(document)
    group = _ruled(changed, group_key)
    matrix.set_base(group, category, base)
    matrix.set_hours(group, category, rows)
    return changed


def with_exemption(
    document: Mapping[str, Any],
    group_key: str,
    categories: Iterable[str],
    start: datetime,
    end: datetime,
    *,
    approved_by: str,
    reason: str,
    identity: str = "",
) -> tuple[Document, str]:
    """The document with one more exemption, and its id: `identity`, else the next that is free.

    Raises: UsageError when there is no such group.
    """
    changed = copied(document)
    _group(changed, group_key)
    taken = {each["id"] for each in changed.setdefault("exemptions", [])}
    identity = identity or next(f"e{number}" for number in range(1, len(taken) + 2) if f"e{number}" not in taken)
    changed["exemptions"].append(
        {
            "id": identity,
            "group": group_key,
            "categories": sorted(set(categories)),
            "from": start.isoformat(),
            "until": end.isoformat(),
            "approved_by": approved_by,
            "reason": reason,
        }
    )
    return changed, identity


def without_exemption(document: Mapping[str, Any], identity: str) -> Document:
    """The document without an exemption. Raises: UsageError when there is none of this id."""
    changed = copied(document)
    kept = [each for each in changed.get("exemptions", []) if each["id"] != identity]
    if len(kept) == len(changed.get("exemptions", [])):
        raise UsageError(f"there is no exemption {identity!r}: see gjestenett policy exemptions list")
    changed["exemptions"] = kept
    return changed


def with_overrule(document: Mapping[str, Any], name: str, source: str | None) -> Document:
    """The document with IT's word that a list (None: every list) may close `name`, though it is held back.

    Raises: UsageError when it says so already.
    """
    changed = copied(document)
    standing = changed.get("overrules", [])
    if any(each["name"] == name and each.get("source") in (None, source) for each in standing):
        raise UsageError(f"{name} is overruled already in the draft")
    kept = [each for each in standing if each["name"] != name or source is not None]
    changed["overrules"] = [*kept, {"name": name} | ({} if source is None else {"source": source})]
    return changed


def without_overrule(document: Mapping[str, Any], name: str, source: str | None) -> Document:
    """The document without IT's word on `name` for one list (None: for all). Raises: UsageError when there is none."""
    changed = copied(document)
    standing = changed.get("overrules", [])
    kept = [each for each in standing if each["name"] != name or source not in (None, each.get("source"))]
    if len(kept) == len(standing):
        told = f" for the list {source}" if source is not None else ""
        raise UsageError(f"{name} is not overruled{told} in the draft: see overrules in gjestenett policy export")
    changed["overrules"] = kept
    return changed


def with_host_categories(document: Mapping[str, Any], categories: Iterable[str]) -> Document:
    """The document with exactly these categories for hosts to open. Raises: UsageError for one that they never open."""
    chosen = sorted(set(categories))
    for category in chosen:
        if category in NEVER_BY_HOSTS:
            raise UsageError(f"{category} is never opened by a host")
    return copied(document) | {"host_categories": chosen}


def ruled_groups(document: Mapping[str, Any]) -> list[str]:
    """The keys of the groups that have rules of their own, and so can be given other ones."""
    return [key for key, group in document.get("groups", {}).items() if not group.get("like")]


def copied(document: Mapping[str, Any]) -> Document:
    """A document of its own, which can be changed."""
    copy: Document = json.loads(json.dumps(document))
    return copy


def _group(document: Document, key: str) -> Document:
    group: Document | None = document["groups"].get(key)
    if group is None:
        raise UsageError(f"there is no group {key!r}: see gjestenett policy groups list")
    return group


def _ruled(document: Document, key: str) -> Document:
    """A group with rules of its own. Raises: UsageError."""
    group = _group(document, key)
    if group.get("like"):
        raise UsageError(f"the group {key!r} has the rules of the group {group['like']!r}: change them there")
    return group


def _new_mark(used: set[int]) -> int:
    after = max(used, default=0) + 1
    found = after if after <= MAX_MARK else next((each for each in range(1, MAX_MARK + 1) if each not in used), None)
    if found is None:
        raise UsageError(f"every mark from 1 to {MAX_MARK} is or was a group's: there is none for another group")
    return found


def _marks(groups: Mapping[str, Any]) -> set[int]:
    return {group["mark"] for group in groups.values()}
