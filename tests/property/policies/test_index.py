from hypothesis import given
from hypothesis import strategies as st

from policies import index as module
from policies.index import Index, build_index
from policies.names import parents

names = st.lists(
    st.sampled_from(["a", "b", "no", "com", "xn--mteplassen-0cb", "_x", r"\046"]), min_size=1, max_size=4
).map(".".join)
tables = st.dictionaries(names, st.integers(0, 65535), max_size=200)


@given(tables, st.lists(names, max_size=30))
def test_agrees_with_a_dictionary(table: dict[str, int], asked: list[str]) -> None:
    index = Index(build_index(table.items()))
    assert index.entries == len(table)
    for name in [*asked, *table]:
        assert index.get(name) == table.get(name)
        assert list(index.walk(name)) == [(each, table[each]) for each in parents(name) if each in table]


@given(tables, st.randoms())
def test_the_bytes_follow_from_the_names_alone(table: dict[str, int], chance: object) -> None:
    pairs = list(table.items())
    chance.shuffle(pairs)  # type: ignore[attr-defined]
    assert build_index(pairs) == build_index(table.items())


@given(
    st.dictionaries(st.integers(0, (1 << 64) - 2), st.integers(0, 65535), max_size=60), st.integers(0, (1 << 64) - 2)
)
def test_crowded_and_extreme_keys_are_found(table: dict[int, int], asked: int) -> None:
    """Keys chosen freely, many of them at the very ends, instead of hashes."""
    crowd = {str(key): value for key, value in table.items()} | {str((1 << 64) - 2 - n): n for n in range(20)}
    real = module.key_of
    try:
        module.key_of = int  # type: ignore[assignment]
        index = Index(build_index(crowd.items()))
        for text in [*crowd, str(asked)]:
            assert index.get(text) == crowd.get(text)
    finally:
        module.key_of = real
