import os
import time
from pathlib import Path

import pytest

from gateway.lists.progress import STALE_S, Stage, told, under_way
from gateway.lists.store import folder_of


def test_another_process_sees_how_far_it_is_until_it_ends(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "mine")
    folder.mkdir(parents=True)
    seen: list[tuple[str, int, int | None]] = []
    with told(folder, lambda *now: seen.append(now)) as tell:
        assert under_way(tmp_path, "mine") is None
        tell("downloading", 10, 100)
        tell("downloading", 20, 100)  # too soon to be written again
        assert under_way(tmp_path, "mine") == Stage("downloading", 10, 100)
        tell("reading", 1, None)
        assert under_way(tmp_path, "mine") == Stage("reading", 1, None)
    assert under_way(tmp_path, "mine") is None
    assert list(folder.iterdir()) == []
    assert len(seen) == 3


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), told(tmp_path, lambda *_: None) as tell:
        tell("reading", 1, None)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_refresh_left_is_not_under_way_for_ever(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "mine")
    folder.mkdir(parents=True)
    left = folder / ".progress"
    for text in ('{"stage": "reading", "done": 1, "total": null}', "not JSON", '{"stage": "reading"}', "[]"):
        left.write_text(text)
        assert (under_way(tmp_path, "mine") is not None) == text.endswith("null}")
    left.write_text('{"stage": "reading", "done": 1, "total": null}')
    os.utime(left, (time.time() - STALE_S - 1,) * 2)
    assert under_way(tmp_path, "mine") is None
