"""Runs the measurements named on the command line, or all, and says what machine they were taken on."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from tests.bench import index, judge, path
from tests.lab.world import missing

BENCHES = {"path": path.main, "index": index.main, "judge": judge.main}
IN_THE_LAB = {"path"}


def main(names: list[str]) -> int:
    """0 when every named measurement ran; 2 when one is unknown or can't run here."""
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no measurement {unknown[0]!r}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    wanted = names or list(BENCHES)
    why = missing() if IN_THE_LAB & set(wanted) else None
    if why is not None:
        print(f"the lab can't run here: {why}", file=sys.stderr)
        return 2
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown processor",
    )
    print(f"{processor}, Linux {platform.release()}, Python {platform.python_version()}", flush=True)
    for name in wanted:
        print(f"\n[{name}]", flush=True)
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
