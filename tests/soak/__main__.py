"""`make soak`: a minute that fills the caches, then ten; exit code 1 where something was lost or grew."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak.run import FIRST_MINUTE_S, SoakError, missing, soak

LOST_OF = 100_000
"""At most one question in so many may be lost."""
GROWN_MAX_KB = 4096
"""How much more memory than after the first minute counts as flat: two tables of finished answers, half full."""


def main() -> int:
    """Run, print, judge."""
    options = argparse.ArgumentParser(prog="make soak", description=__doc__)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--rate", type=int, default=5000, help="questions a second")
    options.add_argument("--reload", type=float, default=5.0, help="seconds between two policies")
    options.add_argument("--workers", type=int, default=1)
    chosen = options.parse_args()
    why = missing()
    if why is not None:
        print(f"soak: {why}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="gjestenett-soak-") as folder:
        try:
            told = soak(Path(folder), chosen.seconds, chosen.rate, chosen.reload, chosen.workers, FIRST_MINUTE_S)
        except SoakError as problem:
            print(f"soak: {problem}", file=sys.stderr)
            return 2
    settled, last = told.memory_at(FIRST_MINUTE_S), told.memory_kb[-1][1]
    largest = max(kb for at, kb in told.memory_kb if at >= min(FIRST_MINUTE_S, told.memory_kb[-1][0]))
    print(
        f"{told.sent} questions in {chosen.seconds} s ({told.per_s:.0f}/s), {told.reloads} policies published, "
        f"{told.in_force - 1} of them taken into force"
    )
    print(f"lost: {told.lost}, of which the socket buffer dropped {told.dropped_by_buffer}; by us {told.lost_by_us}")
    print(f"memory (kB, anonymous): {settled} after {FIRST_MINUTE_S:.0f} s, {last} at the end, {largest} at most")
    minutes = [f"{told.memory_at(60.0 * minute)}" for minute in range(1, int(told.memory_kb[-1][0] // 60) + 1)]
    print(f"memory each minute (kB): {' '.join(minutes)}")
    print(
        f"latency (ms): mean {told.mean_ms:.3f}, max {told.max_ms:.1f} of the load; one at a time beside it median "
        f"{told.percentile_ms(0.5):.2f}, p99 {told.percentile_ms(0.99):.2f}, max {max(told.probes_ms):.1f}, "
        f"{told.probes_lost} of {len(told.probes_ms)} lost"
    )
    faults = []
    if told.lost_by_us * LOST_OF > told.sent:
        faults.append(f"more than 1 in {LOST_OF} was lost")
    if last - settled > GROWN_MAX_KB:
        faults.append("memory grew")
    for fault in faults:
        print(f"soak: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
