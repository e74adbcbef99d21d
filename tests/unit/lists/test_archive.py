"""Archives: each kind is read as a stream, and none of the bombs goes off."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from gateway.lists.archive import Limits, read_chunks
from gateway.lists.errors import ArchiveError

TEXT = b"".join(b"name%d.no\n" % number for number in range(20_000))


def tar_of(files: dict[str, bytes], **options: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as packed:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        packed.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def unpack(tmp_path: Path, octets: bytes, member: str = "", limits: Limits | None = None) -> bytes:
    path = tmp_path / "file"
    path.write_bytes(octets)
    return b"".join(read_chunks(path, member, limits))


def refused(tmp_path: Path, octets: bytes, member: str = "", limits: Limits | None = None) -> str:
    with pytest.raises(ArchiveError) as caught:
        unpack(tmp_path, octets, member, limits)
    assert "\n" not in str(caught.value)
    return caught.value.reason


PACKED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "two gzip members": gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]),
    "gzip with padding": gzip.compress(TEXT) + b"\0" * 100,
    "gzip twice": gzip.compress(gzip.compress(TEXT)),
    "zip": zip_of({"list.txt": TEXT}),
    "tar": tar_of({"list.txt": TEXT}),
    "tar.gz": gzip.compress(tar_of({"list.txt": TEXT})),
    "tar, GNU long name": tar_of({"x" * 150 + "/list.txt": TEXT}, format=tarfile.GNU_FORMAT),
    "tar, pax long name": tar_of({"æ" * 150 + "/list.txt": TEXT}, format=tarfile.PAX_FORMAT),
    "gzip in a zip": zip_of({"list.gz": gzip.compress(TEXT)}),
    "empty": b"",
}


@pytest.mark.parametrize("kind", PACKED)
def test_every_kind_gives_the_text(tmp_path: Path, kind: str) -> None:
    assert unpack(tmp_path, PACKED[kind]) == (TEXT if kind != "empty" else b"")


@pytest.mark.parametrize("pack", [tar_of, zip_of, lambda files: gzip.compress(tar_of(files))])
def test_the_file_inside_is_named_or_obvious(tmp_path: Path, pack) -> None:
    archive = pack({"games/urls": b"x", "games/domains": TEXT, "games/usage": b"y"})
    assert unpack(tmp_path, archive) == TEXT
    assert unpack(tmp_path, archive, "games/urls") == b"x"
    assert unpack(tmp_path, archive, "*/usage") == b"y"
    assert refused(tmp_path, archive, "other") == "no_member"
    assert refused(tmp_path, pack({"a": b"x", "b": b"y"})) == "no_member"


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda text: zip_of({"a": text}), lambda t: gzip.compress(tar_of({"a": t}))]
)
def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, pack) -> None:
    octets = pack(b"\0" * (64 << 20))
    path = tmp_path / "bomb"
    path.write_bytes(octets)
    tracemalloc.start()
    with pytest.raises(ArchiveError) as caught:
        for _ in read_chunks(path):
            pass
    assert caught.value.reason == "bomb"
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_the_size_cap_holds_for_plain_text_too(tmp_path: Path) -> None:
    assert refused(tmp_path, TEXT, limits=Limits(max_bytes=1000)) == "bomb"


def test_layers_within_layers_end(tmp_path: Path) -> None:
    octets = TEXT
    for _ in range(4):
        octets = gzip.compress(octets)
    assert refused(tmp_path, octets) == "layers"


def test_other_packers_are_named(tmp_path: Path) -> None:
    assert refused(tmp_path, b"\xfd7zXZ\0" + b"x" * 600) == "packer"
    encrypted = bytearray(zip_of({"a": TEXT}))
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert refused(tmp_path, bytes(encrypted)) == "packer"


@pytest.mark.parametrize("kind", ["gzip", "zip", "tar", "tar.gz"])
def test_cut_short_and_damaged_archives_are_refused(tmp_path: Path, kind: str) -> None:
    good = PACKED[kind]
    for octets in (
        good[: len(good) // 2],
        good[:20],
        good[: len(good) // 2] + b"\xff" * 40 + good[len(good) // 2 + 40 :],
    ):
        try:
            outcome = "whole" if unpack(tmp_path, octets) == TEXT else "damaged"
        except ArchiveError as problem:
            outcome = problem.reason
        # A tar has no checksum of its contents, so damage inside a plain one can't be seen here.
        assert outcome in ("cut_short", "damaged", "no_member")


def test_zip64_hides_no_directory(tmp_path: Path) -> None:
    good = zip_of({"list.txt": TEXT})
    end = good.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", good, end + 12)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, size, start)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    for comment in (b"", b"x" * 0xFFFF):
        tail = good[end : end + 20] + struct.pack("<H", len(comment)) + comment
        assert refused(tmp_path, good[:end] + record + locator + tail) == "packer"
    central = good.index(b"PK\x01\x02")
    entry = bytearray(good[central:end])
    name_bytes = struct.unpack_from("<H", entry, 28)[0]
    (file_bytes,) = struct.unpack_from("<I", entry, 24)
    struct.pack_into("<I", entry, 24, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, 12)
    entry[46 + name_bytes : 46 + name_bytes] = struct.pack("<HHQ", 1, 8, file_bytes)
    ending = bytearray(good[end:])
    struct.pack_into("<I", ending, 12, len(entry))
    assert refused(tmp_path, good[:central] + bytes(entry) + bytes(ending)) == "packer"


def test_headers_that_lie(tmp_path: Path) -> None:
    def tar_header(size: bytes, kind: bytes) -> bytes:
        block = bytearray(512)
        block[:4], block[124:136], block[156:157], block[257:263] = b"name", size, kind, b"ustar\0"
        return bytes(block)

    assert refused(tmp_path, tar_header(b"77777777777\0", b"x")) == "bomb"
    assert refused(tmp_path, tar_header(b"77777777777\0", b"0")) == "cut_short"
    assert refused(tmp_path, tar_header(b"what is it \0", b"0")) == "damaged"
    assert refused(tmp_path, (tar_header(b"0" * 11 + b"\0", b"0")) * 10_001) == "bomb"
    assert refused(tmp_path, b"PK\x05\x06" + b"\xff" * 18) == "bomb"
    assert refused(tmp_path, b"PK\x03\x04" + b"x" * 100) == "damaged"
