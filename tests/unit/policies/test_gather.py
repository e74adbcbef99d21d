from policies.gather import Gathering
from policies.index import key_of


def test_words_are_merged_by_name_in_rising_order_of_key() -> None:
    gathering = Gathering()
    for name, word in (("b.no", 7), ("a.no", 3), ("b.no", 2), ("b.no", 7), ("c.no", 3)):
        gathering.add(name, word)
    sayings, keys, values = gathering.merge()
    assert sayings == [(2, 7), (3,)]
    assert list(keys) == sorted(key_of(name) for name in ("a.no", "b.no", "c.no"))
    said = {key: sayings[value] for key, value in zip(keys, values, strict=True)}
    assert said == {key_of("a.no"): (3,), key_of("b.no"): (2, 7), key_of("c.no"): (3,)}
    assert gathering.said == {2: 1, 3: 2, 7: 1}


def test_what_was_merged_is_gone() -> None:
    gathering = Gathering()
    gathering.add("a.no", 1)
    gathering.merge()
    assert gathering.merge()[1:] == gathering.merge()[1:]
    assert len(gathering.merge()[1]) == 0
