"""Pages rendered once and kept: what is one guest's alone is put into gaps, everything else is the same for many.

A page is kept under everything that it was rendered from except the gaps. So no guest can be shown another's values,
whatever a template comes to use: a value is either a gap, filled anew each time, or part of what tells pages apart.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping

from markupsafe import Markup, escape

MAX_KEPT = 128


class KeptPages:
    """At most `MAX_KEPT` pages, those used last; safe from any thread."""

    def __init__(self, limit: int = MAX_KEPT) -> None:
        self._limit = limit
        self._secret = secrets.token_hex(16)  # nobody can write what would be taken for a gap
        self._gap = re.compile(f"gap-{self._secret}-([a-z_]+)-")
        self._kept: OrderedDict[Hashable, list[str]] = OrderedDict()
        self._lock = threading.Lock()

    def fill(
        self, same: Mapping[str, object], gaps: Mapping[str, str], render: Callable[[Mapping[str, object]], str]
    ) -> str:
        """The page that `render` makes of `same` and `gaps`; it is called only for the first of its kind.

        The template puts a gap into text or an attribute as it is, or asks whether it is empty; nothing else. `same` is
        of hashable values and mappings of them. Raises: TypeError for others.
        """
        key = (_hashable(same), tuple((name, not value) for name, value in gaps.items()))
        with self._lock:
            parts = self._kept.get(key)
            if parts is not None:
                self._kept.move_to_end(key)
        if parts is None:
            parts = self._gap.split(render({**same, **{name: self._mark(name, gaps[name]) for name in gaps}}))
            with self._lock:
                self._kept[key] = parts
                while len(self._kept) > self._limit:
                    self._kept.popitem(last=False)
        filled = parts.copy()  # fixed text and names of gaps by turns
        filled[1::2] = [str(escape(gaps[name])) for name in parts[1::2]]
        return "".join(filled)

    def _mark(self, name: str, value: str) -> str:
        return Markup(f"gap-{self._secret}-{name}-") if value else ""  # noqa: S704 - no character of it is special


def _hashable(values: Mapping[str, object]) -> Hashable:
    key = tuple((name, _hashable(value) if isinstance(value, Mapping) else value) for name, value in values.items())
    hash(key)
    return key
