"""Published files unpacked while they are read: gzip, zip and tar, within limits that no bomb gets past.

Memory stays at a few hundred kilobytes whatever the file says of itself. Layers may lie inside one another
(`.tar.gz`), at most `MAX_LAYERS`.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from gateway.lists import tar
from gateway.lists.errors import ArchiveError

CHUNK_BYTES = 1 << 16
MAX_LAYERS = 3
MAX_MEMBERS = 10_000
RATIO_FROM_BYTES = 16 << 20  # below this a high ratio is no danger
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_EXTRA = 1
_OTHER_PACKERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}


_ZIP64 = "a zip of the kind for more than 4 GiB (zip64), which is not read: offer it as gzip or a plain zip"


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_bytes` unpacked, and at most `max_ratio` times the packed size once past 16 MiB."""

    max_bytes: int = 1 << 30
    max_ratio: int = 100


def read_chunks(path: Path, member: str = "", limits: Limits | None = None) -> Iterator[bytes]:
    """The text in the file at `path` in chunks of at most 64 KiB, unpacked as its first octets say.

    `member` names the file inside a tar or zip (`*` and `?` allowed); without it there must be one regular file, or one
    that is called `domains`.

    Raises: ArchiveError while it is read; OSError when the file can't be.
    """
    chosen = limits or Limits()
    allowance = min(chosen.max_bytes, max(RATIO_FROM_BYTES, path.stat().st_size * chosen.max_ratio))
    with path.open("rb") as file:
        if _is_zip(file):
            yield from _limited(_unpacked(_from_zip(file, member), "", allowance), allowance)
            return
        wanted = member or _only_member(path, allowance)
        yield from _limited(_unpacked(iter(lambda: file.read(CHUNK_BYTES), b""), wanted, allowance), allowance)


def _only_member(path: Path, allowance: int) -> str:
    """The file to take out of a packed tar, found in a first pass; empty when there is no tar."""
    with path.open("rb") as file:
        stream = iter(lambda: file.read(CHUNK_BYTES), b"")
        for _ in range(MAX_LAYERS):
            head, stream = _peek(stream)
            if head.startswith(b"\x1f\x8b"):
                stream = _limited(_gunzip(stream), allowance)
            elif head[257:262] == b"ustar":
                return tar.choose(list(tar.names(stream, MAX_MEMBERS)), "")
            else:
                return ""
    return ""


def _unpacked(stream: Iterator[bytes], member: str, allowance: int) -> Iterator[bytes]:
    for _ in range(MAX_LAYERS):
        head, stream = _peek(stream)
        if head.startswith(b"\x1f\x8b"):
            stream = _limited(_gunzip(stream), allowance)
        elif head[257:262] == b"ustar":
            stream = tar.member(stream, member, MAX_MEMBERS)
        else:
            for magic, packer in _OTHER_PACKERS.items():
                if head.startswith(magic):
                    raise ArchiveError("packer", f"packed with {packer}, which is not read: offer it as gzip or zip")
            return stream
    raise ArchiveError("layers", f"packed more than {MAX_LAYERS - 1} times over: unpack it first")


def _peek(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    taken: list[bytes] = []
    while sum(map(len, taken)) < 512:
        chunk = next(stream, b"")
        if not chunk:
            break
        taken.append(chunk)
    return b"".join(taken), chain(taken, stream)


def _limited(stream: Iterator[bytes], allowance: int) -> Iterator[bytes]:
    total = 0
    for chunk in stream:
        total += len(chunk)
        if total > allowance:
            raise ArchiveError("bomb", f"unpacks to more than {allowance >> 20} MiB: refused")
        yield chunk


def _gunzip(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Every member of a gzip stream (RFC 1952 §2.2); what follows the last, as padding, is left."""
    inflate = zlib.decompressobj(wbits=31)
    pending = b""
    started = False
    try:
        while True:
            if not pending:
                pending = next(stream, b"")
                if not pending:
                    break
            if inflate.eof:
                if not pending.startswith(b"\x1f"):
                    return
                inflate = zlib.decompressobj(wbits=31)
            octets = inflate.decompress(pending, CHUNK_BYTES)
            started = True
            pending = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if octets:
                yield octets
    except zlib.error as problem:
        raise ArchiveError("damaged", f"the gzip data is damaged ({problem})") from problem
    if not started or not inflate.eof:
        raise ArchiveError("cut_short", "the gzip data ends too early")


def _is_zip(file: BinaryIO) -> bool:
    head = file.read(4)
    file.seek(0)
    return head in (b"PK\x03\x04", b"PK\x05\x06")


def _from_zip(file: BinaryIO, member: str) -> Iterator[bytes]:
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as packed:
            if any(_has_zip64(info.extra) for info in packed.infolist()):
                raise ArchiveError("packer", _ZIP64)
            infos = {info.filename: info for info in packed.infolist() if not info.is_dir()}
            info = infos[tar.choose(list(infos), member)]
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArchiveError("packer", f"{info.filename[:80]} in the zip is encrypted or packed unusually")
            with packed.open(info) as inside:
                while chunk := inside.read(CHUNK_BYTES):
                    yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, ValueError) as problem:
        raise ArchiveError("damaged", f"the zip file is damaged ({problem})") from problem


def _check_directory(file: BinaryIO) -> None:
    """Refuse a zip whose directory alone would fill the memory, before `zipfile` reads it."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 65_557 - 20))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise ArchiveError("damaged", "the zip file has no directory: it was cut short")
    if _ZIP64_LOCATOR in tail[max(0, at - 20) : at]:
        raise ArchiveError("packer", _ZIP64)  # `zipfile` would go by another, unchecked record (APPNOTE §4.3.15)
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if count > MAX_MEMBERS or directory_bytes > 4 << 20:
        raise ArchiveError("bomb", f"a zip with more than {MAX_MEMBERS} files: refused")


def _has_zip64(extra: bytes) -> bool:
    """Whether one of a file's extra fields (APPNOTE §4.5.1) is that of zip64."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == _ZIP64_EXTRA:
            return True
        extra = extra[4 + size :]
    return False
