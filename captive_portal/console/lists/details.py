"""What a refresh's own message tells beyond its reason, in the reader's words: numbers, names and addresses out of it.

The message is English and kept as it was written, like what the product writes into a policy's history.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from captive_portal.console.look import N_
from captive_portal.i18n import Translator

_COUNTED = N_("Such names: {count}.")
_AT_MOST = N_("At most {count} MB are taken.")
_REJECTED = N_("Lines rejected: {rejected}.")
_COMPARED = N_("It has {count} names, and the list in force has {before}.")
_TOLD: Sequence[tuple[str, re.Pattern[str], str]] = [
    (reason, re.compile(pattern), text)
    for reason, pattern, text in (
        ("status", r".*: the server answered (?P<code>\d+)", N_("The server’s answer was {code}.")),
        ("shrunk", r"(?P<count>\d+) names, the list in use has (?P<before>\d+):.*", _COMPARED),
        ("grown", r"(?P<count>\d+) names, the list in use has (?P<before>\d+):.*", _COMPARED),
        (
            "mostly_rejects",
            r"(?P<rejected>\d+) lines rejected and (?P<count>\d+) names read:.*",
            N_("Lines rejected: {rejected}. Names read: {count}."),
        ),
        ("empty", r"no usable name in it \((?P<rejected>\d+) lines rejected\).*", _REJECTED),
        ("public_suffixes", r"(?P<count>\d+) public suffixes in it:.*", _COUNTED),
        ("never_blocked", r"(?P<count>\d+) never-blocked names in it:.*", _COUNTED),
        ("private_address", r"(?P<host>\S+) leads to (?P<address>[^\s,]+),.*", N_("{host} leads to {address}.")),
        ("no_address", r"(?P<host>\S+) (?:was not found|has no address)\b.*", N_("The name is {host}.")),
        ("redirects", r".*: a redirect from https to (?P<to>\S+) is not followed", N_("It sends on to {to}.")),
        ("too_large", r".*: more than (?P<count>\d+) MiB", _AT_MOST),
        ("too_large", r".* MiB, at most (?P<count>\d+) are taken", _AT_MOST),
        ("bomb", r"unpacks to more than (?P<count>\d+) MiB:.*", _AT_MOST),
        ("packer", r"packed with (?P<packer>\S+), which is not read:.*", N_("It is packed with {packer}.")),
    )
]


def detail(translate: Translator, reason: str, message: str) -> str:
    """A sentence of what stands in the message of a refusal or failure; "" when there is nothing more to tell."""
    for kind, pattern, text in _TOLD:
        found = pattern.fullmatch(message) if kind == reason else None
        if found is not None:
            return translate(
                text,
                **{
                    name: translate.count(int(value)) if name in ("count", "before", "rejected") else value
                    for name, value in found.groupdict().items()
                },
            )
    return ""
