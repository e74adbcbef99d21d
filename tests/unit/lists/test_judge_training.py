"""Training: what is learnt is right, the same every time, and done in a process of its own."""

import shlex
import subprocess
import time
from pathlib import Path
from zlib import crc32

import pytest

from gateway.lists import judge
from gateway.lists.judge_evaluation import at_false_alarms, evaluate, sites
from policies.compiler import NamedList
from policies.lexical import Judge, pieces

np = pytest.importorskip("numpy", reason="numpy is not installed (extra judge)")
from gateway.lists.judge_training import train  # noqa: E402
from gateway.lists.judge_training_pieces import row_numbers  # noqa: E402

WORDS = ("casino", "jackpot", "bingo", "slots", "poker")
PLAIN = ("hage", "skole", "bok", "kirke", "korps", "fjell", "turlag", "bakeri", "teater", "museum")


def made(words: tuple[str, ...], offset: int, count: int = 600) -> tuple[str, ...]:
    return tuple(f"{words[i % len(words)]}{offset + i}.example" for i in range(count))


LISTS = [NamedList("test/gambling", "gambling", "0" * 64, made(WORDS, 0))]
RANKING = made(PLAIN, 0)


@pytest.fixture(scope="module")
def model() -> bytes:
    return train(LISTS, RANKING, seed=3)


def test_pieces_are_those_that_the_judge_looks_up() -> None:
    texts = [b".a.", b".badoo.com.", b"." + b"x" * 62 + b".", b".no."]
    rows, counts = row_numbers(texts, 1 << 10)
    assert counts.tolist() == [len(pieces(text)) for text in texts]
    expected = [crc32(piece) & 1023 for text in texts for piece in pieces(text)]
    assert rows.tolist() == expected


def test_finds_unseen_names_and_says_why(model: bytes) -> None:
    judge_ = Judge(model)
    assert judge_.categories == ("gambling",)
    yes, no = made(WORDS, 10_000, 200), made(PLAIN, 10_000, 200)
    row = evaluate(judge_, "gambling", yes, no, (0.5,))[0]
    assert (row.recall, row.precision) == (1.0, 1.0)
    assert any(each.text in "casino" for each in judge_.deciding("casino777.example", "gambling"))
    assert judge_.confidences("bergen.kommune.no")[0] < 0.01


def test_the_same_input_gives_the_same_bytes(model: bytes) -> None:
    turned = [NamedList("x", "gambling", "1" * 64, LISTS[0].entries[::-1])]
    assert train(turned, RANKING[::-1], seed=3) == model
    assert train(LISTS, RANKING, seed=4) != model


def test_confidence_is_calibrated_on_names_held_out() -> None:
    """Where the word tells nothing, the confidence is the assumed share and not more."""
    names = made(PLAIN, 0, 12_000)  # every other one is of the category, whatever its word
    mixed = [NamedList("t", "gambling", "0" * 64, tuple(n for n in names if crc32(n.encode()) & 1))]
    judge_ = Judge(train(mixed, [n for n in names if not crc32(n.encode()) & 1]))
    held = [judge_.confidences(name)[0] for name in made(PLAIN, 12_000, 500)]
    assert 0.002 < sum(held) / len(held) < 0.1
    assert max(held) < 0.5


def test_too_few_sites_are_not_judged() -> None:
    assert Judge(train([NamedList("t", "dating", "0" * 64, ("a.example",))])).categories == ()


def test_false_alarms_set_the_threshold(model: bytes) -> None:
    judge_ = Judge(model)
    no = [*made(PLAIN, 10_000, 98), "casino1.example", "casino2.example"]
    row = at_false_alarms(judge_, "gambling", made(WORDS, 20_000, 50), no, per=100)
    assert row.false_alarms <= 1
    assert sites(["b.a.example", "a.example", "c.no"], frozenset({"c.no"})) == ["a.example"]


def wait_for(trainer: judge.Trainer) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if trainer.poll():
            return True
        if trainer.problem:
            return False
        time.sleep(0.05)
    raise AssertionError("training took longer than a minute")


def test_the_trainer_trains_once_for_the_same_lists(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    judge.ranking_path(tmp_path).write_text("".join(f"{i},{name}\n" for i, name in enumerate(RANKING, 1)))
    trainer = judge.Trainer(tmp_path)
    assert judge.sections(tmp_path) == {}
    assert trainer.start(LISTS)
    assert not trainer.start(LISTS)  # under way
    assert wait_for(trainer)
    assert not trainer.start(LISTS)
    assert not judge.Trainer(tmp_path).start(LISTS)  # nor after a restart
    opened = Judge(judge.sections(tmp_path)["judge"])
    assert opened.confidences("casino9.example")[0] > 0.5
    changed = [NamedList("test/gambling", "gambling", "2" * 64, made(WORDS, 0, 700))]
    assert trainer.start(changed)
    assert trainer.start([*changed, NamedList("test/dating", "dating", "3" * 64, ("a.example",))])  # changed meanwhile
    trainer.close()
    assert sorted(path.name for path in (tmp_path / "policy").iterdir() if not path.name.startswith(".")) == [
        "judge.model"
    ]


def test_the_ranking_is_read_again_only_when_it_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge.sys, "executable", "/bin/false")
    path = judge.ranking_path(tmp_path)
    path.parent.mkdir()
    path.write_text("\n".join(RANKING))
    trainer = judge.Trainer(tmp_path)
    assert trainer.start(LISTS)
    assert not wait_for(trainer)
    read: list[None] = []
    original = judge.read_names
    monkeypatch.setattr(judge, "read_names", lambda file: (read.append(None), original(file))[1])
    assert not any(trainer.start(LISTS) for _ in range(3))
    assert read == []
    path.write_text("\n".join([*RANKING, "another.example"]))
    assert trainer.start(LISTS)
    assert read
    trainer.close()


def test_missing_numpy_is_told_with_the_command_that_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_numpy = tmp_path / "python"
    no_numpy.write_text(f"#!/bin/sh\nexit {judge.NO_NUMPY}\n")
    no_numpy.chmod(0o755)
    monkeypatch.setattr(judge.sys, "executable", str(no_numpy))
    trainer = judge.Trainer(tmp_path)
    assert not trainer.lacks_numpy
    assert trainer.start(LISTS)
    assert not wait_for(trainer)
    assert trainer.lacks_numpy
    assert (trainer.problem or "").endswith(f"install it with: {judge.INSTALL}")
    assert judge.INSTALL.endswith("-m pip install 'gjestenett[judge]'")
    pip = [*shlex.split(judge.INSTALL), "--dry-run", "--no-index", "-q"]
    assert subprocess.run(pip, capture_output=True, check=False, timeout=60).returncode == 0


def test_a_failed_training_leaves_the_model_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = judge.model_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    assert judge.sections(tmp_path) == {}
    monkeypatch.setattr(judge.sys, "executable", "/bin/false")
    trainer = judge.Trainer(tmp_path)
    assert trainer.start(LISTS)
    assert not wait_for(trainer)
    assert "exit code 1" in (trainer.problem or "")
    assert path.read_bytes() == b"damaged"
    assert not trainer.start(LISTS)  # not again and again
