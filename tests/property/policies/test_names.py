import re

from hypothesis import assume, given
from hypothesis import strategies as st

from policies.names import NameError_, from_labels, from_person, is_under, normalise, parents

labels = st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=4).filter(
    lambda parts: sum(len(part) + 1 for part in parts) < 255
)


def wire_model(name: str) -> list[bytes]:
    """The labels that a normal form stands for, read the slow way."""
    parts = []
    for text in name.split("."):
        octets, rest = bytearray(), text
        while rest:
            if rest[0] == "\\":
                octets.append(int(rest[1:4]))
                rest = rest[4:]
            else:
                octets.append(ord(rest[0]))
                rest = rest[1:]
        parts.append(bytes(octets))
    return parts


@given(labels)
def test_labels_survive_the_normal_form(parts: list[bytes]) -> None:
    assert wire_model(from_labels(parts)) == [part.lower() for part in parts]


@given(labels)
def test_the_normal_form_reads_as_itself(parts: list[bytes]) -> None:
    name = from_labels(parts)
    assume(not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name))  # normalise refuses what looks like an address
    assert normalise(name) == name


@given(st.text(max_size=80))
def test_any_text_gives_a_stable_name_or_a_reason(text: str) -> None:
    for read in (normalise, from_person):
        try:
            name = read(text)
        except NameError_:
            continue
        assert name.isascii()
        assert name == name.lower()
        assert not any(character.isspace() for character in name)
        if name:
            assert normalise(name) == name


@given(st.text(alphabet="aæøÅß1-_.。", max_size=40))
def test_names_of_letters_are_stable_whatever_the_case(text: str) -> None:
    try:
        name = normalise(text)
    except NameError_:
        return
    if name:
        assert normalise(name) == name == normalise(name.upper())


@given(labels, labels)
def test_parents_are_exactly_the_suffixes_on_label_boundaries(one: list[bytes], other: list[bytes]) -> None:
    name, suffix = from_labels(one), from_labels(other)
    model = [part.lower() for part in one][-len(other) :] == [part.lower() for part in other] and len(other) <= len(one)
    assert (suffix in parents(name)) == is_under(name, suffix) == model
