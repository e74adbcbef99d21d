"""What a removed source leaves on the disk goes after a day; nothing that is known, fresh, in use or foreign does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.lists.intake import only_writer
from gateway.lists.leftovers import sweep

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def folder(state: Path, name: str, age: timedelta) -> Path:
    made = state / "lists" / name
    made.mkdir(parents=True)
    (made / "a.txt").write_text("a.example\n")
    (made / "current").symlink_to("a.txt")
    os.utime(made, ((NOW - age).timestamp(),) * 2)
    return made


def test_only_what_belongs_to_no_source_and_is_a_day_old_goes(tmp_path: Path) -> None:
    days = timedelta(days=2)
    gone = folder(tmp_path, "gone", days)
    kept = [
        folder(tmp_path, "known", days),
        folder(tmp_path, "fresh", timedelta(hours=23)),
        folder(tmp_path, "benign.folder~", days),
    ]
    elsewhere = folder(tmp_path / "other", "target", days)
    (tmp_path / "lists" / "link").symlink_to(elsewhere)
    (tmp_path / "lists" / "benign.txt").write_text("no.example\n")
    assert sweep(tmp_path, {"known"}, NOW) == ["gone"]
    assert not gone.exists()
    assert all(each.exists() for each in [*kept, elsewhere / "a.txt", tmp_path / "lists" / "benign.txt"])
    assert sweep(tmp_path, {"known"}, NOW) == []
    assert sweep(tmp_path / "nothing", set(), NOW) == []


def test_what_somebody_is_writing_stays(tmp_path: Path) -> None:
    at_work = folder(tmp_path, "busy", timedelta(days=2))
    with only_writer(tmp_path, "busy"):
        assert sweep(tmp_path, set(), NOW) == []
    assert at_work.exists()
