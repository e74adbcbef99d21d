from typing import Any

import pytest

from policies.document import DocumentError, default_document
from policies.names import NameError_, PolicyError
from policies.sealed import seal
from policies.snapshot import Listing, NamedList, Overruled, compile_snapshot, open_snapshot

DATING = NamedList("mine/dating", "dating", "d" * 64, ("b.no", "a.no"), ("good.a.no",))
GAMING = NamedList("mine/gaming", "gaming", "e" * 64, ("a.no", "game.no"))


def compiled(**changes: Any) -> bytes:
    given = {
        "document": default_document(),
        "lists": [DATING, GAMING],
        "generation": 7,
        "own_names": ["gjest.internal"],
    }
    return compile_snapshot(**(given | changes))


def test_what_goes_in_comes_out() -> None:
    octets = compiled()
    snapshot = open_snapshot(octets)
    assert snapshot.generation == 7
    assert snapshot.block_answer == "zero"
    assert snapshot.names == 4
    assert snapshot.categories == ("gaming", "dating")
    assert [(each.name, each.sha256, each.entries, each.exceptions) for each in snapshot.sources] == [
        ("mine/dating", "d" * 64, 2, 1),
        ("mine/gaming", "e" * 64, 2, 0),
    ]
    assert snapshot.never_blocked["gjest.internal"] == "own"
    assert snapshot.never_blocked["nav.no"] == "public_service"
    assert snapshot.overruled == ()
    default = snapshot.group("default")
    assert default is not None
    assert snapshot.group_by_mark(1) is default
    assert snapshot.group_by_mark(0) is None
    assert snapshot.group_by_mark(2) is None
    assert snapshot.group("course") is None


def test_a_list_without_names_serves_no_category() -> None:
    empty = NamedList("mine/drugs", "drugs", "f" * 64, (), ("a.no",))
    snapshot = open_snapshot(compiled(lists=[DATING, GAMING, empty]))
    assert [each.category for each in snapshot.sources] == ["dating", "drugs", "gaming"]
    assert snapshot.categories == ("gaming", "dating")


def test_the_sha256_stands_at_the_end() -> None:
    octets = compiled()
    assert open_snapshot(octets).sha256 == octets[-32:].hex()


def test_every_list_says_its_word_longest_suffix_first() -> None:
    assert open_snapshot(compiled()).lookup("x.good.a.no") == (
        Listing("good.a.no", "dating", "mine/dating", 0, True),
        Listing("a.no", "dating", "mine/dating", 0, False),
        Listing("a.no", "gaming", "mine/gaming", 1, False),
    )


def test_the_same_inputs_give_the_same_bytes_in_any_order() -> None:
    turned = NamedList("mine/dating", "dating", "d" * 64, ("a.no", "b.no", "a.no"), ("good.a.no",))
    document = default_document()
    document["groups"]["default"]["closed"].reverse()
    assert compiled(lists=[GAMING, turned], document=document) == compiled()
    assert compiled(generation=8) != compiled()


def test_a_list_that_would_close_a_protected_name_is_reported() -> None:
    bad = NamedList("mine/adult", "adult", "f" * 64, ("sexogpolitikk.no", "www.nav.no", "no", "fine.example"))
    snapshot = open_snapshot(compiled(lists=[bad]))
    assert snapshot.overruled_total == 3
    assert [(each.name, each.source) for each in snapshot.overruled] == [
        ("no", "mine/adult"),
        ("sexogpolitikk.no", "mine/adult"),
        ("www.nav.no", "mine/adult"),
    ]
    assert Overruled("www.nav.no", "mine/adult", "nav.no") in snapshot.overruled


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"generation": -1}, PolicyError),
        ({"generation": 1 << 53}, PolicyError),
        ({"lists": [DATING, DATING]}, PolicyError),
        ({"lists": [NamedList("x", "nonsense", "", ("a.no",))]}, PolicyError),
        ({"document": {}}, DocumentError),
        ({"own_names": ["192.0.2.1"]}, NameError_),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        compiled(**changes)


