"""The real enforcer on the real kernel, with intent from a file: `python -m tests.lab.enforce INTENT RECORD`.

INTENT holds a JSON list of admissions and is replaced by rename, or an object of `admissions`, `outages` and `blocked`;
RECORD gets one JSON line for each report.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.firewall import sysctl
from gateway.firewall.config import firewall_config
from gateway.firewall.enforcer import Enforcer
from gateway.firewall.errors import DesiredUnavailableError
from gateway.firewall.meter import Octets
from gateway.firewall.nft import NftFirewall
from gateway.firewall.plan import Admission
from gateway.firewall.posture import Intent, Outage
from gateway.link.routes import non_default_routes
from gateway.settings import Enforcement, Portal, Settings
from tests.lab import topology as net


class FileDesired:
    """Intent in a file. A missing file is a database that is away."""

    def __init__(self, intent: Path, record: Path) -> None:
        self._intent, self._record = intent, record
        self._seen = (0, 0)

    def load(self) -> Intent:
        try:
            self._seen = self._version()
            items = json.loads(self._intent.read_text())
        except FileNotFoundError as error:
            raise DesiredUnavailableError(f"{self._intent} is missing") from error
        whole = items if isinstance(items, dict) else {"admissions": items}
        return Intent(
            tuple(Admission(**_with_end(item)) for item in whole.get("admissions", ())),
            tuple(Outage(**_with_end(item)) for item in whole.get("outages", ())),
            {mac: datetime.fromisoformat(ends_at) for mac, ends_at in whole.get("blocked", {}).items()},
        )

    def record(self, applied: Sequence[str], removed: Sequence[str]) -> None:
        self._write({"applied": list(applied), "removed": list(removed)})

    def record_switched(self, network_ids: Sequence[str]) -> None:
        self._write({"switched": list(network_ids)})

    def record_octets(self, counted: Mapping[str, Octets]) -> None:
        self._write({"octets": counted})

    def _write(self, line: dict[str, object]) -> None:
        with self._record.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if self._version() != self._seen:
                    return True
            except FileNotFoundError as error:
                raise DesiredUnavailableError(f"{self._intent} is missing") from error
            time.sleep(0.01)
        return False

    def _version(self) -> tuple[int, int]:
        told = self._intent.stat()
        return told.st_ino, told.st_mtime_ns


def _with_end(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "ends_at": datetime.fromisoformat(item["ends_at"])}


def settings() -> Settings:
    """The settings of the lab's gateway."""
    return Settings(
        portal=Portal(tls_certificate=Path("portal.pem")),  # only that there is one matters here
        enforcement=Enforcement(
            enabled=True,
            guest_interfaces=(net.GUEST_IF,),
            guest_addresses=(net.GUEST4, net.GUEST6),  # type: ignore[arg-type]
            uplink=net.UPLINK_IF,
        ),
    )


def main() -> None:
    """Run until killed."""
    enforcer = Enforcer(
        FileDesired(Path(sys.argv[1]), Path(sys.argv[2])),
        NftFirewall(),
        firewall_config(settings()),
        routes=non_default_routes,
        prepare=lambda: sysctl.apply(sysctl.gateway_settings(net.UPLINK_IF)),
    )
    enforcer.run(threading.Event())


if __name__ == "__main__":
    main()
