import random
from hashlib import sha256

import pytest

from policies.index import Index, build_index
from policies.names import PolicyError
from policies.sealed import CHUNK, Sealed, seal

LARGE = random.Random(1).randbytes(3 * CHUNK + 5)


def test_parts_come_out_as_they_went_in() -> None:
    octets = seal({"one": [b"first", b" part"], "two": [LARGE], "none": []})
    sealed = Sealed(octets)
    assert sealed.parts == ("one", "two", "none")
    assert bytes(sealed.part("one") or b"") == b"first part"
    assert sealed.part("two") == LARGE
    assert sealed.part("none") == b""
    assert sealed.part("three") is None
    assert sealed.sha256 == octets[-32:].hex()


def test_the_name_is_the_sha256_of_the_chunks_digests() -> None:
    octets = seal({"two": [LARGE]})
    end = int.from_bytes(octets[16:24], "little")
    chunks = b"".join(sha256(octets[start : min(start + CHUNK, end)]).digest() for start in range(0, end, CHUNK))
    assert octets[end:-32] == chunks
    assert Sealed(octets).sha256 == sha256(chunks).hexdigest()


def test_damage_in_a_part_is_noticed_when_the_part_is_used_and_not_before() -> None:
    octets = bytearray(seal({"one": [b"first"], "two": [LARGE]}))
    octets[2 * CHUNK + 77] ^= 1
    sealed = Sealed(octets)
    assert bytes(sealed.part("one") or b"") == b"first"
    with pytest.raises(PolicyError, match="checksum"):
        sealed.part("two")
    with pytest.raises(PolicyError, match="checksum"):
        sealed.check_all()


def test_every_single_octet_is_covered() -> None:
    octets = seal({"one": [b"first"], "two": [LARGE]})
    for position in range(0, len(octets), 997):
        damaged = bytearray(octets)
        damaged[position] ^= 0x10
        with pytest.raises(PolicyError, match="publish the policy again"):
            Sealed(damaged).check_all()


def test_an_index_in_a_damaged_file_never_gives_a_wrong_answer() -> None:
    """Whatever octet is hit: the right answer or an error, in each look-up."""
    names = [f"n{number}.example" for number in range(6000)]
    octets = seal({"index": [build_index((name, number % 9) for number, name in enumerate(names))]})
    chance = random.Random(2)
    noticed = 0
    for _ in range(40):
        damaged = bytearray(octets)
        start = chance.randrange(48, len(octets))
        for position in range(start, min(start + 64, len(octets))):
            damaged[position] ^= chance.randrange(1, 256)
        try:
            sealed = Sealed(damaged)
            part = sealed.unverified("index")
            assert part is not None
            index = Index(part[0], sealed, part[1])
        except PolicyError:
            noticed += 1
            continue
        for number in chance.sample(range(7000), 300):
            name = f"n{number}.example"
            wanted = [(name, number % 9)] if number < 6000 else []
            try:
                assert index.find(name) == wanted
            except PolicyError:
                noticed += 1
                break
    assert noticed > 20


@pytest.mark.parametrize("name", ["", "seventeen letters", "bokmål", "a\0"])
def test_a_part_needs_a_usable_name(name: str) -> None:
    with pytest.raises(PolicyError, match="cannot name a part"):
        seal({name: [b""]})


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(PolicyError, match="at most 64"):
        seal({f"p{number}": [] for number in range(65)})
