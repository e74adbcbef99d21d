"""What a list of sessions calls a browser: its name and its system, as far as the User-Agent header tells. Pure."""

from __future__ import annotations

# the first that is found counts: Edge calls itself Chrome, and Chrome calls itself Safari
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """`Firefox, Windows`; "" for what is no browser that we know. Only our own words: the header is anybody's text."""
    found = (next((word for mark, word in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, found))
