"""Response policy zones: master-file lines whose owner is the name that is meant (draft-vixie-dnsop-dns-rpz).

The five actions: NXDOMAIN (`CNAME .`), NODATA (`CNAME *.`), DROP (`CNAME rpz-drop.`) and local data close a name;
PASSTHRU (`CNAME rpz-passthru.`, or a CNAME to itself) is an exception. An owner means exactly itself; `*.name` is read
as the name and everything below it. Triggers on addresses and name servers, and the zone's own records, are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from policies.formats.entry import Entry, Refusal, name_entry

RpzAction = Literal["nxdomain", "nodata", "passthru", "drop", "tcp_only", "local_data"]
_TRIGGERS = ("rpz-ip", "rpz-nsip", "rpz-nsdname", "rpz-client-ip")
_TARGETS: dict[str, RpzAction] = {
    ".": "nxdomain",
    "*.": "nodata",
    "rpz-passthru.": "passthru",
    "rpz-drop.": "drop",
    "rpz-tcp-only.": "tcp_only",
}
_TTL = re.compile(r"\d+(?:[smhdw]\d*)*", re.IGNORECASE)
_CLASSES = frozenset({"IN", "CH", "HS"})
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


def action_of(record_type: str, target: str, owner: str) -> RpzAction | None:
    """The action that a record of an owner asks for; None for a record that asks for none."""
    if record_type == "CNAME":
        absolute = target.lower() if target.endswith(".") else target.lower() + "."
        if absolute.rstrip(".") == owner.lower().rstrip("."):
            return "passthru"
        return _TARGETS.get(absolute, "local_data")
    return "local_data" if record_type in ("A", "AAAA") else None


def reader(zone: str = "") -> Callable[[str], Sequence[Entry | Refusal]]:
    """A line reader of one zone; `zone` is its name when the file itself says neither `$ORIGIN` nor SOA."""
    return _Reader(zone)


class _Reader:
    def __init__(self, zone: str) -> None:
        self._zone = zone.lower().strip(".")
        self._origin = self._zone
        self._owner = ""
        self._depth = 0  # of parentheses: a record that goes on over several lines

    def __call__(self, text: str) -> Sequence[Entry | Refusal]:
        text = _QUOTED.sub("_", text).partition(";")[0]
        inside = self._depth > 0
        if "(" in text or ")" in text:
            self._depth = max(0, self._depth + text.count("(") - text.count(")"))
        words = text.replace("(", " ").replace(")", " ").split()
        if inside or not words:
            return ()
        if words[0].startswith("$"):
            return self._directive(words)
        if not text[0].isspace():
            self._owner = words.pop(0)
        while words and (_TTL.fullmatch(words[0]) or words[0].upper() in _CLASSES):
            words.pop(0)
        if not words or not self._owner:
            return (Refusal("bad_line"),)
        return self._record(words[0].upper(), words[1] if len(words) > 1 else "")

    def _directive(self, words: Sequence[str]) -> Sequence[Entry | Refusal]:
        name = words[0].upper()
        if name == "$ORIGIN" and len(words) > 1:
            self._origin = self._absolute(words[1])
            self._zone = self._zone or self._origin
            return ()
        return () if name == "$TTL" else (Refusal("directive"),)

    def _absolute(self, owner: str) -> str:
        owner = owner.lower()
        if owner == "@":
            return self._origin
        if owner.endswith("."):
            return owner.rstrip(".")
        return f"{owner}.{self._origin}" if self._origin else owner

    def _record(self, record_type: str, target: str) -> Sequence[Entry | Refusal]:
        full = self._absolute(self._owner)
        if record_type == "SOA":
            self._zone, self._origin = full, self._origin or full
        if full == self._zone:
            return ()  # the zone's own SOA, NS and the like
        if self._zone and not full.endswith(f".{self._zone}"):
            return (Refusal("outside_zone"),)
        return _rule(full.removesuffix(f".{self._zone}"), record_type, target)


def _rule(name: str, record_type: str, target: str) -> Sequence[Entry | Refusal]:
    if name.endswith(_TRIGGERS):
        return (Refusal("trigger", ignored=True),)
    action = action_of(record_type, target, name)
    if action is None or action == "tcp_only":
        return (Refusal(action or "zone_record", ignored=True),)
    bare = name.removeprefix("*.")
    if "*" in bare:
        return (Refusal("wildcard_inside"),)
    return (name_entry(bare, "permit" if action == "passthru" else "block", exact=bare == name),)


def render(entries: Iterable[Entry], zone: str = "rpz.invalid") -> Iterator[str]:
    """A whole zone file that a reader reads back; `important` can't be said in this format."""
    yield f"$ORIGIN {zone}."
    yield "@ 300 IN SOA localhost. root.localhost. ( 1 3600 600 86400 300 )"
    yield "@ 300 IN NS localhost."
    for entry in entries:
        target = "rpz-passthru." if entry.action == "permit" else "."
        yield f"{'' if entry.exact else '*.'}{entry.name} CNAME {target}"
