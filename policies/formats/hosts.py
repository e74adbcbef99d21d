"""Hosts files: a null or loopback address and the names that it takes out of the net.

Published hosts lists mean sites, so each name means everything below it too, as long as the source is not marked exact.
Lines with another address redirect, and are rejected; the names that every hosts file begins with are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from policies.formats.entry import Entry, Refusal, name_entry

_OWN_NAMES = frozenset(
    (
        *("localhost", "localhost.localdomain", "local", "broadcasthost", "loopback", "0.0.0.0"),  # noqa: S104
        *("ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix"),
        *("ip6-allnodes", "ip6-allrouters", "ip6-allhosts"),
    )
)
_NULL = re.compile(
    r"0|0\.0\.0\.0|127(?:\.\d{1,3}){3}|::|::1|::ffff:0\.0\.0\.0|fe80::1%lo0|ff0[0-9]::\d?|255(?:\.255){3}"
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?=[^ ]*:)[0-9A-Fa-f:.]+(?:%\w+)?|0")


def is_address(text: str) -> bool:
    """Whether `text` looks like an IPv4 or IPv6 address, as at the start of a hosts line."""
    return _ADDRESS.fullmatch(text) is not None


def is_null(address: str) -> bool:
    """Whether an address leads nowhere: unspecified, loopback or broadcast."""
    return _NULL.fullmatch(address) is not None


def read(text: str) -> Sequence[Entry | Refusal]:
    """The entries of one line, names as suffixes."""
    return _read(text, exact=False)


def read_exact(text: str) -> Sequence[Entry | Refusal]:
    """The entries of one line, each name meaning exactly itself."""
    return _read(text, exact=True)


def _read(text: str, *, exact: bool) -> Sequence[Entry | Refusal]:
    words = text.partition("#")[0].split()
    if not words:
        return ()
    address, names = words[0], words[1:]
    if not is_address(address):
        return (Refusal("no_address"),)
    if not names:
        return (Refusal("empty"),)
    found: list[Entry | Refusal] = []
    for name in names:
        if name.lower() in _OWN_NAMES:
            found.append(Refusal("local_name", ignored=True))
        elif not is_null(address):
            found.append(Refusal("redirect"))
        else:
            found.append(name_entry(name, exact=exact))
    return found


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that `read` reads back; only blocked names can be said in this format."""
    for entry in entries:
        if entry.action == "block":
            yield f"0.0.0.0 {entry.name}"
