import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.lists.reader import SnapshotFile, current_path
from policies.document import default_document


def put(state: Path, generation: int) -> None:
    publish(state, compile_policy(default_document(), generation))


def replace(state: Path, octets: bytes) -> None:
    new = state / "new"
    new.write_bytes(octets)
    os.replace(new, current_path(state))


def test_follows_what_is_published(tmp_path: Path) -> None:
    file = SnapshotFile(current_path(tmp_path))
    assert file.poll() is None
    assert file.current is None
    assert file.problem is not None
    put(tmp_path, 1)
    first = file.poll()
    assert first is not None
    assert first.generation == 1
    assert file.current is first
    assert file.problem is None
    assert file.poll() is None
    put(tmp_path, 2)
    second = file.poll()
    assert second is not None
    assert second.generation == 2
    assert file.current is second
    # The old mapping stays usable for whoever is still reading it.
    assert first.lookup("www.tinder.com")[0].category == "dating"


@pytest.mark.parametrize("octets", [b"", b"nonsense", b"\0" * 5000])
def test_keeps_the_old_one_when_the_new_one_is_corrupt_and_says_so(tmp_path: Path, octets: bytes) -> None:
    put(tmp_path, 1)
    file = SnapshotFile(current_path(tmp_path))
    first = file.poll()
    replace(tmp_path, octets)
    for _ in range(2):
        assert file.poll() is None
        assert file.current is first
        assert file.problem is not None
        assert "publish the policy again" in file.problem
    put(tmp_path, 2)
    assert file.poll() is file.current is not first
    assert file.problem is None


def test_keeps_the_old_one_when_the_file_is_gone(tmp_path: Path) -> None:
    put(tmp_path, 1)
    file = SnapshotFile(current_path(tmp_path))
    first = file.poll()
    current_path(tmp_path).unlink()
    assert file.poll() is None
    assert file.current is first
    assert file.problem == "current.snapshot cannot be read: No such file or directory"
    put(tmp_path, 1)
    assert file.poll() is not None
    assert file.problem is None


def test_before_the_first_there_is_nothing_wrong_but_waiting(tmp_path: Path) -> None:
    file = SnapshotFile(current_path(tmp_path))
    for _ in range(2):
        assert file.problem == "no policy compiled yet; waiting for jobs"
        assert file.poll() is None


def test_the_reader_imports_nothing_heavy() -> None:
    code = "import sys, gateway.lists.reader, policies.decide; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlalchemy", "pydantic", "pydantic_settings", "asyncio", "logging", "cryptography", "click", "fastapi"}
    assert not heavy & set(modules)
    assert not [each for each in modules if each.startswith(("gateway.storage", "gateway.settings"))]


def test_an_unchanged_file_is_not_verified_again_sound_or_corrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, 1)
    file = SnapshotFile(current_path(tmp_path))
    assert file.poll() is not None
    corrupt = SnapshotFile(tmp_path / "corrupt")
    corrupt.path.write_bytes(b"nonsense")
    assert corrupt.poll() is None

    def refuse(_descriptor: int) -> None:
        pytest.fail("read again")

    monkeypatch.setattr("gateway.lists.reader._map", refuse)
    assert file.poll() is None
    assert corrupt.poll() is None


def test_a_large_file_is_verified_in_a_thread_where_the_caller_must_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.lists.reader.SMALL_BYTES", 0)
    put(tmp_path, 1)
    file = SnapshotFile(current_path(tmp_path))
    given = None
    for _ in range(200):
        given = file.poll(wait=False)
        if given is not None:
            break
        time.sleep(0.01)
    assert given is not None
    assert given is file.current
    assert file.poll(wait=False) is None
    assert file.problem is None
    octets = bytearray(current_path(tmp_path).read_bytes())
    octets[-200] ^= 1
    replace(tmp_path, bytes(octets))
    assert file.poll() is None
    assert file.current is given
    assert file.problem is not None


@pytest.mark.parametrize("position", range(1, 20))
def test_one_altered_octet_anywhere_keeps_the_old_one(tmp_path: Path, position: int) -> None:
    put(tmp_path, 1)
    file = SnapshotFile(current_path(tmp_path))
    first = file.poll()
    octets = bytearray(current_path(tmp_path).read_bytes())
    octets[len(octets) * position // 20] ^= 1
    replace(tmp_path, bytes(octets))
    assert file.poll() is None
    assert file.current is first
    assert file.problem is not None
