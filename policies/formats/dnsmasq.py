"""dnsmasq's configuration: `address=/name/…`, `local=/name/` and `server=/name/` close a name and all below it.

`server=/name/#` sends a name to the usual servers again, which is an exception. A server of a name's own, and every
other option, says nothing about what is closed: ignored and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from policies.formats import hosts
from policies.formats.entry import Action, Entry, Refusal, name_entry

_COMMENT = re.compile(r"(?:^|\s)#.*")
_RULE = re.compile(r"(?:--)?(address|server|local)\s*=\s*/(.*)", re.DOTALL)


def read(text: str) -> Sequence[Entry | Refusal]:
    """The entries of one line."""
    text = _COMMENT.sub("", text).strip()
    if not text:
        return ()
    rule = _RULE.fullmatch(text)
    if rule is None:
        return (Refusal("option" if "=" in text else "not_an_option", ignored="=" in text),)
    option, (*names, target) = rule[1], rule[2].split("/")
    if not names:
        return (Refusal("bad_line"),)
    action: Action = "block"
    if option == "address":
        if target not in ("", "#") and not hosts.is_address(target):
            return (Refusal("bad_line"),)
    elif target == "#":
        action = "permit"
    elif target:
        return (Refusal("forward", ignored=True),)
    return [_entry(name, action) for name in names]


def _entry(name: str, action: Action) -> Entry | Refusal:
    if not name:
        return Refusal("option", ignored=True)  # `//`: names without a dot
    if name == "#":
        return Refusal("root")
    name = name.removeprefix("*.").removeprefix(".")
    return Refusal("wildcard_inside") if "*" in name else name_entry(name, action)


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back; `exact` and `important` can't be said in this format."""
    for entry in entries:
        yield f"server=/{entry.name}/#" if entry.action == "permit" else f"local=/{entry.name}/"
