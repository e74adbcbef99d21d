"""A list source: where a list comes from, what it is about, and how its text is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.errors import UsageError
from policies.categories import CATEGORIES
from policies.formats import FORMATS, Options

KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
RESERVED = frozenset({"benign.txt"})  # `gateway.lists.judge.ranking_path` lies where a folder of that key would
AUTO = "auto"
HOUR_S = 3600
_OPTIONS = {"exact", "column", "category_column", "delimiter", "only", "without", "zone", "member", "permits"}


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `url` is empty for a list imported from a file; `internal` ones may lie at private addresses.

    `format` is a key of `policies.formats.FORMATS`, or `auto`. `options` are those of `policies.formats.Options`, and
    `member` (the file inside an archive) and `permits` (no list of the category may close what this one names).
    """

    key: str
    category: str
    title: str = ""
    url: str = ""
    format: str = AUTO
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    licence: str = ""
    homepage: str = ""
    interval_s: int = 24 * HOUR_S
    internal: bool = False
    enabled: bool = True

    def __post_init__(self) -> None:
        """Raises: UsageError saying what is wrong with it."""
        if not KEY.fullmatch(self.key):
            raise UsageError(f"source key {self.key!r}: use small letters, digits, hyphens and dots, at most 60")
        if self.key in RESERVED:
            raise UsageError(f"source key {self.key!r} is the name of a file of the judge's: choose another")
        if self.category not in CATEGORIES:
            raise UsageError(f"there is no category {self.category!r}: choose one of {', '.join(CATEGORIES)}")
        if self.format != AUTO and self.format not in FORMATS:
            raise UsageError(f"there is no list format {self.format!r}: choose one of auto, {', '.join(FORMATS)}")
        if unknown := set(self.options) - _OPTIONS:
            raise UsageError(f"source {self.key}: unknown option {sorted(unknown)[0]!r}")

    @property
    def member(self) -> str:
        """The file inside an archive; empty when there is only one."""
        return str(self.options.get("member", ""))

    @property
    def permits(self) -> bool:
        """Whether it is a list of recommended permits within its category."""
        return bool(self.options.get("permits", False))

    @property
    def reading(self) -> Options:
        """How its text is read."""
        chosen = {key: value for key, value in self.options.items() if key not in ("member", "permits")}
        for key in ("only", "without"):
            if key in chosen:
                chosen[key] = frozenset(chosen[key])
        return Options(**chosen)


def key_from(text: str) -> str:
    """A key made of a title, file name or address."""
    return re.sub(r"[^a-z0-9_.-]+", "-", text.lower()).strip("-._")[:60] or "list"
