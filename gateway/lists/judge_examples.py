"""What the judge of unlisted names learns from: one example a site, with the categories it is known to be or not to be.

Positive is what the lists say. Negative are the built-in ordinary names, IT's own ranking list if there is one,
and, for each category, the names of the other categories that speak of content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib import resources
from typing import Protocol

from policies.lexical import LANES, SHARED_HOSTS_MAX, judged_text
from policies.names import NameError_, listable
from policies.never_blocked import NEVER_BLOCKED

JUDGED = ("gaming", "file_sharing", "dating", "adult", "gambling", "piracy", "drugs", "streaming")
"""The categories whose sites name themselves after what they offer. Malware, phishing and brands of a few services
(social media, meetings) do not, and a guess about them would be noise."""

FEWEST_SITES = 200
"""A category with fewer listed sites than this is not judged."""
MOST_EXAMPLES = 600_000
_SILENT = frozenset(("proxy_vpn",))  # holds proxies to every kind of content: says nothing against adult or gambling
_MOST_JUDGED, _MOST_OTHER = 250_000, 100_000  # names taken of a category, so that memory is bounded
_SHARED_FROM = 20
_SITES_PER_DOMAIN = 3
_SECOND_LEVEL = frozenset(
    (
        "ac", "asso", "co", "com", "edu", "fylkesbibl", "go", "gob", "gouv", "gov", "govt", "gv", "id", "kommune",
        "ltd", "me", "mil", "ne", "net", "nhs", "nom", "or", "org", "plc", "sch", "vgs", "web",
    )
)  # fmt: skip
SHARED_HOSTS = frozenset(
    (
        "altervista.org", "appspot.com", "azurewebsites.net", "blogger.com", "blogspot.com", "blogspot.no",
        "carrd.co", "cloudfront.net", "firebaseapp.com", "free.fr", "freehostia.com", "ghost.io", "github.io",
        "gitlab.io", "herokuapp.com", "hatenablog.com", "jimdo.com", "jimdofree.com", "livejournal.com",
        "medium.com", "my.id", "myshopify.com", "narod.ru", "netlify.app", "ning.com", "over-blog.com", "pages.dev",
        "proboards.com", "r2.dev", "sites.google.com", "skyrock.com", "square.site", "squarespace.com",
        "substack.com", "tripod.com", "tumblr.com", "typepad.com", "ucoz.com", "ucoz.ru", "vercel.app", "web.app",
        "webflow.io", "weebly.com", "wixsite.com", "wordpress.com", "workers.dev", "xsrv.jp", "yolasite.com",
    )
)  # fmt: skip
"""Hosts where unrelated people publish under names of their own; more are found in the lists themselves."""


class Listed(Protocol):
    """What is needed of a list (`policies.compiler.ListLike`); its names are read twice."""

    @property
    def category(self) -> str: ...
    @property
    def entries(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Examples:
    """`texts[i]` (see `policies.lexical.judged_text`) is known to be each category k with bit k of `is_[i]`, known
    not to be with bit k of `is_not[i]`; `ordinary[i]` is 1 where it is a built-in harmless name or one of the ranking,
    `held_out[i]` where it serves for calibration and not for training.
    """

    categories: tuple[str, ...]
    texts: list[bytes]
    is_: bytes
    is_not: bytes
    ordinary: bytes
    held_out: bytes
    shared_hosts: tuple[str, ...]


def registrable(name: str) -> str:
    """The domain that one owner registered, as far as the name itself tells: `a.b.co.uk` gives `b.co.uk`."""
    labels = name.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-size:])


def ordinary_names() -> frozenset[str]:
    """The built-in benign names: `policies/starter/benign.names` and the never-blocked ones."""
    text = resources.files("policies").joinpath("starter", "benign.names").read_text(encoding="utf-8")
    lines = (line.partition("#")[0] for line in text.splitlines())
    return frozenset(listable(word) for line in lines for word in line.split()) | frozenset(NEVER_BLOCKED)


def gather(lists: Iterable[Listed], ranking: Iterable[str] = (), *, seed: int = 0) -> Examples:
    """Examples from `lists` and from `ranking` (well-visited names; one that a list names too counts as listed).

    The same inputs in whatever order give the same examples. A name that cannot be listed is passed over.
    """
    ordinary = ordinary_names()
    ordinary_domains = {registrable(name) for name in ordinary}
    said: dict[str, set[str]] = {}
    for category, name in sample(tuple(lists)):
        if registrable(name) not in ordinary_domains:
            said.setdefault(name, set()).add(category)
    hosts = _shared_hosts(said)
    sites = Counter(
        category
        for category, _ in {(key, registrable(name)) for name, keys in said.items() for key in keys if key in JUDGED}
    )
    categories = tuple(key for key in JUDGED if sites[key] >= FEWEST_SITES)[:LANES]
    lanes = {key: 1 << lane for lane, key in enumerate(categories)}
    every = (1 << len(categories)) - 1
    found: dict[str, list[int]] = {}
    per_domain: Counter[str] = Counter()
    for name in sorted(said, key=lambda each: (each.count("."), each)):
        text = judged_text(name, hosts)
        if not text:
            continue
        domain = registrable(name)
        if not text.endswith(".#") and text not in found:
            per_domain[domain] += 1
            if per_domain[domain] > _SITES_PER_DOMAIN:
                continue
        bits = sum(lanes.get(key, 0) for key in said[name])
        against = every if said[name] - _SILENT else 0
        mine = found.setdefault(text, [0, 0, 0])
        mine[0] |= bits
        mine[1] |= against
    listed_domains = {registrable(name) for name in said}
    for name in sorted(ordinary) + sorted(name for name in set(ranking) if registrable(name) not in listed_domains):
        text = judged_text(name, hosts)
        if text:
            mine = found.setdefault(text, [0, 0, 0])
            mine[1], mine[2] = every, 1
    return _ordered(categories, found, hosts, seed)


def sample(lists: Sequence[Listed]) -> Iterator[tuple[str, str]]:
    """(category, name) of all lists; of a category with very many names, the sites whose hash is lowest."""
    counts: Counter[str] = Counter()
    for each in lists:
        counts[each.category] += sum(1 for _ in each.entries)
    for each in lists:
        most = _MOST_JUDGED if each.category in JUDGED else _MOST_OTHER
        limit = min(1 << 32, (most << 32) // max(1, counts[each.category]))
        for name in each.entries:
            if limit >> 32 or int.from_bytes(blake2b(registrable(name).encode(), digest_size=4).digest()) < limit:
                yield each.category, name


def read_names(lines: Iterable[str]) -> list[str]:
    """Names from lines of text: the first word of each, or the last field of `rank,name`; others are left out."""
    names: list[str] = []
    for line in lines:
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        word = words[-1] if words[0].isdigit() else words[0]
        try:
            names.append(listable(word.removeprefix("*.").removeprefix("=")))
        except NameError_:
            continue
    return names


def _shared_hosts(said: dict[str, set[str]]) -> frozenset[str]:
    below: Counter[str] = Counter()
    for name in said:
        domain = registrable(name)
        if name != domain:
            below[domain] += 1
    often = [(-count, host) for host, count in below.items() if count >= _SHARED_FROM and host not in said]
    found = [host for _, host in sorted(often)[: SHARED_HOSTS_MAX - len(SHARED_HOSTS)]]
    return SHARED_HOSTS | frozenset(found)


def _ordered(categories: tuple[str, ...], found: dict[str, list[int]], hosts: frozenset[str], seed: int) -> Examples:
    """In an order that follows from the texts and the seed alone, at most `MOST_EXAMPLES`; a sixth is held out."""
    salt = seed.to_bytes(8, "little", signed=True)
    ranked: list[tuple[bytes, bytes, int, int, int]] = []
    for text, (bits, against, ordinary) in found.items():
        octets = text.encode("ascii", "replace")
        ranked.append((blake2b(octets, digest_size=8, salt=salt).digest(), octets, bits, against & ~bits, ordinary))
    ranked.sort()
    del ranked[MOST_EXAMPLES:]
    return Examples(
        categories,
        [octets for _, octets, _, _, _ in ranked],
        bytes(bits for _, _, bits, _, _ in ranked),
        bytes(against for _, _, _, against, _ in ranked),
        bytes(ordinary for _, _, _, _, ordinary in ranked),
        bytes(_is_held_out(octets, salt) for _, octets, _, _, _ in ranked),
        tuple(sorted(hosts)),
    )


def _is_held_out(text: bytes, salt: bytes) -> bool:
    """By registrable domain, so that no site is on both sides."""
    labels = text.strip(b".").split(b".")
    domain = text if text.endswith(b".#") else registrable(b".".join(labels).decode("ascii")).encode()
    return blake2b(domain, digest_size=1, salt=salt, person=b"held out").digest()[0] < 43
