"""A real DNS worker over a portal's own state: it serves a policy, and tells the portal what a device was refused."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.dns.config import DnsConfig, refused_folder
from gateway.lists.publish import publish
from tests.contract.dns.conftest import free_port


@contextmanager
def running_name_service(portal: Any, snapshot: bytes) -> Iterator[int]:
    """Publish the snapshot into the portal's state and serve it. Gives the UDP port on loopback."""
    settings = portal.services.settings
    publish(settings.state, snapshot)
    config = DnsConfig(
        listen=("127.0.0.1",),
        port=free_port(),
        workers=1,
        upstreams=(),
        sources=(("127.0.0.0/8", "default"),),
        private_zones=(),
        portal_hostname="gjest.internal",
        portal_addresses=("127.0.0.1",),
        snapshot=str(settings.state / "policy" / "current.snapshot"),
        refused_folder=str(refused_folder(settings)),
    )
    worker = subprocess.Popen([sys.executable, "-P", "-m", "gateway.dns.worker", config.to_json()])
    try:
        deadline = time.monotonic() + 60
        while not list(refused_folder(settings).glob("*.sock")):
            assert worker.poll() is None, "the name service ended at once"
            assert time.monotonic() < deadline, "the name service did not start within 60 s"
            time.sleep(0.05)
        yield config.port
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
