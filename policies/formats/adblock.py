"""Adblock rules as far as DNS can obey them: `||name^`, exceptions `@@||name^`, and `$important`.

Cosmetic rules, rules about a path, regular expressions and rules with other modifiers speak of parts of pages or of
circumstances that DNS does not see: they are ignored and counted. A bare name or a hosts line means exactly that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from policies.formats import hosts
from policies.formats.entry import Action, Entry, Refusal, name_entry

_COSMETIC = re.compile(r"#@?(?:\$\?|\?|\$|%)?#(?=[^#\s])|\$@?\$(?=\w)")
_WHOLE = frozenset({"", "important", "all", "document", "doc"})  # modifiers that leave a rule about the whole name
_PATH = re.compile(r"[/?=&:^]")
_BARE = re.compile(r"[^\s/*^|]+\.[^\s/*^|]+")


def read(text: str) -> Sequence[Entry | Refusal]:
    """What one line gives."""
    text = text.strip()
    if not text or text.startswith("!") or (text.startswith("[") and text.endswith("]")):
        return ()
    if _COSMETIC.search(text):
        return (Refusal("cosmetic", ignored=True),)
    if text.startswith("#"):
        return ()
    action: Action = "block"
    if text.startswith("@@"):
        text, action = text[2:], "permit"
    if text.startswith("/") and (text.endswith("/") or "/$" in text):
        return (Refusal("regex", ignored=True),)
    body, _, tail = text.partition("$")
    modifiers = set(tail.split(","))
    if not modifiers <= _WHOLE:
        return (Refusal("badfilter" if "badfilter" in modifiers else "modifier", ignored=True),)
    return _name(body.strip(), action, important="important" in modifiers)


def _name(body: str, action: Action, *, important: bool) -> Sequence[Entry | Refusal]:
    if body.startswith("||"):
        name, exact = body[2:].removeprefix("*.").removeprefix("."), False
    elif body.startswith("|"):
        name, exact = body[1:], True
    else:
        first = body.split(maxsplit=1)
        if len(first) == 2 and hosts.is_address(first[0]):
            return hosts.read_exact(body)
        name, exact = body.partition(" #")[0].rstrip(), True
        if not _BARE.fullmatch(name):
            return (Refusal("path" if "/" in name else "substring", ignored=True),)
    name = name.removesuffix("|").removesuffix("^")
    if _PATH.search(name):
        return (Refusal("path", ignored=True),)
    if "*" in name:
        return (Refusal("wildcard_inside"),)
    return (name_entry(name, action, exact=exact, important=important),)


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back; all but `category` can be said in this format."""
    for entry in entries:
        line = ("@@" if entry.action == "permit" else "") + ("|" if entry.exact else "||") + entry.name + "^"
        yield line + ("$important" if entry.important else "")
