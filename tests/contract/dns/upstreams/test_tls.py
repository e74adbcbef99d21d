"""By DoT: only who can prove to be the configured server is asked (RFC 7858, RFC 8310)."""

import os
import shutil
import subprocess

import dns.message
import pytest

from gateway.dns.errors import DnsSettingsError
from gateway.dns.upstreams.exchange import NoAnswer

TRUE, NAME = "198.51.100.1", "dns.storvik.test"


@pytest.fixture
def encrypted_unbound(authority, tmp_path):
    """A real resolver that serves DoT and DoH: its ports for both."""
    from tests.contract.dns.conftest import LOCAL_DATA, free_port, wait_for

    program = shutil.which("unbound") or "/usr/sbin/unbound"
    if not os.path.exists(program):
        pytest.skip("unbound is not installed")
    certificate, key, _ = authority.issue(NAME)
    tls, https = free_port(), free_port()
    data = "".join(f"  local-data: '{line}'\n" for line in LOCAL_DATA)
    (tmp_path / "unbound.conf").write_text(
        f"server:\n  interface: 127.0.0.1@{tls}\n  interface: 127.0.0.1@{https}\n"
        f"  tls-port: {tls}\n  https-port: {https}\n"
        f"  tls-service-pem: '{certificate}'\n  tls-service-key: '{key}'\n  do-daemonize: no\n  use-syslog: no\n"
        f"  chroot: ''\n  username: ''\n  pidfile: ''\n  directory: '{tmp_path}'\n  num-threads: 1\n"
        f"  local-zone: . static\n  local-data: '. 60 IN SOA a. b. 1 2 3 4 30'\n{data}"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(tmp_path / "unbound.conf")], stderr=log)

    def listens() -> bool:
        import socket

        assert process.poll() is None, (tmp_path / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", tls), timeout=1).close()
            socket.create_connection(("127.0.0.1", https), timeout=1).close()
        except OSError:
            return False
        return True

    wait_for(listens)
    yield tls, https
    process.terminate()
    process.wait(timeout=5)


def truth(answer_truly):
    def serve(talk, number: int) -> None:
        while True:
            talk.write(answer_truly(talk.read()))

    return serve


def test_a_real_resolver(outside, encrypted_unbound, authority) -> None:
    out = outside(f"tls://127.0.0.1:{encrypted_unbound[0]}#{NAME}", ca_file=str(authority.file))
    assert out.ask("ok.example") == "198.51.100.7"
    futures = out.start(*(f"name{number}.example" for number in range(100)))
    assert {future.result(timeout=10).rcode for future in futures} == {3}
    assert out.reports[0].connections <= 4


def test_doh_of_a_real_resolver(outside, encrypted_unbound, authority) -> None:
    """RFC 8484 over HTTP/2, which is all that unbound speaks."""
    out = outside(f"https://127.0.0.1:{encrypted_unbound[1]}/dns-query#{NAME}", ca_file=str(authority.file))
    assert out.ask("ok.example") == "198.51.100.7"
    futures = out.start(*(f"name{number}.example" for number in range(50)))
    assert {future.result(timeout=10).rcode for future in futures} == {3}


@pytest.mark.parametrize("fault", ["another name", "expired", "unknown authority", "another key"])
def test_who_cannot_prove_it_is_not_asked(outside, stream_server, answer_truly, authority, fault: str) -> None:
    """RFC 7858 §4.2, RFC 8310 §5: strict, so no answer rather than a stranger's."""
    heard: list[bytes] = []

    def serve(talk, number: int) -> None:
        heard.append(talk.read())
        talk.write(answer_truly(heard[-1]))

    shown = "other.test" if fault == "another name" else NAME
    context = authority.context(shown, days=-1 if fault == "expired" else 30)
    ca_file = "" if fault == "unknown authority" else str(authority.file)
    pin = ",pin-sha256=" + authority.issue("third.test")[2] if fault == "another key" else ""
    server = stream_server(serve, context=context)
    out = outside(f"tls://127.0.0.1:{server.port}#{NAME}{pin}", ca_file=ca_file)
    outcome = out.ask("ok.example", within_s=2)
    assert isinstance(outcome, NoAnswer)
    assert heard == []
    assert out.failures()["certificate"] >= 1
    assert out.reports[0].state == "down"


def test_a_name_that_fails_then_the_next_server(outside, stream_server, answer_truly, authority) -> None:
    bad = stream_server(truth(answer_truly), context=authority.context("other.test"))
    good = stream_server(truth(answer_truly), context=authority.context(NAME))
    out = outside(*(f"tls://127.0.0.1:{each.port}#{NAME}" for each in (bad, good)), ca_file=str(authority.file))
    assert out.ask("ok.example") == TRUE


def test_a_pinned_key_needs_no_authority(outside, stream_server, answer_truly, authority) -> None:
    """RFC 7858 §4.2 and appendix A: of several pins one is enough, so that a key can be changed."""
    import ssl

    certificate, key, pin = authority.issue("any.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = stream_server(truth(answer_truly), context=context)
    spare = authority.issue("spare.test")[2]
    out = outside(f"tls://127.0.0.1:{server.port}#pin-sha256={spare},pin-sha256={pin}")
    assert out.ask("ok.example") == TRUE


def test_an_address_in_the_certificate_is_a_name_too(outside, stream_server, answer_truly, authority) -> None:
    server = stream_server(truth(answer_truly), context=authority.context("127.0.0.1"))
    out = outside(f"tls://127.0.0.1:{server.port}#127.0.0.1", ca_file=str(authority.file))
    assert out.ask("ok.example") == TRUE


def test_the_length_tells_little_of_the_name(outside, stream_server, answer_truly, authority) -> None:
    """RFC 8467 §4.1: queries are padded to a multiple of 128 bytes."""
    heard: list[bytes] = []

    def serve(talk, number: int) -> None:
        while True:
            heard.append(talk.read())
            talk.write(answer_truly(heard[-1]))

    server = stream_server(serve, context=authority.context(NAME))
    out = outside(f"tls://127.0.0.1:{server.port}#{NAME}", ca_file=str(authority.file))
    for name in ("a.example", "somewhat.longer.example", "www.avery.much.longer.name.than.the.others.example"):
        assert out.ask(name) == TRUE
    assert {len(packet) for packet in heard} == {128}
    assert all(dns.message.from_wire(packet).payload == 1232 for packet in heard)


def test_an_authority_file_that_cannot_be_used_is_said_at_start(outside, tmp_path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(DnsSettingsError, match="upstream_ca"):
        outside(f"tls://127.0.0.1#{NAME}", ca_file=str(tmp_path / "ca.pem"))
