import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.lists.compile import ListsError, compile_policy
from gateway.lists.publish import kept, kept_generations, publish
from gateway.lists.reader import current_path, read_snapshot
from policies.document import default_document


def test_the_snapshot_is_in_force_and_kept_under_its_generation(tmp_path: Path) -> None:
    octets = compile_policy(default_document(), 1)
    snapshot = publish(tmp_path, octets)
    current = current_path(tmp_path)
    assert current == tmp_path / "policy" / "current.snapshot"
    assert current.read_bytes() == octets
    assert os.path.samefile(current, tmp_path / "policy" / "1.snapshot")
    assert read_snapshot(current).sha256 == snapshot.sha256
    assert sorted(each.name for each in current.parent.iterdir()) == ["1.snapshot", "current.snapshot"]


def test_publishing_again_and_going_on(tmp_path: Path) -> None:
    for generation in (1, 1, 2):
        publish(tmp_path, compile_policy(default_document(), generation))
    assert kept_generations(tmp_path) == [1, 2]
    assert read_snapshot(current_path(tmp_path)).generation == 2


def test_the_last_ten_are_kept(tmp_path: Path) -> None:
    for generation in range(1, 13):
        publish(tmp_path, compile_policy(default_document(), generation))
    assert kept_generations(tmp_path) == list(range(3, 13))
    assert read_snapshot(tmp_path / "policy" / "3.snapshot").generation == 3


def test_a_kept_generation_says_when_it_was_compiled_last(tmp_path: Path) -> None:
    for generation in (1, 2):
        publish(tmp_path, compile_policy(default_document(), generation))
    moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
    path = tmp_path / "policy" / "1.snapshot"
    os.utime(path, (moment.timestamp(),) * 2)
    first = kept(tmp_path, 1)
    assert first is not None
    assert (first.snapshot.generation, first.compiled_at) == (1, moment)
    assert kept(tmp_path, 3) is None
    path.write_bytes(b"no snapshot")
    assert kept(tmp_path, 1) is None


@pytest.mark.parametrize("damage", ["empty", "short", "altered"])
def test_a_snapshot_that_does_not_verify_leaves_the_old_one(tmp_path: Path, damage: str) -> None:
    good = compile_policy(default_document(), 1)
    publish(tmp_path, good)
    bad = compile_policy(default_document(), 2)
    bad = {"empty": b"", "short": bad[:-1], "altered": bad[:200] + b"X" + bad[201:]}[damage]
    with pytest.raises(ListsError, match="did not verify"):
        publish(tmp_path, bad)
    assert current_path(tmp_path).read_bytes() == good
    assert sorted(each.name for each in (tmp_path / "policy").iterdir()) == ["1.snapshot", "current.snapshot"]


def test_a_disk_that_does_not_take_it_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("in the way")
    with pytest.raises(ListsError, match="cannot be written"):
        publish(tmp_path, compile_policy(default_document(), 1))


def test_a_crash_between_writing_and_renaming_is_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, compile_policy(default_document(), 1))
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ListsError, match="No space left on device"):
        publish(tmp_path, compile_policy(default_document(), 2))
    assert read_snapshot(current_path(tmp_path)).generation == 1


def test_what_a_killed_publisher_left_behind_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    for leftover in (".new", ".link"):
        (tmp_path / "policy" / leftover).write_bytes(b"half")
    publish(tmp_path, compile_policy(default_document(), 1))
    assert sorted(each.name for each in (tmp_path / "policy").iterdir()) == ["1.snapshot", "current.snapshot"]
    assert read_snapshot(current_path(tmp_path)).generation == 1
