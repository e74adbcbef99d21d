"""`gjestenett policy classify` on a snapshot of a million names: names a second of one core, with start and output."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from policies.document import default_document
from tests.bench.index import MadeList, _asked

LISTED = 1_000_000
TIMES = 10


def main() -> None:
    """Print names a second of processor time, for both kinds of output."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        lists = [MadeList("adult", 0, LISTED // 2), MadeList("gambling", LISTED // 2, LISTED)]
        publish(state, compile_policy(default_document(), 1, lists=lists))
        asked = _asked(LISTED) * TIMES
        source, out = Path(folder) / "names", Path(folder) / "out"
        source.write_text("\n".join(asked) + "\n")
        for option in ([], ["--json"]):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "gateway.cli", "--state", str(state), "policy", "classify", *option]
            with source.open("rb") as given, out.open("wb") as taken:
                subprocess.run(command, stdin=given, stdout=taken, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            lines = out.read_bytes().splitlines()
            hits = sum(b"bench/" in line for line in lines)
            if (len(lines), hits) != (len(asked), len(asked) // 2):
                raise SystemExit(f"{len(lines)} lines and {hits} hits for {len(asked)} names")
            print(f"{' '.join(option) or 'tabs':6} {len(asked):,} names of four labels, half of them listed: "
                  f"{len(asked) / cpu_s:,.0f} names a second of processor time (wanted >= 100,000)")  # fmt: skip


if __name__ == "__main__":
    main()
