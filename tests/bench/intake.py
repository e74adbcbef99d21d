"""Taking in a published list of ten million lines: the memory and time of the process that does it.

The list is made up, in no order, with a rejected line in a thousand, and is taken in as a file by the very command that
people type.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.index import names

LINES = 10_000_000
BLOCK = 10_000


def _write(path: Path) -> None:
    with path.open("w", encoding="ascii") as file:
        for first in range(0, LINES, BLOCK):
            block = list(names(first, first + BLOCK - BLOCK // 1000))
            file.write("\n".join([*block, *("192.0.2.1" for _ in range(BLOCK // 1000))]) + "\n")


def _child(arguments: list[str]) -> None:
    """Run the command, and print the most memory that it had and its processor time."""
    from click.testing import CliRunner

    from gateway.cli import cli

    started, cpu = time.monotonic(), time.process_time()
    done = CliRunner().invoke(cli, arguments)
    # Not ru_maxrss: that of a child begins with what its parent had.
    told = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_mb = next(int(line.split()[1]) for line in told if line.startswith("VmHWM:")) / 1024
    print(done.output.strip().splitlines()[-1])
    print(f"{done.exit_code} {peak_mb:.0f} {time.monotonic() - started:.0f} {time.process_time() - cpu:.0f}")


def main() -> None:
    """Print lines, names, peak memory and time."""
    with tempfile.TemporaryDirectory() as folder:
        path, state = Path(folder) / "list.txt", Path(folder) / "state"
        _write(path)
        size_mb = path.stat().st_size >> 20
        prepare = [sys.executable, "-m", "gateway.cli", "--state", str(state), "db", "upgrade"]
        subprocess.run(prepare, check=True, capture_output=True)
        command = ["--state", str(state), "lists", "import", "gambling", str(path), "--name", "bench"]
        child = [sys.executable, "-m", "tests.bench.intake", *command]
        told = subprocess.run(child, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    code, peak_mb, wall_s, cpu_s = told[-1].split()
    if code != "0":
        raise SystemExit(f"the list was not taken in: {told[0]}")
    print(f"{LINES:,} lines of {size_mb} MB: at most {peak_mb} MB of memory (wanted <= 200), "
          f"{wall_s} s, {cpu_s} s of processor time")  # fmt: skip
    print(told[0])


if __name__ == "__main__":
    _child(sys.argv[1:])
