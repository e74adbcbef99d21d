"""A stream of names is classified as each name is by itself, whatever the lists and whatever is never blocked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.lists.classify import Classifier, as_json, as_tabs
from policies.compiler import compile_snapshot
from policies.document import default_document
from policies.snapshot import NamedList, open_snapshot

LABELS = st.sampled_from(["a", "b", "www", "nav", "no", "example", "local", "x1", "3"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
TEXTS = NAMES | st.sampled_from(
    ["", "  ", "A.Example", "192.0.2.1", "https://a.example/x", "*.b.no", "..", "a" * 300, "ø.no"]
)
LISTS = st.lists(
    st.tuples(
        st.sampled_from(["gaming", "dating", "adult"]),
        st.sets(NAMES.filter(lambda name: not name[-1].isdigit()), min_size=1, max_size=6),
        st.sets(NAMES.filter(lambda name: not name[-1].isdigit()), max_size=2),
        st.sets(NAMES.filter(lambda name: not name[-1].isdigit()), max_size=2),
    ),
    max_size=4,
)


@given(LISTS, st.lists(TEXTS, max_size=20), st.sets(NAMES.filter(lambda name: not name[-1].isdigit()), max_size=2))
def test_a_stream_says_of_each_name_what_is_said_of_it_alone(
    lists: list[tuple[str, set[str], set[str], set[str]]], texts: list[str], own: set[str]
) -> None:
    made = [
        NamedList(f"list{number}", category, "0" * 64, tuple(sorted(entries)), tuple(sorted(but)), exact=tuple(exact))
        for number, (category, entries, but, exact) in enumerate(lists)
    ]
    snapshot = open_snapshot(compile_snapshot(default_document(), made, 1, own))
    streaming, alone = Classifier(snapshot), Classifier(snapshot)
    wanted = [text for text in texts if text.strip()]
    assert list(streaming.tab_lines(texts)) == [as_tabs(alone.facts(text)) for text in wanted]
    assert list(streaming.json_lines(texts)) == [as_json(alone.facts(text)) for text in wanted]
