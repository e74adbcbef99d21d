"""`decide` against a slow reading of the same rules that knows nothing of indexes, hashes or suffix walks."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from policies.decide import decide
from policies.explain import explain
from policies.model import Group
from policies.never_blocked import NEVER_BLOCKED
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
names = st.lists(st.sampled_from(["a", "b", "nav", "no", "x"]), min_size=1, max_size=4).map(".".join)
name_sets = st.frozensets(names, max_size=6)
categories = st.sampled_from(["gaming", "dating", "adult", "social_media"])
lists = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three"]), categories, name_sets, name_sets),
    max_size=5,
    unique_by=lambda each: each[:2],
)


def covers(suffix: str, name: str) -> bool:
    return ("." + name).endswith("." + suffix)


def slow(name, group, sources, never):  # type: ignore[no-untyped-def]
    """(permitted, the categories that could have decided). Straight from the text of the rules."""
    if any(covers(each, name) for each in never):
        return True, {None}
    rules = [(len(each), True) for each in group.permit if covers(each, name)]
    rules += [(len(each), False) for each in group.forbid if covers(each, name)]
    if rules:
        return max(rules)[1], {None}
    closed = set()
    for _source, category, entries, exceptions in sources:
        if any(covers(each, name) for each in exceptions):
            continue
        if category in group.closed and any(covers(each, name) for each in entries):
            closed.add(category)
    return (False, closed) if closed else (True, {None})


@st.composite
def cases(draw):  # type: ignore[no-untyped-def]
    permit = draw(name_sets)
    group = Group("default", 1, frozenset(draw(st.sets(categories))), permit, draw(name_sets) - permit)
    return draw(names), group, draw(lists), draw(st.frozensets(names, max_size=2))


def document(group: Group) -> dict[str, object]:
    written = {"mark": 1, "closed": [*group.closed], "permit": [*group.permit], "forbid": [*group.forbid]}
    return {"version": 1, "block_answer": "zero", "groups": {"default": written}}


def decided(name, group, sources, own):  # type: ignore[no-untyped-def]
    compiled = [NamedList(source, category, "", tuple(e), tuple(x)) for source, category, e, x in sources]
    snapshot = open_snapshot(compile_snapshot(document(group), compiled, 1, own))
    opened = snapshot.group("default")
    assert opened == group
    return decide(name, opened, NOW, snapshot)


@given(cases())
def test_decides_as_the_rules_read(case) -> None:  # type: ignore[no-untyped-def]
    name, group, sources, own = case
    decision = decided(name, group, sources, own)
    permitted, possible = slow(name, group, sources, set(NEVER_BLOCKED) | own)
    assert decision.permitted == permitted
    assert decision.category in possible
    assert decision.reasons[0].kind in (
        ("never_blocked", "permitted_by_it", "not_forbidden") if permitted else ("forbidden_by_it", "category_closed")
    )


@given(cases())
def test_each_change_that_is_offered_turns_the_decision_round(case) -> None:  # type: ignore[no-untyped-def]
    name, group, sources, own = case
    decision = decided(name, group, sources, own)
    for change in explain(decision)["changes"]:
        permit, forbid, closed = group.permit, group.forbid, group.closed
        if change["action"] == "permit_name":
            assert change["replaces_rule"] == (name in forbid)
            permit, forbid = permit | {name}, forbid - {name}
        elif change["action"] == "forbid_name":
            assert change["replaces_rule"] == (name in permit)
            permit, forbid = permit - {name}, forbid | {name}
        elif change["action"] == "open_categories":
            closed = closed - set(change["categories"])
        else:
            closed = closed | set(change["categories"][:1])
        changed = Group("default", 1, closed, permit, forbid)
        assert decided(name, changed, sources, own).permitted != decision.permitted