def test_any_changed_or_missing_octet_is_noticed() -> None:
    octets = compiled(lists=[GAMING])
    for position in range(0, len(octets), 7):
        damaged = bytearray(octets)
        damaged[position] ^= 1
        with pytest.raises(PolicyError, match="publish the policy again"):
            open_snapshot(bytes(damaged))
    for size in (0, 8, 31, 64, len(octets) // 2, len(octets) - 1):
        with pytest.raises(PolicyError, match="publish the policy again"):
            open_snapshot(octets[:size])
    with pytest.raises(PolicyError, match="publish the policy again"):
        open_snapshot(octets + b"\0")


@pytest.mark.parametrize("parts", [{"facts": [b"{}"], "index": [b""]}, {"facts": [b"{}"]}, {"index": [b""]}, {}])
def test_a_sound_checksum_over_nonsense_is_refused(parts: dict[str, list[bytes]]) -> None:
    with pytest.raises(PolicyError, match="publish the policy again"):
        open_snapshot(seal(parts))


def test_a_snapshot_of_another_version_is_refused_by_name() -> None:
    octets = bytearray(compiled())
    octets[8] += 1
    with pytest.raises(PolicyError, match="version 3, this program reads 2"):
        open_snapshot(octets)


def test_exact_names_do_not_reach_below_themselves() -> None:
    only = NamedList("mine", "adult", "", ("whole.example",), exact=("one.example",))
    snapshot = open_snapshot(compiled(lists=[only]))
    assert [each.name for each in snapshot.lookup("one.example")] == ["one.example"]
    assert snapshot.lookup("x.one.example") == ()
    assert [each.name for each in snapshot.lookup("x.whole.example")] == ["whole.example"]
    assert snapshot.sources[0].entries == 2


def test_lists_are_read_as_they_are_compiled() -> None:
    """Any iterable will do, so that a list of millions need not be in memory."""
    lazy = NamedList("mine", "adult", "", (f"n{number}.example" for number in range(3)))
    assert compiled(lists=[lazy]) == compiled(
        lists=[NamedList("mine", "adult", "", ["n1.example", "n0.example", "n2.example"])]
    )


def test_one_source_may_span_categories_and_share_names() -> None:
    both = [
        NamedList("mine", "adult", "a" * 64, ("a.no", "b.no")),
        NamedList("mine", "dating", "a" * 64, ("b.no", "c.no"), ("b.no",)),
    ]
    snapshot = open_snapshot(compiled(lists=both))
    said = {
        name: [(each.category, each.exception) for each in snapshot.lookup(name)] for name in ("a.no", "b.no", "c.no")
    }
    assert said == {
        "a.no": [("adult", False)],
        "b.no": [("adult", False), ("dating", False), ("dating", True)],
        "c.no": [("dating", False)],
    }


def test_names_that_two_lists_share_are_counted_and_those_of_one_alone() -> None:
    exact = NamedList("mine/exact", "gambling", "f" * 64, ("b.no", "a.no", "c.no"), ("game.no",))
    snapshot = open_snapshot(compiled(lists=[DATING, GAMING, exact]))
    ids = {source.name: source.id for source in snapshot.sources}
    told = {(one, other): snapshot.shared_names().get((ids[one], ids[other]), 0) for one in ids for other in ids}
    names = {
        "mine/dating": {"a.no", "b.no"},
        "mine/gaming": {"a.no", "game.no"},
        "mine/exact": {"a.no", "b.no", "c.no"},
    }
    for (one, other), count in told.items():
        if one == other:
            others = set().union(*(names[each] for each in names if each != one))
            assert count == len(names[one] - others), one
        elif ids[one] < ids[other]:
            assert count == len(names[one] & names[other]), (one, other)
