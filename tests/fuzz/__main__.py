"""`make fuzz`: atheris, guided by coverage, on each entry point for a bounded time; what it finds is written down.

`ARGS="reply --seconds 600"`. A packet that breaks something is left in `build/fuzz/`; kept as
`tests/fuzz/corpus/TARGET/found-….bin` it is replayed in every test run from then on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

BUILD = Path("build/fuzz")
_CHILD = "--child"


def main(arguments: list[str]) -> int:
    """Fuzz the named targets, or all, one after the other, each in its own process. 1 where something was found."""
    from tests.fuzz.packets import SEEDS

    options = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    options.add_argument("targets", nargs="*", choices=[*SEEDS, []], help="all by default")
    options.add_argument("--seconds", type=int, default=60, help="for each target")
    chosen = options.parse_args(arguments)
    found = []
    for target in chosen.targets or SEEDS:
        corpus = BUILD / "corpus" / target
        corpus.mkdir(parents=True, exist_ok=True)
        for number, packet in enumerate(SEEDS[target]()):
            (corpus / f"seed{number}").write_bytes(packet)
        print(f"fuzz: {target} for {chosen.seconds} s", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", _CHILD, target, str(corpus), f"tests/fuzz/corpus/{target}"]
        limits = [f"-max_total_time={chosen.seconds}", "-max_len=2048", "-timeout=5", "-rss_limit_mb=1024"]
        ended = subprocess.run(
            [*command, *limits, f"-artifact_prefix={BUILD}/{target}-", "-print_final_stats=1", "-verbosity=0"],
            timeout=chosen.seconds + 120, check=False,
        )  # fmt: skip
        if ended.returncode:
            found.append(target)
    if found:
        print(f"fuzz: {', '.join(found)} broke; the packets are in {BUILD}/", file=sys.stderr)
    return 1 if found else 0


def child(arguments: list[str]) -> None:
    """Never returns: atheris ends the process."""
    import atheris

    with atheris.instrument_imports(include=["gateway.dns", "policies"]):
        from tests.fuzz.targets import TARGETS

    atheris.Setup([sys.argv[0], *arguments[1:]], TARGETS[arguments[0]])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        child(sys.argv[2:])
    sys.exit(main(sys.argv[1:]))
