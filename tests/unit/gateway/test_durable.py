"""A small file is there whole or not at all, with the permissions asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway import durable


def test_it_holds_the_text_with_its_permissions_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        durable.replace(tmp_path / "log.vkey", "å\n".encode(), mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "log.vkey").read_text(encoding="utf-8") == "å\n"
    assert (tmp_path / "log.vkey").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["log.vkey"]


def test_what_stood_there_stays_when_it_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note"
    durable.replace(path, b"old", mode=0o600)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.replace(path, b"new", mode=0o600)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("note", "old")]
    durable.replace(path, b"old", mode=0o600)  # nothing to write: a full disk is no trouble
