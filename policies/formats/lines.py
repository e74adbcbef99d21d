"""Chunks of octets into lines of bounded length: one line of 100 MB costs a few kilobytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LINE_OCTETS = 4096


def bounded_lines(chunks: Iterable[bytes], limit: int = MAX_LINE_OCTETS) -> Iterator[bytes]:
    r"""The lines of a text that comes in pieces of any size, without their ends (`\n`, `\r\n` or `\r`).

    Of a line longer than `limit` octets the first `limit` + 1 come, so that its reader sees that it is too long.
    """
    rest = b""
    held = b""  # a final \r, of which the next piece tells whether it stands alone
    skipping = False
    for chunk in chunks:
        piece = held + chunk
        held = b""
        if b"\r" in piece:
            if piece.endswith(b"\r"):
                piece, held = piece[:-1], b"\r"
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = piece.split(b"\n")
        lines[0] = rest + lines[0]
        rest = lines.pop()
        for line in lines:
            if skipping:
                skipping = False
            else:
                yield line if len(line) <= limit else line[: limit + 1]
        if skipping:
            rest = b""
        elif len(rest) > limit:
            yield rest[: limit + 1]
            rest, skipping = b"", True
    if (held and not skipping) or rest:
        yield rest
