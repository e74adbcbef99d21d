"""How an upstream server is written in the settings: plain address, `tcp://`, `tls://` (DoT) or `https://` (DoH). Pure.

Always a numeric address, which doubles as the bootstrap: a resolver cannot ask itself where its upstream is.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import ip_address
from typing import Any, NamedTuple

from gateway.dns.errors import DnsSettingsError

_PORTS = {"udp": 53, "tcp": 53, "tls": 853, "https": 443}
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,200}")
_PIN = "pin-sha256="


class ServerAddress(NamedTuple):
    """One server. `name` is what its certificate must hold, `pins` the SHA-256 of public keys (base64) of which it
    must have one (RFC 7858 §4.2); both only for `tls`, a name and a `path` for `https`.
    """

    host: str
    port: int
    protocol: str = "udp"
    name: str = ""
    pins: tuple[str, ...] = ()
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'' if self.protocol == 'udp' else self.protocol + '://'}{host}:{self.port}{self.path}"

    @classmethod
    def from_row(cls, row: list[Any]) -> ServerAddress:
        """From what JSON makes of it; what is left out at the end has its default."""
        server = cls(*row)
        return server._replace(pins=tuple(server.pins))


def parse_server(text: str) -> ServerAddress:
    """Read a server as written in the settings.

    `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`; `tcp://…` (never by UDP);
    `tls://192.0.2.53#dns.example.no` (the name after `#` is what the certificate must hold), with a pin instead or too
    as `#dns.example.no,pin-sha256=…`; `https://192.0.2.53/dns-query#dns.example.no`. A plain address may also have its
    port after `#`, as dnsmasq writes it.
    Raises: DnsSettingsError saying how to write it.
    """
    protocol, separator, rest = text.strip().partition("://")
    if not separator:
        protocol, rest = "udp", text.strip()
    if protocol not in _PORTS:
        raise DnsSettingsError(f"upstream {text!r}: {protocol}:// is not known; use tcp://, tls:// or https://")
    rest, _, fragment = rest.partition("#")
    at, slash, path = rest.partition("/")
    encrypted = protocol in {"tls", "https"}
    host, port = _host_and_port(text, at, "" if encrypted else fragment, _PORTS[protocol])
    if slash and protocol != "https":
        raise DnsSettingsError(f"upstream {text!r}: only https:// has a path")
    if not encrypted:
        return ServerAddress(host, port, protocol)
    name, pins = _identity(text, fragment, f"{protocol}://{at}")
    if protocol == "tls":
        return ServerAddress(host, port, protocol, name, pins)
    path = f"/{path}" if path else "/dns-query"
    if not _PATH.fullmatch(path):
        raise DnsSettingsError(f"upstream {text!r}: the path after the address is not one, as in /dns-query")
    if pins or not name:
        raise DnsSettingsError(f"upstream {text!r}: https:// needs the certificate's name after #, and takes no pin")
    return ServerAddress(host, port, protocol, name, (), path)


def _host_and_port(text: str, at: str, port: str, usual: int) -> tuple[str, int]:
    host = at
    if not port:
        if host.startswith("["):
            host, _, rest = host[1:].partition("]")
            port = rest.removeprefix(":")
        elif host.count(":") == 1:
            host, _, port = host.partition(":")
    try:
        number = int(port or usual)
        ip_address(host)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise DnsSettingsError(
            f"upstream {text!r}: write a numeric address, with a port as 192.0.2.1:53 or [2001:db8::1]:53, "
            "encrypted as tls://192.0.2.1#name or https://192.0.2.1/dns-query#name"
        )
    return host, number


def _identity(text: str, fragment: str, before: str) -> tuple[str, tuple[str, ...]]:
    """The certificate's name and the pins after `#`: at least one of them, or nobody would know who answers."""
    name, pins = "", []
    for part in filter(None, fragment.split(",")):
        if part.startswith(_PIN):
            pins.append(_pin(text, part.removeprefix(_PIN)))
        elif name:
            raise DnsSettingsError(f"upstream {text!r}: only one name after #")
        else:
            name = part.lower().rstrip(".")
            if not _is_name(name):
                raise DnsSettingsError(f"upstream {text!r}: {part!r} is not a host name")
    if not name and not pins:
        raise DnsSettingsError(
            f"upstream {text!r}: say which name its certificate must hold, as in {before}#dns.example.no"
        )
    return name, tuple(pins)


def _is_name(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return bool(_NAME.fullmatch(name))
    return True


def _pin(text: str, pin: str) -> str:
    try:
        size = len(base64.b64decode(pin, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise DnsSettingsError(f"upstream {text!r}: pin-sha256 is the base64 of the 32 bytes of a SHA-256")
    return pin
