"""Downloads from a real server that is polite, mistaken, slow, or lying."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from gateway.dns.upstreams.address import ServerAddress
from gateway.lists.addresses import upstream_resolver
from gateway.lists.download import DownloadLimits, Fetched, NotModified, fetch
from gateway.lists.errors import DownloadError

TEXT = b"a.no\nb.no\n"
QUICK = DownloadLimits(max_bytes=100_000, total_s=1.5, connect_s=1, read_s=0.7)


async def to_loopback(_host: str) -> list[str]:
    return ["127.0.0.1"]


def get(url: str, tmp_path: Path, **options: object):
    settings = {"internal": True, "limits": QUICK, **options}
    return fetch(url, tmp_path / "got", to_loopback, **settings)  # type: ignore[arg-type]


def refused(url: str, tmp_path: Path, **options: object) -> str:
    started = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        get(url, tmp_path, **options)
    assert time.monotonic() - started < 4
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_a_list_comes_with_its_validators(server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    url = server.put("/list", TEXT, ETag='"v1"', Last_Modified="Sun, 22 Nov 2026 10:00:00 GMT")
    got = get(url, tmp_path, watch=lambda done, total: seen.append((done, total)))
    assert got == Fetched(url, '"v1"', "Sun, 22 Nov 2026 10:00:00 GMT", len(TEXT))
    assert (tmp_path / "got").read_bytes() == TEXT
    assert seen[-1] == (len(TEXT), len(TEXT))


def test_what_is_unchanged_is_not_sent_again(server, tmp_path: Path) -> None:
    url = server.put("/list", b"", status="304 Not Modified")
    assert get(url, tmp_path, etag='"v1"', last_modified="Sun, 22 Nov 2026 10:00:00 GMT") == NotModified()
    request = server.requests[-1].lower()
    assert b'if-none-match: "v1"' in request
    assert b"if-modified-since: sun, 22 nov 2026 10:00:00 gmt" in request
    assert refused(url, tmp_path) == "status"  # unasked, 304 says nothing


def test_a_redirect_is_followed_and_the_host_kept_for_the_server(server, tmp_path: Path) -> None:
    server.put("/list", TEXT)
    server.put("/moved", b"", status="302 Found", Location=server.url("/list", "lists.localhost"))
    got = get(server.url("/moved", "lists.localhost"), tmp_path)
    assert isinstance(got, Fetched)
    assert got.url == server.url("/list", "lists.localhost")
    assert f"host: lists.localhost:{server.port}".encode() in server.requests[-1].lower()


def test_an_internal_source_leads_to_no_other_host_inside(server, tmp_path: Path) -> None:
    server.put("/secret", TEXT)
    for host in ("127.0.0.2", "localhost", "other.localhost"):
        url = server.put("/list", b"", status="302 Found", Location=server.url("/secret", host))
        assert refused(url, tmp_path) == "private_address"
    assert not any(b"/secret" in request for request in server.requests)


def test_redirects_to_private_addresses_are_refused_at_each_hop(server, tmp_path: Path) -> None:
    async def resolve(host: str) -> list[str]:
        return {"public.example": ["8.8.8.8"]}.get(host, ["10.0.0.1"])

    for url in (
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://intern.example/",
        "http://169.254.169.254/latest/meta-data",
    ):
        with pytest.raises(DownloadError) as caught:
            fetch(url, tmp_path / "got", resolve, limits=QUICK)
        assert caught.value.reason == "private_address"
    assert server.requests == []


def test_a_public_server_that_leads_into_the_house(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 127.0.0.1 stands for a public server here, and 127.0.0.2 for a private one.
    monkeypatch.setattr("gateway.lists.addresses.is_public", lambda address: address == "127.0.0.1")
    server.put("/secret", TEXT)
    url = server.put("/list", b"", status="301 Moved", Location=f"http://127.0.0.2:{server.port}/secret")
    assert refused(url, tmp_path, internal=False) == "private_address"
    assert len(server.requests) == 1


def test_redirects_for_ever_and_to_nowhere(server, tmp_path: Path) -> None:
    url = server.put("/loop", b"", status="302 Found", Location="/loop")
    assert refused(url, tmp_path, limits=replace(QUICK, total_s=3.5)) == "redirects"
    assert len(server.requests) == QUICK.redirects + 1
    assert refused(server.put("/no", b"", status="302 Found"), tmp_path) == "redirects"
    for nowhere in ("file:///etc/passwd", "gopher://x/", "http://[bad/", "http://u:p@127.0.0.1/"):
        assert refused(server.put("/x", b"", status="302 Found", Location=nowhere), tmp_path) in ("url", "redirects")


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "206 Partial Content", "999 What"])
def test_any_other_status_is_no_list(server, tmp_path: Path, status: str) -> None:
    assert refused(server.put("/list", b"x", status=status), tmp_path) == "status"


def test_too_large_by_its_own_word_or_by_what_comes(server, tmp_path: Path) -> None:
    assert refused(server.put("/told", b"", Content_Length="99999999999"), tmp_path) == "too_large"
    server.answers["/silent"] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"a.no\n" * 40_000
    assert refused(server.url("/silent"), tmp_path) == "too_large"
    server.answers["/chunked"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n") * 3
        + b"0\r\n\r\n"
    )
    assert refused(server.url("/chunked"), tmp_path) == "too_large"


def test_a_server_that_lies_about_length(server, tmp_path: Path) -> None:
    assert refused(server.put("/more", TEXT, Content_Length="5000"), tmp_path) == "connection"
    server.put("/less", TEXT, Content_Length="5")
    got = get(server.url("/less"), tmp_path)
    assert isinstance(got, Fetched)
    assert (tmp_path / "got").read_bytes() == TEXT[:5]  # the count against the last good list sees the rest
    for nonsense in ("-5", "five", "5, 6"):
        assert refused(server.put("/odd", TEXT, Content_Length=nonsense), tmp_path) == "connection"


def test_a_body_without_length_that_stops_within_a_line(server, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    packed = gzip.compress(TEXT)
    bodies = {
        TEXT + b"bank.no": TEXT,  # of bank.norway.example, perhaps
        TEXT: TEXT,
        b"x\n" * 40_000 + b"y" * 9_000: b"x\n" * 40_000,
        b"one.no": b"",
        packed + b"\n\0": packed + b"\n\0",
    }
    for body, kept in bodies.items():
        server.answers["/close"] = head + body
        got = get(server.url("/close"), tmp_path)
        assert (tmp_path / "got").read_bytes() == kept
        assert isinstance(got, Fetched)
        assert got.size_bytes == len(body)
    server.put("/told", TEXT + b"c.no")
    get(server.url("/told"), tmp_path)
    assert (tmp_path / "got").read_bytes() == TEXT + b"c.no"
    server.answers["/chunked"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nc.no\r\n0\r\n\r\n"
    get(server.url("/chunked"), tmp_path)
    assert (tmp_path / "got").read_bytes() == b"c.no"


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"])
def test_a_server_that_hangs(server, tmp_path: Path, after: bytes) -> None:
    def hang(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(after)
        server.stopping.wait(5)

    server.answers["/hang"] = hang
    assert refused(server.url("/hang"), tmp_path) == "timeout"
    server.stopping.set()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_server_that_drips_is_ended_by_the_total_time(server, tmp_path: Path, head: bytes) -> None:
    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head)
        while not server.stopping.wait(0.1):
            connection.sendall(b"x")

    server.answers["/drip"] = drip
    assert refused(server.url("/drip"), tmp_path) == "timeout"
    server.stopping.set()


def test_nobody_there_and_nonsense(server, tmp_path: Path) -> None:
    server.answers["/nonsense"] = b"\x00\xff not HTTP at all\r\n\r\n"
    assert refused(server.url("/nonsense"), tmp_path) == "connection"
    server.answers["/gone"] = lambda connection, _request: connection.close()
    assert refused(server.url("/gone"), tmp_path) == "connection"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert refused(f"http://127.0.0.1:{port}/", tmp_path) == "connection"


def test_what_it_packs_on_the_way_is_kept_packed(server, tmp_path: Path) -> None:
    packed = gzip.compress(b"\0" * 10_000_000)
    got = get(server.put("/z", packed, Content_Encoding="gzip"), tmp_path)
    assert isinstance(got, Fetched)
    assert got.size_bytes == len(packed)
    assert refused(server.put("/br", TEXT, Content_Encoding="br"), tmp_path) == "encoding"


@pytest.mark.parametrize(
    "url", ["", "ftp://a.no/x", "http://", "http://a:b@c.no/", "http://a.no:99999/", "file:///etc/passwd"]
)
def test_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    assert refused(url, tmp_path) == "url"


def test_names_are_found_through_the_configured_upstreams_and_not_through_our_own_dns(server, tmp_path: Path) -> None:
    """A bare UDP name server on loopback stands for the municipality's resolver."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.bind(("127.0.0.1", 0))
        upstream.settimeout(3)

        def answer() -> None:
            for _ in range(2):
                octets, peer = upstream.recvfrom(4096)
                query = dns.message.from_wire(octets)
                asked.append(query.question[0].name.to_text())
                response = dns.message.make_response(query)
                if query.question[0].rdtype == dns.rdatatype.A:
                    response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "127.0.0.1"))
                upstream.sendto(response.to_wire(), peer)

        thread = threading.Thread(target=answer)
        thread.start()
        resolve = upstream_resolver([ServerAddress("127.0.0.1", upstream.getsockname()[1])])
        server.put("/list", TEXT)
        got = fetch(server.url("/list", "lists.localhost"), tmp_path / "got", resolve, internal=True, limits=QUICK)
        thread.join()
    assert isinstance(got, Fetched)
    assert set(asked) == {"lists.localhost."}
