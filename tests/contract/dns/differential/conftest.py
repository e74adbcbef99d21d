"""An unbound that resolves the zones; before it another unbound that forwards, and our worker beside that one."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.dns.conftest import Worker, ask, free_port, wait_for

from .zones import child_zone, root_zone

SEED = 20261126
_COMMON = """server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  chroot: ''
  username: ''
  pidfile: ''
  directory: '{folder}'
  num-threads: 1
  module-config: iterator
  do-not-query-localhost: no
  minimal-responses: yes
  rrset-roundrobin: no
  max-udp-size: 1232
"""
_RESOLVER = """  qname-minimisation: no
auth-zone:
  name: .
  zonefile: root.zone
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
auth-zone:
  name: child.example
  zonefile: child.zone
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
"""
_FORWARDER = """forward-zone:
  name: .
  forward-addr: 127.0.0.1@{upstream}
"""
_numbers = itertools.count()


def _start(folder: Path, program: str, text: str, port: int) -> subprocess.Popen[bytes]:
    config = folder / f"unbound{next(_numbers)}.conf"
    config.write_text(text)
    with config.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(config)], stderr=log)

    def answers() -> bool:
        assert process.poll() is None, config.with_suffix(".log").read_text()
        try:
            return bool(ask(port, "ns.root.example", timeout_s=0.3).answer)
        except Exception:
            return False

    wait_for(answers)
    return process


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The ports of the forwarding unbound and of our worker."""
    program = shutil.which("unbound") or "/usr/sbin/unbound"
    if not os.path.exists(program):
        if os.environ.get("CI"):
            pytest.fail("unbound is missing: apt-get install unbound")
        pytest.skip("unbound is not installed")
    folder = tmp_path_factory.mktemp("differential")
    (folder / "root.zone").write_text(root_zone(SEED))
    (folder / "child.zone").write_text(child_zone())
    upstream, theirs = free_port(), free_port()
    started = [_start(folder, program, _COMMON.format(port=upstream, folder=folder) + _RESOLVER, upstream)]
    worker = None
    try:
        forwarder = _COMMON.format(port=theirs, folder=folder) + _FORWARDER.format(upstream=upstream)
        started.append(_start(folder, program, forwarder, theirs))
        worker = Worker(folder, [upstream])
        worker.publish()
        wait_for(lambda: worker.ask("game.example").rcode() == 0)
        yield theirs, worker.port
    finally:
        if worker is not None:
            worker.stop()
        for process in started:
            process.terminate()
            process.wait(timeout=5)
