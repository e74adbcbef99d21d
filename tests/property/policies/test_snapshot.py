from hypothesis import given
from hypothesis import strategies as st

from policies.document import default_document
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

LETTERS = "abcdefghijkl"
names = st.lists(st.sampled_from([f"{letter}.no" for letter in LETTERS]), max_size=12)
lists = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from(["gaming", "dating", "adult"]), names, names),
    max_size=9,
    unique_by=lambda each: each[:2],
)


def compiled(given_lists) -> bytes:  # type: ignore[no-untyped-def]
    made = [NamedList(source, category, "", tuple(e), tuple(x)) for source, category, e, x in given_lists]
    return compile_snapshot(default_document(), made, 1)


@given(lists, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_change_a_byte(given_lists, chance) -> None:  # type: ignore[no-untyped-def]
    turned = [(s, c, chance.sample(e, len(e)) + e, chance.sample(x, len(x))) for s, c, e, x in given_lists]
    chance.shuffle(turned)
    assert compiled(turned) == compiled(given_lists)


@given(lists)
def test_every_word_of_every_list_is_kept_and_none_is_added(given_lists) -> None:  # type: ignore[no-untyped-def]
    snapshot = open_snapshot(compiled(given_lists))
    for name in (f"{letter}.no" for letter in LETTERS + "z"):
        said = {(each.source, each.category, each.exception) for each in snapshot.lookup(name)}
        meant = {(source, category, False) for source, category, e, _ in given_lists if name in e}
        meant |= {(source, category, True) for source, category, _, x in given_lists if name in x}
        assert said == meant
