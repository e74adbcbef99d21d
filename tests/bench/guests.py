"""Many guests who accept at once, as the portal sees them: each has an address and so a device of its own.

Run in the guests' namespace: `python -m tests.bench.guests PORTAL PORT FIRST COUNT AT_ONCE [PER_S]`; prints JSON. Each
asks for the form, posts it, and asks for the page it is sent to, on one connection, as a browser does. Device N has the
address `address(N)`.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import sys
import threading
import time
from urllib.parse import urlencode

_TOKEN = re.compile(rb'name="token" value="([^"]+)"')


def address(device: int) -> str:
    """The address of a device, of 10.78.0.0/16."""
    return f"10.78.{1 + device // 250}.{1 + device % 250}"


def mac(device: int) -> str:
    """Its link-layer address."""
    return f"02:00:00:78:{device >> 8:02x}:{device & 255:02x}"


def accept(portal: str, port: int, device: int) -> tuple[float, float]:
    """Milliseconds that everything took, and the POST of it. Raises: AssertionError when it was not accepted."""
    fields = {"name": f"Gjest {device}", "organisation": "Studieforbundet", "contact": ""}
    started = time.perf_counter()
    connection = http.client.HTTPConnection(portal, port, timeout=60, source_address=(address(device), 0))
    _, page = _ask(connection, "GET", "/", 200)
    found = _TOKEN.search(page)
    assert found is not None, page
    body = urlencode(fields | {"token": html.unescape(found[1].decode())})
    posted = time.perf_counter()
    location, _ = _ask(connection, "POST", "/accept", 303, body)
    answered = time.perf_counter()
    _ask(connection, "GET", location, 200)
    connection.close()
    return 1000 * (time.perf_counter() - started), 1000 * (answered - posted)


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, status: int, body: str = ""
) -> tuple[str, bytes]:
    headers = {"Accept-Language": "nb"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == status, (answer.status, content)
    return answer.headers.get("Location", ""), content


def main(portal: str, port: int, first: int, count: int, at_once: int, per_s: int = 0) -> dict[str, object]:
    """`count` guests from device `first` on, `at_once` of them at a time: seconds in all, and milliseconds of each.

    With `per_s` no more than so many begin a second.
    """
    devices = iter(range(first, first + count))
    lock, took, failed = threading.Lock(), [], []

    def work() -> None:
        while True:
            with lock:
                device = next(devices, None)
            if device is None:
                return
            if per_s:
                time.sleep(max(0.0, started + (device - first) / per_s - time.perf_counter()))
            try:
                took.append(accept(portal, port, device))
            except (AssertionError, OSError, http.client.HTTPException) as error:
                failed.append(repr(error)[:300])

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "took": took, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:]))))
