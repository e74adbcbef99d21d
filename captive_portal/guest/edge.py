"""What stands before the pages: strangers' hosts are sent to the portal, and bodies are bounded.

A device that has not accepted sends us whatever its apps ask the internet for over plain HTTP. Such a request is
answered here, from its Host and path alone, before any routing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captive_portal.guest.allowance import Allowance
from captive_portal.guest.doorstep import Doorstep, host_name
from captive_portal.guest.let_in import LetIn
from captive_portal.guest.peers import Peers
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.site import Site
from captive_portal.guest.typed_name import read_name
from captive_portal.probes import Answer, find
from gateway.errors import GatewayError

MAX_BODY_BYTES = 16 * 1024
BODY = "gjestenett.body"
Headers = Iterable[tuple[bytes, bytes]]
_TOO_OFTEN = [(b"content-type", b"text/plain"), (b"retry-after", b"1"), (b"connection", b"close")]


class Edge:
    """ASGI middleware over the guest pages."""

    def __init__(self, app: ASGIApp, site: Site, policy: PolicyReader) -> None:
        settings = site.services.settings
        self._app = app
        self._site = site
        self._policy = policy
        self._portal = f"{settings.public_url}/".encode()
        self._enforced = settings.enforcement.enabled
        self._peers, self._allowance = Peers(site.resolve), Allowance()
        self._let_in = let_in = LetIn(site.let_in) if self._enforced else None
        self.doorstep = Doorstep(
            site.own_hosts, self._portal, self._peers, self._allowance, let_in, lambda: policy.leads_here
        )
        self._tls_only = settings.portal.tls_certificate is not None and self._portal.startswith(b"https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no lifespan to run, no websockets to serve
        host, address = host_of(scope["headers"]), scope["client"][0] if scope.get("client") else ""
        if not self._allowance.take(self._peers.key(address)):
            await _answer(send, 429, b"too many requests\n", _TOO_OFTEN)
            return
        if host not in self._site.own_hosts:
            await self._stranger(scope, host, send)
            return
        if self._let_in is not None:
            self._let_in.sees_pages(self._peers.device(address))
        if self._tls_only and scope["scheme"] == "http" and scope["path"] != "/captive-portal/api":
            await self._to_tls(scope, send)
        elif scope["method"] == "POST":
            body = await _read_body(scope, receive)
            if body is None:
                await _answer(send, 413, b"too large\n", [(b"content-type", b"text/plain"), (b"connection", b"close")])
            else:
                scope[BODY] = body
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stranger(self, scope: Scope, host: str, send: Send) -> None:
        probe = find(host, scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        asked = self._enforced if probe is not None else self._policy.leads_here
        if not asked or not await asyncio.get_running_loop().run_in_executor(None, self._is_let_in, scope):
            await self._redirect(send)
        elif probe is not None:
            await _answer_probe(send, probe.online, with_body=scope["method"] == "GET")
        else:
            await self._explain(host, send)

    async def _explain(self, host: str, send: Send) -> None:
        """To the page that says why a site is closed: DNS has answered its name with our address."""
        name, problem = read_name(host)
        await self._redirect(send, b"" if problem else b"hvorfor?name=" + quote(name).encode())

    async def _to_tls(self, scope: Scope, send: Send) -> None:
        """The same page by HTTPS: people type an address as a page or a poster shows it, without a scheme."""
        path, query = scope["raw_path"].lstrip(b"/"), scope["query_string"]
        is_page = scope["method"] in ("GET", "HEAD")
        await self._redirect(send, path + (b"?" + query if query else b"") if is_page else b"")

    async def _redirect(self, send: Send, path: bytes = b"") -> None:
        headers = [(b"location", self._portal + path), (b"cache-control", b"no-store"), (b"connection", b"close")]
        await _answer(send, 302, b"", headers)

    def _is_let_in(self, scope: Scope) -> bool:
        """Whether the gateway lets the asking device through; where none holds back, whether it has accepted. No, while
        kernel or database can't say.

        An error here must not become a 500: Android would show no login window.
        """
        client = scope.get("client")
        try:
            neighbour = self._site.resolve(client[0]) if client else None
            if neighbour is None:
                return False
            state = self._site.status_of(neighbour, self._site.services.clock()).state
            return state == "online" if self._enforced else state != "not_accepted"
        except (GatewayError, OSError):
            return False


def host_of(headers: Headers) -> str:
    """The host asked for: lower case, without port, brackets or final dot. Empty unless there is exactly one Host."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        return ""
    return host_name(hosts[0])


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is, or says it will be, longer than allowed."""
    declared = [value for name, value in scope["headers"] if name == b"content-length"]
    if declared and (not declared[0].isdigit() or int(declared[0]) > MAX_BODY_BYTES):
        return None
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _answer_probe(send: Send, answer: Answer, *, with_body: bool) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    headers += [(b"cache-control", b"no-store"), (b"connection", b"close")]
    if answer.status != 204:
        headers.append((b"content-type", answer.content_type.encode()))
    await _answer(send, answer.status, answer.body if with_body else b"", headers)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    if status != 204:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
