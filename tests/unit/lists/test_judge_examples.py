"""What is learnt from which name."""

from dataclasses import dataclass

import pytest

from gateway.lists import judge_examples
from gateway.lists.judge_examples import gather, ordinary_names, read_names, registrable, sample
from policies.compiler import NamedList


def named(category: str, *names: str) -> NamedList:
    return NamedList(f"test/{category}", category, "0" * 64, names)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_examples, "FEWEST_SITES", 2)


def known(examples, text: str) -> tuple[list[str], list[str]]:
    at = examples.texts.index(text.encode())
    of = [key for lane, key in enumerate(examples.categories) if examples.is_[at] >> lane & 1]
    not_of = [key for lane, key in enumerate(examples.categories) if examples.is_not[at] >> lane & 1]
    return of, not_of


@pytest.mark.parametrize(
    ("name", "domain"),
    [("a.b.co.uk", "b.co.uk"), ("a.b.no", "b.no"), ("x.alta.kommune.no", "alta.kommune.no"), ("com", "com")],
)
def test_registrable(name: str, domain: str) -> None:
    assert registrable(name) == domain


def test_the_built_in_names_are_many_and_well_formed() -> None:
    names = ordinary_names()
    assert len(names) > 2000
    assert {"bergen.kommune.no", "vg.no", "sexogpolitikk.no", "kahoot.it"} <= names


def test_lists_teach_what_names_are_and_are_not() -> None:
    lists = [
        named("adult", "xx1.example", "xx2.example", "both.example", "vg.no"),
        named("gambling", "bet1.example", "bet2.example", "both.example"),
        named("proxy_vpn", "p1.example", "p2.example"),
        named("social_media", "s1.example"),
    ]
    examples = gather(lists, ["shop.example", "www.xx1.example"])
    assert examples.categories == ("adult", "gambling")
    assert known(examples, ".xx1.example.") == (["adult"], ["gambling"])
    assert known(examples, ".both.example.") == (["adult", "gambling"], [])
    assert known(examples, ".p1.example.") == ([], [])  # a proxy leads anywhere
    assert known(examples, ".s1.example.") == ([], ["adult", "gambling"])
    assert known(examples, ".shop.example.") == ([], ["adult", "gambling"])
    assert known(examples, ".vg.no.") == ([], ["adult", "gambling"])  # ordinary, whatever a list says
    ordinary = {text for text, each in zip(examples.texts, examples.ordinary, strict=True) if each}
    assert {b".vg.no.", b".shop.example."} <= ordinary
    assert not ordinary & {b".xx1.example.", b".s1.example.", b".p1.example."}


def test_the_order_of_lists_and_names_does_not_matter() -> None:
    lists = [named("adult", *(f"a{i}.example" for i in range(50))), named("dating", "d1.example", "d2.example")]
    turned = [NamedList(each.source, each.category, each.sha256, tuple(each.entries)[::-1]) for each in lists[::-1]]
    assert gather(lists, ["x.example", "y.example"]) == gather(turned, ["y.example", "x.example"])
    assert gather(lists, seed=1).texts != gather(lists, seed=2).texts


def test_a_site_is_never_on_both_sides() -> None:
    names = [f"{sub}d{i}.example" for i in range(300) for sub in ("", "a.", "b.")]
    examples = gather([named("adult", *names)])
    sides: dict[str, set[int]] = {}
    for text, held in zip(examples.texts, examples.held_out, strict=True):
        if text.endswith(b".example."):
            sides.setdefault(registrable(text.decode().strip(".")), set()).add(held)
    assert all(len(each) == 1 for each in sides.values())
    assert {held for each in sides.values() for held in each} == {0, 1}


def test_hosts_that_many_sites_share_are_found() -> None:
    names = [f"site{i}.host.example" for i in range(30)]
    examples = gather([named("adult", *names, "x.example")])
    assert "host.example" in examples.shared_hosts
    assert b".site3.#" in examples.texts


def test_very_long_lists_are_sampled_by_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_examples, "_MOST_JUDGED", 1000)
    names = [f"{sub}d{i}.example" for i in range(5000) for sub in ("", "a.")]
    taken = [name for _, name in sample([named("adult", *names), named("dating", "one.example")])]
    assert 700 < len(taken) < 1300
    assert "one.example" in taken
    assert {name for name in taken if not name.startswith("a.")} == {name.removeprefix("a.") for name in taken}


def test_reading_names() -> None:
    lines = ["1,google.com", "vg.no # paper", "", "# all", "*.dagbladet.no", "127.0.0.1", "Höst.no", "2 b.no"]
    assert read_names(lines) == ["google.com", "vg.no", "dagbladet.no", "xn--hst-sna.no", "b.no"]


@dataclass
class Lazy:
    category: str
    entries: list[str]


def test_any_kind_of_list_will_do() -> None:
    assert gather([Lazy("adult", ["a.example", "b.example"])]).categories == ("adult",)
