"""Search engines' own safe modes: which names are answered with which safe host, by what IT turned on for a group.

Each engine names a host whose addresses give filtered results for the ordinary name. Sources: Google «Lock SafeSearch
on» (forcesafesearch), YouTube «Restricted Mode by DNS», Bing «Block adult content» (strict), DuckDuckGo «Safe Search»
(safe), Brave «SafeSearch by DNS» (forcesafe), Qwant (safeapi), Ecosia (strict-safe-search), Pixabay (safesearch).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from types import MappingProxyType

# Google's domain of any country, now and to come: google.no, google.co.uk, google.com.br, google.cat.
_GOOGLE = re.compile(r"(?:www\.)?google\.(?:com|cat|(?:com?\.)?[a-z]{2})")
_YOUTUBE = (
    "www.youtube.com", "m.youtube.com", "youtubei.googleapis.com", "youtube.googleapis.com",
    "www.youtube-nocookie.com",
)  # fmt: skip

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "google": "forcesafesearch.google.com",
        "bing": "strict.bing.com",
        "duckduckgo": "safe.duckduckgo.com",
        "youtube_moderate": "restrictmoderate.youtube.com",
        "youtube_strict": "restrict.youtube.com",
        "brave": "forcesafe.search.brave.com",
        "qwant": "safeapi.qwant.com",
        "ecosia": "strict-safe-search.ecosia.org",
        "pixabay": "safesearch.pixabay.com",
    }
)
"""Key in the policy document → safe host, in the order in which people see them."""

ONE_OF: tuple[frozenset[str], ...] = (frozenset({"youtube_moderate", "youtube_strict"}),)
"""Keys of which a group can have one only."""

_BY_NAME: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "www.bing.com": ("bing",),
        "bing.com": ("bing",),
        "edgeservices.bing.com": ("bing",),
        "duckduckgo.com": ("duckduckgo",),
        "www.duckduckgo.com": ("duckduckgo",),
        "start.duckduckgo.com": ("duckduckgo",),
        "search.brave.com": ("brave",),
        "api.qwant.com": ("qwant",),
        "www.ecosia.org": ("ecosia",),
        "pixabay.com": ("pixabay",),
        **dict.fromkeys(_YOUTUBE, ("youtube_strict", "youtube_moderate")),
    }
)


def safe_host(name: str, providers: Set[str]) -> str | None:
    """The host to send `name` (normal form) to where `providers` are on; None: nothing to do. Only the exact names
    of the engines are meant: `maps.google.no` is not one.
    """
    if not providers:
        return None
    for key in _BY_NAME.get(name, ()):
        if key in providers:
            return PROVIDERS[key]
    if "google" in providers and _GOOGLE.fullmatch(name):
        return PROVIDERS["google"]
    return None
