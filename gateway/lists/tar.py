"""A tar archive read once, front to back, in constant memory (POSIX.1-1988 ustar, with GNU and pax long names).

The standard library's reader keeps whole pax headers in memory, whatever size a stranger gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from gateway.lists.errors import ArchiveError

BLOCK = 512
MAX_HEADER_BYTES = 1 << 16


def names(stream: Iterator[bytes], max_members: int) -> Iterator[str]:
    """The names of the regular files in a tar. Raises: ArchiveError while it is read."""
    reader = _Reader(stream, max_members)
    for name, size in reader.files():
        yield name
        for _ in reader.take(size):
            pass


def member(stream: Iterator[bytes], pattern: str, max_members: int) -> Iterator[bytes]:
    """The octets of the first regular file that `pattern` (shell-style) matches. Raises: ArchiveError."""
    reader = _Reader(stream, max_members)
    for name, size in reader.files():
        if not pattern or fnmatchcase(clean(name), clean(pattern)):
            yield from reader.take(size)
            return
        for _ in reader.take(size):
            pass
    raise ArchiveError("no_member", f"no file {pattern!r} in the archive: correct the member's name")


def choose(found: Sequence[str], pattern: str) -> str:
    """The one file that is meant among those in an archive. Raises: ArchiveError naming some of them."""
    wanted = [name for name in found if not pattern or fnmatchcase(clean(name), clean(pattern))]
    if len(wanted) > 1 and not pattern:
        wanted = [name for name in found if name.rpartition("/")[2] == "domains"]
    if len(wanted) != 1 and not (wanted and pattern):
        some = ", ".join(sorted(name[:60] for name in found)[:5]) or "none"
        raise ArchiveError("no_member", f"which file in the archive is the list? It holds: {some}; name it (member)")
    return wanted[0]


def clean(name: str) -> str:
    """A member's name without a leading `./`."""
    return name.removeprefix("./")


class _Reader:
    def __init__(self, stream: Iterator[bytes], max_members: int) -> None:
        self._stream = stream
        self._buffer = b""
        self._left = max_members

    def files(self) -> Iterator[tuple[str, int]]:
        """(name, size in octets) of each regular file; its octets must be taken before the next."""
        long_name = ""
        while True:
            header = b"".join(self._exactly(BLOCK))
            if not header.strip(b"\0"):
                return
            self._left -= 1
            if self._left < 0:
                raise ArchiveError("bomb", "too many files in the archive: refused")
            size, kind = _number(header[124:136]), header[156:157]
            if kind in (b"L", b"x"):
                if size > MAX_HEADER_BYTES:
                    raise ArchiveError("bomb", "a header in the archive is too long: refused")
                octets = b"".join(self.take(size))
                long_name = _text(octets) if kind == b"L" else _pax_path(octets) or long_name
                continue
            name, long_name = long_name or _name(header), ""
            if kind in (b"0", b"\0", b"7"):
                yield name, size
            else:
                for _ in self.take(size):
                    pass

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` octets, and the padding after them read away."""
        yield from self._exactly(size)
        for _ in self._exactly(-size % BLOCK):
            pass

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size > 0:
            if not self._buffer:
                self._buffer = next(self._stream, b"")
                if not self._buffer:
                    raise ArchiveError("cut_short", "the archive ends too early")
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece


def _number(field: bytes) -> int:
    try:
        if field[:1] == b"\x80":  # GNU: binary, for files over 8 GiB
            return int.from_bytes(field[1:], "big")
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise ArchiveError("damaged", "the archive is damaged: a size is no number") from None


def _text(octets: bytes) -> str:
    return octets.partition(b"\0")[0].decode("utf-8", "replace")


def _name(header: bytes) -> str:
    prefix, name = _text(header[345:500]), _text(header[:100])
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _pax_path(octets: bytes) -> str:
    """The value of `path` among lines `length key=value`."""
    for record in octets.split(b"\n"):
        _, _, pair = record.partition(b" ")
        key, _, value = pair.partition(b"=")
        if key == b"path":
            return _text(value)
    return ""
