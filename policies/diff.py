"""What changes between two policies, one change at a time; `policies.diff_words` says each in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.categories import CATEGORIES
from policies.model import Exemption, Group, Policy, Schedule


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `kind` is a key of `policies.diff_words.SENTENCES`; `group` is "" for what concerns everybody;
    `values` fill the sentence: texts as they are, a `Schedule`, an `Exemption`, or a category's key under `category`.
    """

    kind: str
    group: str
    values: Mapping[str, object]


_NO_GROUP = Group("", 0, frozenset(), frozenset(), frozenset())


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Every change from `before` to `after`, in the order of groups, and of categories in the taxonomy."""
    return tuple(_changes(before, after))


def _changes(before: Policy, after: Policy) -> Iterator[Change]:
    if before.block_answer != after.block_answer:
        yield Change("block_answer", "", {"before": before.block_answer, "after": after.block_answer})
    if before.zone_key != after.zone_key:
        yield Change("time_zone", "", {"before": before.zone_key, "after": after.zone_key})
    if before.quarantine_private_suffixes != after.quarantine_private_suffixes:
        yield Change("private_suffixes_on" if after.quarantine_private_suffixes else "private_suffixes_off", "", {})
    for category in CATEGORIES:
        if (category in before.host_categories) != (category in after.host_categories):
            added = category in after.host_categories
            yield Change("host_category_added" if added else "host_category_removed", "", {"category": category})
    for kind, old, new in (
        ("own_zone", before.own_zones, after.own_zones),
        ("never_blocked", before.never_blocked, after.never_blocked),
    ):
        yield from (Change(f"{kind}_added", "", {"name": name}) for name in sorted(new - old))
        yield from (Change(f"{kind}_removed", "", {"name": name}) for name in sorted(old - new))
    for key in sorted(before.groups.keys() | after.groups.keys()):
        yield from _group_changes(key, before.groups.get(key), after.groups.get(key))
    yield from exemption_changes(before.exemptions, after.exemptions)
    for kind, missing, present in (
        ("overrule_added", before.overrules, after.overrules),
        ("overrule_removed", after.overrules, before.overrules),
    ):
        for name, source in present:
            if (name, source) not in missing:
                yield Change(f"{kind}_from" if source else kind, "", {"name": name, "source": source or ""})


def _group_changes(key: str, before: Group | None, after: Group | None) -> Iterator[Change]:
    if after is None:
        yield Change("group_removed", key, {})
        return
    if before is None:
        yield Change("group_added", key, {"mark": after.mark})
        before = _NO_GROUP
    elif before.mark != after.mark:
        yield Change("mark", key, {"before": before.mark, "after": after.mark})
    if before.titles != after.titles:
        yield Change("titles", key, {"after": " / ".join(dict.fromkeys(after.titles.values())) or key})
    if before.like != after.like:
        yield Change("like" if after.like else "like_ended", key, {"other": after.like or before.like})
    if after.like:
        return  # what changes for it is told of the other
    for category in CATEGORIES:
        if (category in before.closed) != (category in after.closed):
            yield Change("closed" if category in after.closed else "opened", key, {"category": category})
        if (category in before.report) != (category in after.report):
            yield Change("report_on" if category in after.report else "report_off", key, {"category": category})
    yield from _schedule_changes(key, before, after)
    for kind, old, new in (
        ("permit", before.permit, after.permit),
        ("forbid", before.forbid, after.forbid),
        ("safe_search", before.safe_search, after.safe_search),
    ):
        yield from (Change(f"{kind}_added", key, {"name": name}) for name in sorted(new - old))
        yield from (Change(f"{kind}_removed", key, {"name": name}) for name in sorted(old - new))
    yield from _judge_changes(key, before, after)
    if before.top_names != after.top_names:
        yield Change("top_names_on" if after.top_names else "top_names_off", key, {})


def _schedule_changes(key: str, before: Group, after: Group) -> Iterator[Change]:
    for schedule in after.schedules:
        if schedule not in before.schedules:
            kind = "schedule_close" if schedule.effect == "close" else "schedule_open"
            yield from (Change(kind, key, {"category": each, "hours": schedule}) for each in _ordered(schedule))
    for schedule in before.schedules:
        if schedule not in after.schedules:
            kind = "schedule_close_ended" if schedule.effect == "close" else "schedule_open_ended"
            yield from (Change(kind, key, {"category": each, "hours": schedule}) for each in _ordered(schedule))


def _judge_changes(key: str, before: Group, after: Group) -> Iterator[Change]:
    for category in CATEGORIES:
        if before.judge.get(category) != after.judge.get(category):
            if category in after.judge:
                yield Change("judge_on", key, {"category": category, "percent": f"{after.judge[category] * 100:g}"})
            else:
                yield Change("judge_off", key, {"category": category})


def exemption_changes(before: Iterable[Exemption], after: Iterable[Exemption]) -> Iterator[Change]:
    """One change for each exemption that is added, changed (it shows the new one) or removed, by identity."""
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        found = new.get(key) or old[key]
        kind = "exemption_removed" if key not in new else "exemption_changed" if key in old else "exemption_added"
        yield Change(kind, found.group, {"exemption": found})


def _ordered(schedule: Schedule) -> list[str]:
    return [key for key in CATEGORIES if key in schedule.categories]
