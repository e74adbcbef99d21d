"""Documents of every shape: TOML and back is the same, `diff` sees each difference, lines are those of the value."""

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from policies.categories import CATEGORIES
from policies.diff import changes
from policies.diff_words import SENTENCES, in_words
from policies.document import DocumentError, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.model import DAYS
from policies.safe_search import PROVIDERS
from policies.toml_lines import lines_of

keys = st.sampled_from([*CATEGORIES])
names = st.sampled_from(["a.no", "b.no", "møte.no", "x.a.no", "kommune.no", "ringebu.no"])
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() and text.isprintable()
)
hours = st.sampled_from(["00:00", "08:00", "16:30", "23:59"])
schedule = st.fixed_dictionaries(
    {
        "categories": st.sets(keys, min_size=1, max_size=3).map(sorted),
        "days": st.sets(st.sampled_from(DAYS), min_size=1).map(sorted),
        "from": hours,
        "to": hours,
        "effect": st.sampled_from(["close", "open"]),
    }
)
group = st.fixed_dictionaries(
    {"closed": st.sets(keys).map(sorted)},
    optional={
        "names": st.dictionaries(st.sampled_from(["nb", "nn", "en"]), texts),
        "permit": st.sets(names).map(sorted),
        "forbid": st.sets(names).map(sorted),
        "schedules": st.lists(schedule, max_size=3),
        "safe_search": st.sets(st.sampled_from([*PROVIDERS])).map(sorted),
        "judge": st.dictionaries(keys, st.floats(0.5, 1)),
        "top_names": st.booleans(),
    },
)
exemption = st.fixed_dictionaries(
    {
        "group": st.sampled_from(["default", "course"]),
        "categories": st.sets(keys, min_size=1, max_size=2).map(sorted),
        "from": st.datetimes().map(
            lambda moment: moment.replace(microsecond=0, year=2026, day=min(moment.day, 28)).isoformat()
        ),
        "until": st.sampled_from(["2027-05-01T00:00:00+02:00", "2028-01-01T12:00:00"]),
        "approved_by": texts,
        "reason": texts,
    }
)


@st.composite
def documents(draw):  # type: ignore[no-untyped-def]
    """Documents as people write them; those with problems of their own are drawn again."""
    written = {
        "version": 2,
        "time_zone": draw(st.sampled_from(["Europe/Oslo", "UTC", "America/New_York"])),
        "block_answer": draw(st.sampled_from(["zero", "nodata"])),
        "groups": {"default": {"mark": 1} | draw(group), "course": {"mark": draw(st.integers(2, 9))} | draw(group)}
        | draw(st.sampled_from([{}, {"course-1": {"mark": 10, "like": "course"}}])),
        "host_categories": draw(st.sampled_from([[], ["gaming"], ["gaming", "streaming"]])),
        "exemptions": [{"id": f"e{n}"} | each for n, each in enumerate(draw(st.lists(exemption, max_size=2)))],
        "never_blocked": sorted(draw(st.sets(names, max_size=1))),
        "overrules": draw(st.lists(st.builds(lambda name: {"name": name, "source": "s"}, names), max_size=1)),
        "quarantine_private_suffixes": draw(st.booleans()),
    }
    try:
        return parse_document(written)
    except DocumentError:
        for each in (written["groups"][key] for key in ("default", "course")):  # keep what can't contradict itself
            each |= {"schedules": each.get("schedules", [])[:1], "forbid": [], "safe_search": []}
            each["schedules"] = [one for one in each["schedules"] if one["from"] != one["to"]]
        return parse_document(written | {"exemptions": []})


@given(documents())
def test_toml_and_json_round_trip(policy) -> None:  # type: ignore[no-untyped-def]
    document = write_document(policy)
    text = write_toml(document)
    assert parse_toml(text) == policy
    assert write_document(parse_document(json.loads(json.dumps(document)))) == document
    assert write_toml(write_document(parse_toml(text))) == text


@given(documents(), documents())
def test_the_difference_is_empty_only_where_nothing_differs(before, after) -> None:  # type: ignore[no-untyped-def]
    found = changes(before, after)
    assert bool(found) == (before != after)
    assert changes(before, before) == ()
    for change in found:
        for language in ("nb", "nn", "en"):
            said = in_words(change, language, after.zone)
            assert said
            assert "{" not in SENTENCES[change.kind][0] or change.group in said


@given(documents())
def test_every_value_has_the_line_that_it_stands_on(policy) -> None:  # type: ignore[no-untyped-def]
    text = write_toml(write_document(policy))
    rows, lines = text.split("\n"), lines_of(text)

    def walk(value, path):  # type: ignore[no-untyped-def]
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            assert (*path, key) in lines
            walk(inner, (*path, key))
        if isinstance(value, str) and value.isascii() and '"' not in value and "\\" not in value:
            assert value in rows[lines[path] - 1]

    walk(tomllib.loads(text), ())
