"""The training process as the jobs service starts it: its files, and its end."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numpy")


def child(folder: Path, *more: str) -> int:
    command = [sys.executable, "-P", "-m", "gateway.lists.judge_child", str(folder / ".judge.input")]
    return subprocess.run([*command, str(folder / ".judge.new"), "digest", *more], check=False, timeout=60).returncode


def test_a_model_is_put_in_place_whole_and_leftovers_of_the_dead_go(tmp_path: Path) -> None:
    (tmp_path / ".judge.input").write_text("gambling\tcasino.example\n\tnrk.no\n")
    dead, living = tmp_path / ".judge.new.4194305", tmp_path / ".judge.new.1"
    dead.write_bytes(b"half")  # larger than any pid
    living.write_bytes(b"half")
    assert child(tmp_path) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == [".judge.new", ".judge.new.1"]
    assert (tmp_path / ".judge.new").stat().st_size > 1000


def test_one_whose_starter_is_gone_does_nothing(tmp_path: Path) -> None:
    (tmp_path / ".judge.input").write_text("gambling\tcasino.example\n")
    assert child(tmp_path, "4194305") != 0
    assert [each.name for each in tmp_path.iterdir()] == [".judge.input"]
