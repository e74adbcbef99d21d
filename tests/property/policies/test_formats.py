"""Formats by property: what is rendered reads back, against slow models of each format, and no octets ever raise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.formats import FORMATS, Entry, NotAListError, Options, Rejects, bounded_lines, detect, read_entries

label = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)
names = st.lists(label, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "no"]))
CAN_SAY = {  # which fields each format can express
    "domains": {"action"},
    "hosts": set(),
    "wildcards": {"action", "exact"},
    "adblock": {"action", "exact", "important"},
    "rpz": {"action", "exact"},
    "dnsmasq": {"action"},
    "v2fly": {"exact"},
    "csv": {"category"},
    "stored": {"action", "exact", "important", "category"},
}


def entries_for(key: str) -> st.SearchStrategy[list[Entry]]:
    can = CAN_SAY[key]
    entry = st.builds(
        Entry,
        name=names,
        action=st.sampled_from(["block", "permit"]) if "action" in can else st.just("block"),
        category=st.none() | st.sampled_from(["adult", "malware"]) if "category" in can else st.none(),
        important=st.booleans() if "important" in can else st.just(False),
        exact=st.booleans() if "exact" in can else st.just(False),
    )
    if key == "stored":
        entry = entry.filter(lambda each: not (each.important and each.action == "permit"))
    return st.lists(entry, max_size=20)


@pytest.mark.parametrize("key", FORMATS)
@given(data=st.data())
def test_what_is_rendered_reads_back(key: str, data: st.DataObject) -> None:
    entries = data.draw(entries_for(key))
    rejects = Rejects()
    options = Options(category_column=1) if key == "csv" else Options()
    lines = [f"{line}\n".encode() for line in FORMATS[key].render(entries)]
    assert list(read_entries(key, lines, rejects, options)) == entries
    assert rejects.total == 0


def model(key: str, line: str) -> tuple[str, str, bool] | None:
    """(name, action, exact) by plain splitting of a well-formed line without remarks; None for a remark."""
    line = line.split(" #", maxsplit=1)[0].strip()
    if not line or line[0] in "#!":
        return None
    action = "block"
    if key in ("domains", "wildcards", "adblock") and line.startswith("@@"):
        action, line = "permit", line[2:]
    if key == "domains":
        return line.removeprefix("*.").lower(), action, False
    if key == "wildcards":
        return line.removeprefix("*.").lower(), action, not line.startswith("*.")
    if key == "hosts":
        return line.split()[1].lower(), action, False
    if key == "adblock":
        body = line.split("$")[0].rstrip("^")
        return body.lstrip("|").lower(), action, not body.startswith("||")
    if key == "dnsmasq":
        _, name, target = line.split("/")
        return name.lower(), "permit" if target == "#" else "block", False
    kind, _, name = line.rpartition(":")
    return name.lower(), action, kind == "full"


WRITTEN = {
    "domains": ["{}", "@@{}", "*.{}", "  {}  ", "{} # remark", "# {}"],
    "wildcards": ["*.{}", "{}", "@@*.{}", "@@{}", "! {}"],
    "hosts": ["0.0.0.0 {}", "127.0.0.1\t{}", ":: {} # remark", "# 0.0.0.0 {}"],
    "adblock": ["||{}^", "@@||{}^", "||{}^$important", "|{}^", "{}", "! {}"],
    "dnsmasq": ["address=/{}/0.0.0.0", "server=/{}/", "local=/{}/", "server=/{}/#", "# {}"],
    "v2fly": ["{}", "domain:{}", "full:{}", "full:{} # remark", "# {}"],
}


@pytest.mark.parametrize("key", WRITTEN)
@given(data=st.data())
def test_reading_agrees_with_a_slow_model(key: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.tuples(st.sampled_from(WRITTEN[key]), names, st.booleans()), max_size=20))
    lines = [pattern.format(name.upper() if upper else name) for pattern, name, upper in drawn]
    expected = [found for line in lines if (found := model(key, line)) is not None]
    rejects = Rejects()
    read = [
        (each.name, each.action, each.exact) for each in read_entries(key, [each.encode() for each in lines], rejects)
    ]
    assert read == expected
    assert rejects.lines == len(lines)


hostile = st.binary(max_size=200) | st.text(st.sampled_from("|@$^#!*./=:,;()\"'\\\t \x00é。[]%a1"), max_size=40).map(
    str.encode
)


@pytest.mark.parametrize("key", FORMATS)
@given(lines=st.lists(hostile, max_size=12), column=st.sampled_from([0, 1, "host"]))
def test_no_octets_ever_raise(key: str, lines: list[bytes], column: int | str) -> None:
    rejects = Rejects()
    for entry in read_entries(key, lines, rejects, Options(column=column)):
        assert entry.name
        assert entry.name == entry.name.lower()
        assert entry.name.isascii()
    assert rejects.lines == len(lines)


@given(lines=st.lists(hostile, max_size=30))
def test_detection_never_raises_anything_else(lines: list[bytes]) -> None:
    try:
        found = detect(lines)
    except NotAListError as problem:
        found = problem.reason
    assert found in {*FORMATS, "html", "json", "empty", "binary", "unknown"}


@given(text=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=10), limit=st.integers(1, 50))
def test_lines_do_not_depend_on_how_the_text_is_cut(text: bytes, cuts: list[int], limit: int) -> None:
    points = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(points)]
    whole = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    expected = [line[: limit + 1] for line in (whole if whole[-1] else whole[:-1])]
    assert list(bounded_lines(pieces, limit)) == expected
