"""Fetching one list over HTTP from a server that is not trusted: bounded in time, size, redirects and direction."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from gateway.lists.addresses import Resolve, choose_address
from gateway.lists.errors import DownloadError
from gateway.lists.urls import check_url, shown

REDIRECTS = frozenset({301, 302, 303, 307, 308})
USER_AGENT = "gjestenett"
BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What one download may take. `total_s` counts from the first look-up to the last octet."""

    max_bytes: int = 256 << 20
    total_s: float = 300.0
    connect_s: float = 10.0
    read_s: float = 20.0
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the address it came from in the end, its validators (RFC 9110 §8.8), and its size as sent."""

    url: str
    etag: str
    last_modified: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server still has what was fetched before (RFC 9110 §15.4.5)."""


Watch = Callable[[int, int | None], None]


def fetch(
    url: str,
    target: Path,
    resolve: Resolve,
    *,
    internal: bool = False,
    etag: str = "",
    last_modified: str = "",
    limits: DownloadLimits | None = None,
    watch: Watch = lambda _done, _total: None,
    trust: ssl.SSLContext | None = None,
) -> Fetched | NotModified:
    """Write what `url` holds to `target`, packed as it came. Redirects are followed by hand, each address checked.

    `internal`: the host in `url` may lie at a private address; other hosts that it leads to may not. A text sent
    without its length that stops within a line loses that line.

    `trust`: which certificates are believed, by default those of the well-known authorities.

    Raises: DownloadError with reason `url`, `private_address`, `no_address`, `redirects`, `status`, `too_large`,
        `encoding`, `timeout` or `connection`; OSError when the disk does not take it.
    """
    chosen = limits or DownloadLimits()
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in conditions.items() if value}

    async def within_time() -> Fetched | NotModified:
        async with asyncio.timeout(chosen.total_s):
            return await _follow(url, target, resolve, internal, headers, chosen, watch, trust)

    try:
        return asyncio.run(within_time())
    except (TimeoutError, httpx.TimeoutException) as problem:
        raise DownloadError("timeout", f"{shown(url)}: the server did not deliver in time") from problem
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as problem:
        raise DownloadError("connection", f"{shown(url)}: {problem or type(problem).__name__}") from problem


async def _follow(
    url: str,
    target: Path,
    resolve: Resolve,
    internal: bool,
    headers: dict[str, str],
    limits: DownloadLimits,
    watch: Watch,
    trust: ssl.SSLContext | None,
) -> Fetched | NotModified:
    own_host = check_url(url)
    timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s)
    verify = trust or True
    async with httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, verify=verify) as client:
        for _ in range(limits.redirects + 1):
            host = check_url(url)
            address = await choose_address(host, resolve, internal=internal and host == own_host)
            # To the very address that was looked at: a second look-up could give another one.
            pinned = httpx.URL(url).copy_with(host=address)
            request = client.build_request(
                "GET",
                pinned,
                headers={
                    **headers,
                    "Host": httpx.URL(url).netloc.decode("ascii"),
                    "User-Agent": USER_AGENT,
                    "Accept-Encoding": "gzip, identity;q=0.5",
                },
                extensions={"sni_hostname": host},
            )
            response = await client.send(request, stream=True)
            try:
                if response.status_code in REDIRECTS:
                    url = _next(url, response)
                    continue
                if response.status_code == 304 and headers:
                    return NotModified()
                if response.status_code != 200:
                    raise DownloadError("status", f"{shown(url)}: the server answered {response.status_code}")
                return await _save(url, response, target, limits, watch)
            finally:
                await response.aclose()
    raise DownloadError("redirects", f"{shown(url)}: more than {limits.redirects} redirects")


def _next(url: str, response: httpx.Response) -> str:
    location: str = response.headers.get("location", "")
    try:
        following = urljoin(url, location)
    except ValueError as problem:
        raise DownloadError("redirects", f"{shown(url)}: a redirect to nowhere") from problem
    if not location:
        raise DownloadError("redirects", f"{shown(url)}: a redirect to nowhere")
    if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
        raise DownloadError("redirects", f"{shown(url)}: a redirect from https to {shown(following)} is not followed")
    return following


async def _save(url: str, response: httpx.Response, target: Path, limits: DownloadLimits, watch: Watch) -> Fetched:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise DownloadError(
            "encoding", f"{shown(url)}: sent in the encoding {encoding[:20]!r}, which was not asked for"
        )
    told = response.headers.get("content-length", "")
    total = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None
    if total is not None and total > limits.max_bytes:
        raise DownloadError("too_large", f"{shown(url)}: {total >> 20} MiB, at most {limits.max_bytes >> 20} are taken")
    size = 0
    with target.open("wb") as file:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > limits.max_bytes:
                raise DownloadError("too_large", f"{shown(url)}: more than {limits.max_bytes >> 20} MiB")
            file.write(chunk)
            watch(size, total)
    if total is None and "transfer-encoding" not in response.headers:
        _drop_unfinished_line(target)
    etag, last_modified = (response.headers.get(name, "")[:500] for name in ("etag", "last-modified"))
    return Fetched(url, etag, last_modified, size)


def _drop_unfinished_line(path: Path) -> None:
    """A body that ends with the connection (RFC 9112 §6.3) may have been cut short, and half a name is another name.
    Packed files say themselves when they are cut.
    """
    with path.open("r+b") as file:
        if b"\0" in file.read(512):
            return
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - BLOCK_BYTES)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                file.truncate(start + at + 1)
                return
            end = start
        file.truncate(0)
