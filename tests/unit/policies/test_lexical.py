"""The judge's model: what is read of a name, what is refused, what is told."""

from zlib import crc32

import pytest

from policies.lexical import TEXT_MAX, Judge, Line, judged_text, pieces, write_model
from policies.names import PolicyError

NOTHING = sum(128 << 8 * lane for lane in range(8))


def model(weights: dict[bytes, dict[int, int]], lines=None, rows: int = 1 << 12, hosts=()) -> bytes:
    table = [NOTHING] * rows
    for piece, by_lane in weights.items():
        for lane, weight in by_lane.items():
            table[crc32(piece) & rows - 1] += weight << 8 * lane
    return write_model(lines or [Line("gaming", 1.0, -3.0), Line("adult", 1.0, -3.0)], hosts, table, {"seed": 7})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("badoo.com", ".badoo.com."),
        ("www.badoo.com", ".badoo.com."),
        ("m.www.badoo.com", ".badoo.com."),
        ("www.com", ".www.com."),
        ("sub.badoo.com", ".sub.badoo.com."),
        ("who.blogspot.example", ".who.#"),
        ("www.who.blogspot.example", ".who.#"),
        ("www.blogspot.example", ".blogspot.example."),
        ("no", ""),
        ("", ""),
    ],
)
def test_judged_text(name: str, text: str) -> None:
    assert judged_text(name, frozenset({"blogspot.example"})) == text


def test_long_names_keep_their_end() -> None:
    text = judged_text("a" * 60 + "." + "b" * 60 + ".example")
    assert (len(text), text[-10:]) == (TEXT_MAX, "b.example.")
    assert len(pieces(text.encode())) * 255 < 1 << 16  # a lane cannot overflow into the next


def test_lanes_do_not_touch_each_other() -> None:
    judge = Judge(model({b"porn": {1: 100}, b"game": {0: 100}}))
    gaming, adult = judge.confidences("porn.example")
    assert gaming < 0.05 < 0.9 < adult
    assert judge.opinions("porn.example")[0].category == "adult"
    assert judge.opinions("hage.example") == ()
    assert [each.category for each in judge.opinions("porngame.example")] == ["adult", "gaming"]


def test_extreme_weights_stay_in_their_lane() -> None:
    lines = [Line(key, 1.0, 0.0) for key in ("gaming", "file_sharing", "dating", "adult")]
    low = Judge(write_model(lines, (), [0x01FF01FF01FF01FF] * 4, {}))
    assert [round(each) for each in low.confidences("x" * 62 + ".example")] == [1, 0, 1, 0]


def test_nothing_to_judge() -> None:
    judge = Judge(model({}))
    assert judge.confidences("no") == judge.confidences("") == (0.0, 0.0)
    assert judge.deciding("no", "adult") == ()


def test_deciding_pieces_cover_those_inside_them() -> None:
    judge = Judge(model({b"casino": {0: 90}, b"asino.": {0: 80}, b"cas": {0: 5}}))
    told = judge.deciding("casino.example", "gaming")
    assert [each.text for each in told][:2] == ["casino", "asino."]
    assert "cas" not in [each.text for each in told]
    assert told[0].weight > told[1].weight > 0
    with pytest.raises(PolicyError, match="does not know 'dating'"):
        judge.deciding("casino.example", "dating")


def test_a_plain_word_weighs_the_same_in_a_long_name() -> None:
    judge = Judge(model({b"porn": {1: 100}}))
    assert judge.confidences("porn.example") == judge.confidences("retroclassicporn.example")


def test_escaped_and_internationalised_names_are_judged_as_written() -> None:
    judge = Judge(model({b"porn": {1: 100}}))
    assert judge.confidences("porn\\046x.example")[1] > 0.5
    assert judge.confidences("xn--prn-0na.example")[1] < 0.5


def test_what_a_model_may_not_say() -> None:
    row = [NOTHING] * 4
    for lines in (
        [Line("nonsense", 1.0, 0.0)],
        [Line("adult", 1.0, 0.0)] * 2,
        [Line("adult", float("nan"), 0.0)],
        [Line("adult", -1.0, 0.0)],
    ):
        with pytest.raises(PolicyError):
            write_model(lines, (), row, {})
    with pytest.raises(PolicyError):
        write_model([Line("adult", 1.0, 0.0)], (), row[:3], {})
    with pytest.raises(PolicyError):
        write_model([Line("adult", 1.0, 0.0)], (str(each) for each in range(5000)), row, {})
