"""Addresses of lists as text: which can be a source's, and how one is shown to people. No network here."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.lists.errors import DownloadError


def check_url(url: str) -> str:
    """The host of an address that can be a source's. Raises: DownloadError with reason `url`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise DownloadError("url", f"{url[:80]!r} is no web address ({problem})") from problem
    if parts.scheme not in ("http", "https") or not host:
        raise DownloadError("url", f"{url[:80]!r}: write an address that starts with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise DownloadError("url", f"{shown(url)}: an address must not hold a user name or password")
    return host


def shown(url: str) -> str:
    """An address for people and logs: without what might be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{(parts.netloc).rpartition('@')[2]}{parts.path}"[:200]
