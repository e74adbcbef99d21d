"""How a server is written, and what is said when it is not written so."""

import base64
import json

import pytest

from gateway.dns.errors import DnsSettingsError
from gateway.dns.upstreams.address import ServerAddress, parse_server

PIN = base64.b64encode(bytes(range(200, 232))).decode()


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", ("192.0.2.1", 5353)),
        ("192.0.2.1#5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("2001:db8::1#5353", ("2001:db8::1", 5353)),
        ("udp://192.0.2.1", ("192.0.2.1", 53)),
        ("tcp://192.0.2.1", ("192.0.2.1", 53, "tcp")),
        ("tls://192.0.2.1#dns.example.no", ("192.0.2.1", 853, "tls", "dns.example.no")),
        ("tls://[2001:db8::1]:8853#DNS.example.no.", ("2001:db8::1", 8853, "tls", "dns.example.no")),
        ("tls://2001:db8::1#192.0.2.1", ("2001:db8::1", 853, "tls", "192.0.2.1")),
        (f"tls://192.0.2.1#pin-sha256={PIN}", ("192.0.2.1", 853, "tls", "", (PIN,))),
        (f"tls://192.0.2.1#a.no,pin-sha256={PIN}", ("192.0.2.1", 853, "tls", "a.no", (PIN,))),
        ("https://192.0.2.1/dns-query#a.no", ("192.0.2.1", 443, "https", "a.no", (), "/dns-query")),
        ("https://192.0.2.1#a.no", ("192.0.2.1", 443, "https", "a.no", (), "/dns-query")),
        ("https://[2001:db8::1]:8443/q/x#a.no", ("2001:db8::1", 8443, "https", "a.no", (), "/q/x")),
    ],
)
def test_servers(text: str, server: tuple) -> None:
    assert parse_server(text) == ServerAddress(*server)
    assert ServerAddress.from_row(json.loads(json.dumps(parse_server(text)))) == ServerAddress(*server)


@pytest.mark.parametrize(
    "text",
    ["dns.example", "192.0.2.1:0", "192.0.2.1:x", "192.0.2.1:70000", "", "::1]x", "tls://dns.example#dns.example",
     "192.0.2.1@853#dns.example", "https:///dns-query#a.no"],
)  # fmt: skip
def test_without_a_numeric_address_it_says_how_to_write_one(text: str) -> None:
    with pytest.raises(DnsSettingsError, match="write a numeric address"):
        parse_server(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quic://192.0.2.1", "quic:// is not known"),
        ("tls://192.0.2.1", r"as in tls://192.0.2.1#dns.example.no"),
        ("https://192.0.2.1/dns-query", r"as in https://192.0.2.1#dns.example.no"),
        ("tls://192.0.2.1/path#a.no", "only https:// has a path"),
        ("tcp://192.0.2.1/path", "only https:// has a path"),
        ("tls://192.0.2.1#a.no,b.no", "only one name"),
        ("tls://192.0.2.1#-a-.no", "not a host name"),
        ("tls://192.0.2.1#pin-sha256=AAAA", "32 bytes"),
        ("tls://192.0.2.1#pin-sha256=%", "32 bytes"),
        (f"https://192.0.2.1#a.no,pin-sha256={PIN}", "takes no pin"),
        (f"https://192.0.2.1#pin-sha256={PIN}", "needs the certificate's name"),
        ("https://192.0.2.1/dns-query{?dns}#a.no", "as in /dns-query"),
    ],
)
def test_what_else_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(DnsSettingsError, match=said.replace("?", r"\?")):
        parse_server(text)


def test_text_for_reports() -> None:
    assert str(parse_server("192.0.2.1")) == "192.0.2.1:53"
    assert str(parse_server("https://[2001:db8::1]#a.no")) == "https://[2001:db8::1]:443/dns-query"
