import pytest

from gateway.errors import GatewayError
from gateway.lists.compile import ListsError, compile_policy, starter_lists
from policies.document import default_document
from policies.snapshot import NamedList, open_snapshot


def test_the_starter_lists_are_used_unless_others_are_given() -> None:
    snapshot = open_snapshot(compile_policy(default_document(), 3, own_names=["gjest.internal"]))
    assert [each.name for each in snapshot.sources] == [each.source for each in starter_lists()]
    assert snapshot.never_blocked["gjest.internal"] == "own"
    only = NamedList("mine", "adult", "", ("a.no",))
    assert [each.name for each in open_snapshot(compile_policy(default_document(), 3, lists=[only])).sources] == [
        "mine"
    ]


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compile_policy(default_document(), 3) == compile_policy(default_document(), 3)


def test_a_bad_policy_is_one_clear_line() -> None:
    document = default_document()
    document["groups"]["default"]["closed"] = ["datting"]
    with pytest.raises(ListsError, match=r"cannot be published: .*unknown category 'datting'") as caught:
        compile_policy(document, 1)
    assert isinstance(caught.value, GatewayError)
    assert "\n" not in str(caught.value)
