"""Runs the measurements named on the command line, or all, and says what machine they were taken on."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from tests.bench import (
    accept,
    classify,
    export,
    first_page,
    index,
    intake,
    judge,
    online,
    overview,
    path,
    portal,
    seal,
    search,
    tables,
    verify,
)
from tests.bench.dns import run as dns
from tests.lab.world import missing

ALONE = {
    "dns": dns.main,
    "online": online.main,
    "overview": overview.main,
    "portal": portal.main,
    "search": search.main,
    "tables": tables.main,
    "verify": verify.main,
}
"""Measurements that take options and that a run of all leaves out."""
BENCHES = {
    "path": path.main,
    "accept": accept.main,
    "first_page": first_page.main,
    "index": index.main,
    "intake": intake.main,
    "classify": classify.main,
    "judge": judge.main,
    "seal": seal.main,
    "export": export.main,
}
IN_THE_LAB = {"path", "accept", "portal"}


def main(names: list[str]) -> int:
    """0 when every named measurement ran; 2 when one is unknown or can't run here."""
    if names and names[0] in ALONE:
        if names[0] in IN_THE_LAB and (lacking := missing()) is not None:
            print(f"the lab can't run here: {lacking}", file=sys.stderr)
            return 2
        print(machine(), flush=True)
        return ALONE[names[0]](names[1:])
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no measurement {unknown[0]!r}; there are: {', '.join([*BENCHES, *ALONE])}", file=sys.stderr)
        return 2
    wanted = names or list(BENCHES)
    why = missing() if IN_THE_LAB & set(wanted) else None
    if why is not None:
        print(f"the lab can't run here: {why}", file=sys.stderr)
        return 2
    print(machine(), flush=True)
    for name in wanted:
        print(f"\n[{name}]", flush=True)
        BENCHES[name]()
    return 0


def machine() -> str:
    """Processor, kernel and Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "unknown processor")
    return f"{processor}, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
