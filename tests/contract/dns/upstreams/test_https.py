"""By DoH, at a server that shows what it was asked (RFC 8484)."""

import logging
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.dns.upstreams.exchange import NoAnswer

TRUE, NAME = "198.51.100.1", "dns.storvik.test"


@pytest.fixture
def web(authority, answer_truly):
    """An HTTP/1.1 server with TLS; `fault` says what is wrong with it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < 128:  # the client has given it up
                self.close_connection = True
                return
            server.asked.append((self.path, dict(self.headers), body))
            status, kind, answer = 200, "application/dns-message", answer_truly(body)
            if server.fault == "status":
                status = 503
            elif server.fault == "type":
                kind = "text/html"
            elif server.fault == "question":
                answer = answer_truly(body[:13] + b"zz" + body[15:])
            elif server.fault == "long":
                answer += bytes(70000)
            elif server.fault == "broken":
                answer = answer[:-1]
            elif server.fault == "truncated":
                answer = answer[:2] + b"\x83" + answer[3:]
            elif server.fault == "silent" or (server.slow and server.slow in body.lower()):
                server.silent.wait(timeout=10)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        fault = ""
        slow = b""

        def handle_error(self, request, client_address) -> None:
            assert isinstance(sys.exception(), OSError)

    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    server.names = []
    context = authority.context(NAME)
    context.sni_callback = lambda connection, name, _: server.names.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def doh(outside, web, authority):
    def make(*others: str, name: str = NAME):
        port = web.server_address[1]
        return outside(f"https://127.0.0.1:{port}/q#{name}", *others, ca_file=str(authority.file), timeout_s=2.0)

    return make


def test_one_post_to_the_given_address_under_the_given_name(doh, web) -> None:
    out = doh()
    assert out.ask("ok.example") == TRUE
    ((path, headers, body),) = web.asked
    assert path == "/q"
    assert headers["Host"] == f"{NAME}:{web.server_address[1]}"
    assert web.names == [NAME]
    assert (headers["Content-Type"], headers["Accept"]) == ("application/dns-message", "application/dns-message")
    assert body[:2] == b"\0\0"  # RFC 8484 §4.1
    assert len(body) == 128  # RFC 8467
    (report,) = out.reports
    assert (report.protocol, report.sent, report.answered, report.outstanding) == ("https", 1, 1, 0)


def test_many_at_once_over_few_connections(doh, web) -> None:
    futures = doh().start(*(f"name{number}.example" for number in range(60)))
    assert all(future.result(timeout=6).records for future in futures)
    assert len(web.names) <= 16


@pytest.mark.parametrize("fault", ["status", "type", "question", "long", "broken"])
def test_what_is_no_answer_goes_to_the_next(doh, web, unbound, fault: str) -> None:
    web.fault = fault
    assert doh(f"127.0.0.1:{unbound}").ask("ok.example") == "198.51.100.7"


def test_another_certificate_is_not_asked(doh, web) -> None:
    out = doh(name="other.test")
    assert isinstance(out.ask("ok.example"), NoAnswer)
    assert web.asked == []
    assert out.failures()["certificate"] >= 1


def test_workers_that_do_not_use_it_do_not_load_the_library() -> None:
    import subprocess

    code = "import sys, gateway.dns.worker; sys.exit('httpx' in sys.modules or 'cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_certificate_context_is_strict(authority) -> None:
    from gateway.dns.upstreams.address import parse_server
    from gateway.dns.upstreams.tls import client_context

    context = client_context(parse_server(f"https://127.0.0.1#{NAME}"), str(authority.file))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_recovery_of_a_server_that_forgot_its_connections(doh, web, answer_truly) -> None:
    """While it is silent it becomes down; the probes that find it again go on connections of their own."""
    from tests.contract.dns.conftest import wait_for

    web.silent = threading.Event()
    out = doh()
    assert out.ask("ok.example") == TRUE
    web.fault = "silent"
    futures = out.start(*(f"name{number}.example" for number in range(4)))
    assert all(isinstance(future.result(timeout=6), NoAnswer) for future in futures)
    wait_for(lambda: out.reports[0].state == "down")
    web.fault = ""
    started = time.monotonic()
    wait_for(lambda: out.reports[0].state == "up")
    assert time.monotonic() - started < 2.0
    web.silent.set()


def test_truncation_in_a_stream_is_no_answer(doh, web, unbound) -> None:
    web.fault = "truncated"
    assert doh(f"127.0.0.1:{unbound}").ask("ok.example") == "198.51.100.7"


def test_nothing_is_logged_of_a_question(doh, web, caplog) -> None:
    """A line a question would be a record of when who was online; the worker logs from INFO on."""
    caplog.set_level(logging.INFO)
    assert doh().ask("ok.example") == TRUE
    assert caplog.records == []


def test_what_has_been_given_up_frees_its_connection(doh, web) -> None:
    """Over HTTP/1.1 a question holds a connection: so many slow names as there are connections must not stop it."""
    web.silent = threading.Event()
    web.fault = "silent"
    out = doh()
    slow = out.start(*(f"slow{number}.example" for number in range(16)))
    assert all(isinstance(future.result(timeout=3), NoAnswer) for future in slow)  # after 2 s, the library's is 4
    web.fault = ""
    assert out.ask("ok.example", within_s=1.5) == TRUE
    assert out._call(lambda: len(out.upstreams._servers._rest.upstreams[0].usual._tasks)) == 0
    web.silent.set()


def test_a_probe_has_a_connection_of_its_own(doh, web) -> None:
    """And slow names alone do not make the server down."""
    web.silent = threading.Event()
    web.slow = b"slow"
    out = doh()
    for future in out.start(*(f"name{number}.example" for number in range(16))):  # so that the connections stand
        assert future.result(timeout=6).records
    out.start(*(f"slow{number}.example" for number in range(20)))
    states, until = set(), time.monotonic() + 1.9
    while time.monotonic() < until:
        states.add(out.reports[0].state)
        time.sleep(0.02)
    web.silent.set()
    assert "down" not in states


def test_slow_names_do_not_stop_http_1(doh, web) -> None:
    """After a second the slowest give way to who waits for a connection."""
    web.silent = threading.Event()
    web.slow = b"slow"
    out = doh()
    out.start(*(f"slow{number}.example" for number in range(16)))
    time.sleep(1.1)
    assert out.ask("ok.example", within_s=0.8) == TRUE
    web.silent.set()


def test_without_http_2_it_is_said_once(caplog, monkeypatch) -> None:
    from gateway.dns.upstreams import servers
    from gateway.dns.upstreams.address import parse_server

    doh, plain = parse_server(f"https://127.0.0.1#{NAME}"), parse_server("127.0.0.1")
    servers.advise([doh, plain])
    assert caplog.records == []
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    servers.advise([plain])
    assert caplog.records == []
    servers.advise([doh, plain, doh])
    (record,) = caplog.records
    assert "gjestenett[doh]" in record.getMessage()
