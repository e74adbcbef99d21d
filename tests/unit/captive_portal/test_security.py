"""The form key and the cross-site check."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from captive_portal.security import FormKeyError, is_cross_site, load_form_key


def test_key_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "form.key"
    mask = os.umask(0)
    try:
        key = load_form_key(path)
    finally:
        os.umask(mask)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_form_key(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["form.key"]


@pytest.mark.parametrize("damage", [b"", b"short", b"\xff\xfe", b"YWJj\n"])
def test_a_damaged_key_is_said(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "form.key"
    path.write_bytes(damage)
    with pytest.raises(FormKeyError, match=r"delete it|can't be read"):
        load_form_key(path)


def test_a_state_directory_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(FormKeyError, match="check the state directory"):
        load_form_key(tmp_path / "keys" / "form.key")


def test_cross_site() -> None:
    assert not is_cross_site({})
    assert not is_cross_site({"sec-fetch-site": "same-origin"})
    assert not is_cross_site({"sec-fetch-site": "none"})
    assert is_cross_site({"sec-fetch-site": "cross-site"})
    assert is_cross_site({"sec-fetch-site": "same-site"})
