"""The key file: mode 0600, never overwritten, never read when others can."""

from pathlib import Path

import pytest

from gateway.audit.errors import NoteError
from gateway.audit.keyfile import create_key_file, read_key_file


def test_created_once_with_mode_0600_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    signer = create_key_file(path, "log.example/kommune")
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path) == signer
    before = path.read_bytes()
    with pytest.raises(NoteError, match="never overwritten"):
        create_key_file(path, "log.example/kommune")
    assert path.read_bytes() == before


def test_two_keys_differ(tmp_path: Path) -> None:
    assert create_key_file(tmp_path / "a", "n").seed != create_key_file(tmp_path / "b", "n").seed


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    create_key_file(path, "n")
    path.chmod(0o640)
    with pytest.raises(NoteError, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PRIVATE+KEY+n+00000000+AAAA\n", b"hello\n"])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(NoteError):
        read_key_file(path)
    with pytest.raises(NoteError, match="missing"):
        read_key_file(tmp_path / "none")
