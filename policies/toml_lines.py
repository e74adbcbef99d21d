"""Where in a TOML text each value stands: its line, by the path of keys and positions that leads to it.

For text that `tomllib` has read already: the scanner leans on its being valid TOML 1.0, and knows no values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from policies.document_problems import Path

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_OTHER_VALUE = re.compile(r"[^\s,\]}#][^,\]}#\n]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")


def lines_of(text: str) -> Mapping[Path, int]:
    """The line (from 1) of every value in valid TOML text, by its path; tables stand where they are first named."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of the value at `path`, else of the nearest value that holds it; line 1 for the whole document."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._counted, self._line = 0, 1
        self._arrays: dict[Path, int] = {}

    def scan(self) -> Mapping[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._lines
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        repeated = self._text.startswith("[[", self._at)
        self._at += 2 if repeated else 1
        keys = self._keys()
        self._at += 2 if repeated else 1
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            last = position == len(keys) - 1
            if repeated and last:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            self._note(path)
            if path in self._arrays:
                path = (*path, self._arrays[path])
                self._note(path)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = (*table, *self._keys())
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length], start)
        self._skip(_INLINE_BLANK)
        self._at += 1  # =
        self._skip(_INLINE_BLANK)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_INLINE_BLANK)
            if self._text[self._at] in "\"'":
                start = self._at
                self._string()
                keys.append(tomllib.loads(f"k = {self._text[start : self._at]}")["k"])
            else:
                match = _BARE.match(self._text, self._at)
                assert match is not None, "not valid TOML"
                keys.append(match[0])
                self._at = match.end()
            self._skip(_INLINE_BLANK)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._note(path)
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._skip(_OTHER_VALUE)

    def _array(self, path: Path) -> None:
        self._at += 1
        position = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                self._at += 1
                return
            self._value((*path, position))
            position += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._pair(path)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(mark)
        while not self._text.startswith(mark, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(mark)
        while len(mark) == 3 and self._text.startswith(quote, self._at):  # up to two quotes before the closing ones
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _note(self, path: Path, position: int | None = None) -> None:
        """Keep the line of `path` unless it is known; positions only ever grow, so lines are counted once."""
        at = self._at if position is None else position
        if at > self._counted:
            self._line += self._text.count("\n", self._counted, at)
            self._counted = at
        self._lines.setdefault(path, self._line)
