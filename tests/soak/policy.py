"""Publishes one generation of the soak's policy: `python -m tests.soak.policy FOLDER GENERATION NAMES`."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.lists.publish import publish
from policies.snapshot import NamedList, compile_snapshot


def main(folder: Path, generation: int, names: int) -> None:
    """Names `l0.game.example` on, and one that tells the generation, are closed."""
    listed = [*(f"l{number}.game.example" for number in range(names)), f"generation{generation}.example"]
    document = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"]}}}
    publish(folder, compile_snapshot(document, [NamedList("soak/gaming", "gaming", "0" * 64, listed)], generation))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
