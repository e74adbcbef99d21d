"""`decide` against a slow reading of the same rules that knows nothing of indexes, hashes, suffix walks or minutes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from policies.decide import decide
from policies.document import parse_document
from policies.explain import explain
from policies.model import DAYS, Judged
from policies.never_blocked import NEVER_BLOCKED
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

OSLO = ZoneInfo("Europe/Oslo")
KINDS = ["gaming", "dating", "malware", "social_media"]
names = st.lists(st.sampled_from(["a", "b", "nav", "no", "x"]), min_size=1, max_size=4).map(".".join)
name_sets = st.frozensets(names, max_size=6)
categories = st.sampled_from(KINDS)
some = st.sets(categories, min_size=1, max_size=3).map(sorted)
lists = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three"]), categories, name_sets, name_sets),
    max_size=5,
    unique_by=lambda each: each[:2],
)
# Around both clock changes of 2026, and an ordinary week.
starts = st.sampled_from([datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 28), (10, 24), (11, 20))])
moments = st.builds(lambda day, minutes: day + timedelta(minutes=minutes, seconds=13), starts, st.integers(0, 4320))
hours = st.sampled_from(["00:00", "01:30", "02:00", "02:30", "03:00", "08:00", "16:00", "23:59"])
schedules = st.fixed_dictionaries(
    {
        "categories": some,
        "days": st.sets(st.sampled_from(DAYS), min_size=1, max_size=7).map(sorted),
        "from": hours,
        "to": hours | st.just("24:00"),
        "effect": st.sampled_from(["close", "open"]),
    }
).filter(lambda each: each["from"] != each["to"])
judged = st.lists(
    st.builds(Judged, categories, st.sampled_from([0.4, 0.6, 0.9, 0.99])),
    max_size=3,
    unique_by=lambda each: each.category,
)


def covers(suffix: str, name: str) -> bool:
    return ("." + name).endswith("." + suffix)


def clock(text: str, day: date) -> datetime:
    return datetime.combine(day, time()) + timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def holds(schedule, now):  # type: ignore[no-untyped-def]
    """Whether the clock on the wall is between the two times of a day that is named, today's or yesterday's."""
    wall = now.astimezone(OSLO).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        if DAYS[day.weekday()] in schedule["days"]:
            begin, end = clock(schedule["from"], day), clock(schedule["to"], day)
            if end <= begin:
                end += timedelta(days=1)
            if begin <= wall < end:
                return True
    return False


def slow(name, document, sources, own, now, opinions):  # type: ignore[no-untyped-def]
    """(permitted, the categories that could have decided). Straight from the text of the rules."""
    group = document["groups"]["default"]
    if any(covers(each, name) for each in own | set(NEVER_BLOCKED)):  # 1
        return True, {None}
    rules = [(len(each), True) for each in group["permit"] if covers(each, name)]  # 2
    rules += [(len(each), False) for each in group["forbid"] if covers(each, name)]
    if rules:
        return max(rules)[1], {None}
    closed = set(group["closed"])
    for schedule in group["schedules"]:
        if holds(schedule, now):
            for category in schedule["categories"]:
                closed = closed | {category} if schedule["effect"] == "close" else closed - {category}
    lifted = set()
    for each in document["exemptions"]:
        if datetime.fromisoformat(each["from"]) <= now < datetime.fromisoformat(each["until"]):
            lifted |= set(each["categories"])
    assert "malware" not in lifted
    is_listed, kinds = False, set()
    for _, category, entries, exceptions in sources:
        excepted = any(covers(each, name) for each in exceptions)
        listed = any(covers(each, name) for each in entries)
        is_listed = is_listed or excepted or listed
        if listed and not excepted:
            kinds.add(category)
    if kinds & closed:  # 3 and 4
        left = (kinds & closed) - lifted
        return (False, left) if left else (True, {None})
    if not is_listed:  # 5
        sure = {
            each.category
            for each in opinions
            if each.category in group["judge"] and each.confidence >= group["judge"][each.category]
        }
        left = (sure & closed) - lifted
        if left:
            return False, left
    return True, {None}  # 6


@st.composite
def documents(draw):  # type: ignore[no-untyped-def]
    permit = draw(name_sets)
    used: set[str] = set()
    planned = []
    for schedule in draw(st.lists(schedules, max_size=3)):
        if used.isdisjoint(schedule["categories"]):  # so that none overlap
            used |= set(schedule["categories"])
            planned.append(schedule)
    exemptions = []
    for number in range(draw(st.integers(0, 2))):
        begin = draw(moments)
        exemptions.append(
            {
                "id": f"e{number}",
                "group": "default",
                "categories": sorted(draw(st.sets(categories.filter(lambda key: key != "malware"), min_size=1))),
                "from": begin.isoformat(),
                "until": (begin + timedelta(minutes=draw(st.integers(1, 3000)))).isoformat(),
                "approved_by": "Kari",
                "reason": "kurs",
            }
        )
    group = {
        "mark": 1,
        "closed": sorted(draw(st.sets(categories))),
        "permit": sorted(permit),
        "forbid": sorted(draw(name_sets) - permit),
        "schedules": planned,
        "judge": draw(st.dictionaries(categories, st.sampled_from([0.5, 0.95]), max_size=3)),
    }
    return {"version": 2, "groups": {"default": group}, "exemptions": exemptions}


@st.composite
def cases(draw):  # type: ignore[no-untyped-def]
    own = draw(st.frozensets(names, max_size=2))
    return draw(names), draw(documents()), draw(lists), own, draw(moments), draw(judged)


def opened(document, sources, own):  # type: ignore[no-untyped-def]
    compiled = [NamedList(source, category, "", tuple(e), tuple(x)) for source, category, e, x in sources]
    return open_snapshot(compile_snapshot(document, compiled, 1, own))


def decided(name, document, sources, own, now, opinions):  # type: ignore[no-untyped-def]
    snapshot = opened(document, sources, own)
    group = snapshot.group("default")
    assert group == parse_document(document).groups["default"]
    return decide(name, group, now, snapshot, opinions)


PERMITS = ("never_blocked", "permitted_by_it", "exempted", "not_forbidden")
FORBIDS = ("forbidden_by_it", "category_closed", "judged_closed")


@given(cases())
def test_decides_as_the_rules_read(case) -> None:  # type: ignore[no-untyped-def]
    decision = decided(*case)
    permitted, possible = slow(*case)
    assert decision.permitted == permitted
    assert decision.category in possible
    leading = decision.reasons[0].kind
    assert leading in (PERMITS if permitted else FORBIDS) or (permitted and leading in ("category_open", "judged"))


@given(cases(), st.lists(st.integers(0, 20 * 86400), min_size=1, max_size=12))
def test_a_decision_holds_until_it_says(case, later) -> None:  # type: ignore[no-untyped-def]
    name, document, sources, own, now, opinions = case
    snapshot = opened(document, sources, own)
    group = snapshot.group("default")
    decision = decide(name, group, now, snapshot, opinions)
    ends = decision.valid_until
    assert ends is None or now < ends
    instants = [now + timedelta(seconds=each) for each in later]
    if ends is not None:
        instants += [ends - timedelta(microseconds=1), ends - timedelta(minutes=1)]
    for instant in instants:
        if now <= instant and (ends is None or instant < ends):
            again = decide(name, group, instant, snapshot, opinions)
            assert (again.permitted, again.category) == (decision.permitted, decision.category)
            assert slow(name, document, sources, own, instant, opinions)[0] == decision.permitted


@given(cases())
def test_each_change_that_is_offered_turns_the_decision_round(case) -> None:  # type: ignore[no-untyped-def]
    name, document, sources, own, now, opinions = case
    decision = decided(*case)
    for change in explain(decision)["changes"]:
        group = document["groups"]["default"]
        wanted, kinds = dict(group), set(change.get("categories", []))
        exemptions = document["exemptions"]
        match change["action"]:
            case "permit_name":
                assert change["replaces_rule"] == (name in group["forbid"])
                wanted |= {"permit": {*group["permit"], name}, "forbid": set(group["forbid"]) - {name}}
            case "forbid_name":
                assert change["replaces_rule"] == (name in group["permit"])
                wanted |= {"permit": set(group["permit"]) - {name}, "forbid": {*group["forbid"], name}}
            case "open_categories":
                wanted |= {"closed": set(group["closed"]) - kinds, "schedules": without(group, change["by_schedule"])}
                assert change["by_schedule"] or wanted["closed"] != set(group["closed"])
            case "close_any_category":
                one = {sorted(kinds)[0]}
                wanted |= {"closed": {*group["closed"], *one}, "schedules": without(group, one)}
                exemptions = [each for each in exemptions if one.isdisjoint(each["categories"])]
            case "exempt_categories":
                assert "malware" not in kinds
                exemptions = [*exemptions, exemption(kinds, now)]
            case "end_exemptions":
                exemptions = [each for each in exemptions if kinds.isdisjoint(each["categories"])]
            case "judge_off":
                wanted |= {"judge": {key: value for key, value in group["judge"].items() if key not in kinds}}
        wanted |= {key: sorted(wanted[key]) for key in ("permit", "forbid", "closed")}
        changed = document | {"groups": {"default": wanted}, "exemptions": exemptions}
        assert decided(name, changed, sources, own, now, opinions).permitted != decision.permitted, change


def without(group, kinds):  # type: ignore[no-untyped-def]
    """The schedules of a group with some categories taken out."""
    left = [each | {"categories": sorted(set(each["categories"]) - set(kinds))} for each in group["schedules"]]
    return [each for each in left if each["categories"]]


def exemption(kinds, now):  # type: ignore[no-untyped-def]
    return {
        "id": "new", "group": "default", "categories": sorted(kinds), "from": now.isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(), "approved_by": "Ola", "reason": "kurs",
    }  # fmt: skip
