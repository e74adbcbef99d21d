"""The compiled index beside a Python dict, marisa-trie and LMDB, each holding the same names, in one run.

Every holder is built, opened and asked in a process of its own, from files, so that memory is told apart. Names
are made up, with the lengths and the number of labels of published lists. The snapshot's figures are
those of the whole file (hygiene, three lists, facts), not of the index alone.
"""

from __future__ import annotations

import json
import marshal
import mmap
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.lists.compile import compile_policy
from gateway.lists.reader import read_snapshot
from policies.document import default_document
from policies.names import parents
from policies.snapshot import open_snapshot

SIZES = (1_000_000, 5_000_000)
ASKED = 100_000
REPEATS = 5
_SYLLABLES = [a + b for a in "bdfghjklmnprstv" for b in "aeiou"]
_ENDS = ("com", "net", "org", "no", "info", "co.uk", "de", "xyz")


def names(first: int, last: int) -> Iterator[str]:
    """Made-up registrable names, each once, the same in every process."""
    for number in range(first, last):
        rest, letters = number * 7_368_787 % 1_000_000_007, []
        while rest:
            rest, digit = divmod(rest, len(_SYLLABLES))
            letters.append(_SYLLABLES[digit])
        yield f"{''.join(letters)}{number % 10}.{_ENDS[number % len(_ENDS)]}"


class MadeList:
    """A list that is made while it is compiled."""

    sha256 = "0" * 64
    exceptions = exact_exceptions = exact = permits = ()

    def __init__(self, category: str, first: int, last: int) -> None:
        self.source, self.category, self._range = f"bench/{category}", category, (first, last)

    @property
    def entries(self) -> Iterator[str]:
        """The names."""
        return names(*self._range)


def _private_kb() -> int:
    # Private_Clean and Private_Dirty would count pages of the mapped file, which are shared once another opens it.
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous:"))


def _asked(size: int) -> list[str]:
    """Four-label names, half of them below a listed one."""
    chance = random.Random(1)
    listed = [next(names(number, number + 1)) for number in chance.sample(range(size), ASKED // 2)]
    four = ["www.shop." + name if name.count(".") == 1 else "www." + name for name in listed]
    return four + ["www.shop.x" + name if name.count(".") == 1 else "www.x" + name for name in listed]


def _build_snapshot(size: int, path: Path) -> None:
    lists = [
        MadeList("adult", 0, size // 2),
        MadeList("gambling", size // 2, size * 3 // 4),
        MadeList("malware", size * 3 // 4, size),
    ]
    path.write_bytes(compile_policy(default_document(), 1, lists=lists))


def _open_snapshot(path: Path) -> Callable[[str], object]:
    with path.open("rb") as file:
        return open_snapshot(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))).lookup


def _build_dict(size: int, path: Path) -> None:
    path.write_bytes(marshal.dumps(dict.fromkeys(names(0, size), 1)))


def _open_dict(path: Path) -> Callable[[str], object]:
    held: dict[str, int] = marshal.loads(path.read_bytes())
    return lambda name: [held[suffix] for suffix in parents(name) if suffix in held]


def _build_marisa(size: int, path: Path) -> None:
    import marisa_trie

    marisa_trie.RecordTrie("<H", ((name, (1,)) for name in names(0, size))).save(str(path))


def _open_marisa(path: Path) -> Callable[[str], object]:
    import marisa_trie

    held = marisa_trie.RecordTrie("<H")
    held.mmap(str(path))
    return lambda name: [held[suffix] for suffix in parents(name) if suffix in held]


def _build_lmdb(size: int, path: Path) -> None:
    import lmdb

    with (
        lmdb.open(str(path), subdir=False, map_size=1 << 32, lock=False) as environment,
        environment.begin(write=True) as writing,
    ):
        for name in names(0, size):
            writing.put(name.encode(), b"\1\0")


def _open_lmdb(path: Path) -> Callable[[str], object]:
    import lmdb

    get = lmdb.open(str(path), subdir=False, readonly=True, lock=False).begin(buffers=True).get
    return lambda name: [found for suffix in parents(name) if (found := get(suffix.encode())) is not None]


HOLDERS = {
    "snapshot": (_build_snapshot, _open_snapshot),
    "Python dict": (_build_dict, _open_dict),
    "marisa-trie": (_build_marisa, _open_marisa),
    "LMDB": (_build_lmdb, _open_lmdb),
}


def measure_build(holder: str, size: int, path: Path) -> dict[str, float]:
    """Seconds to build from names to a file, and the most memory that took, in MB."""
    before = time.perf_counter()
    HOLDERS[holder][0](size, path)
    took = time.perf_counter() - before
    return {"build_s": took, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measure_use(holder: str, size: int, path: Path) -> dict[str, float]:
    """Octets a name on disk, ms to open (best of some), µs of processor time a look-up (best round), private KB of the
    process once opened and once asked, and ms to open and verify every octet.
    """
    opened = HOLDERS[holder][1]
    before_kb = _private_kb()
    before = time.perf_counter()
    look_up = opened(path)
    opened_ms = [(time.perf_counter() - before) * 1e3]
    opened_kb = _private_kb() - before_kb
    for _ in range(0 if holder in ("Python dict", "LMDB") else REPEATS):  # these two can't be opened twice, or cheaply
        before = time.perf_counter()
        opened(path)
        opened_ms.append((time.perf_counter() - before) * 1e3)
    verified_ms = 0.0
    if holder == "snapshot":  # as every reader of the product does before it asks
        before = time.perf_counter()
        look_up = read_snapshot(path).lookup
        verified_ms = (time.perf_counter() - before) * 1e3
    questions = _asked(size)
    before_kb = _private_kb()
    for name in questions:
        look_up(name)
    asked_kb = opened_kb + _private_kb() - before_kb
    rounds = []
    for _ in range(REPEATS):  # processor time, since a look-up waits for nothing but the processor
        before = time.process_time()
        for name in questions:
            look_up(name)
        rounds.append((time.process_time() - before) / len(questions) * 1e6)
    found = sum(bool(look_up(name)) for name in questions)
    if found != len(questions) // 2:
        raise AssertionError(f"{holder} found {found} of {len(questions) // 2}")
    result = {
        "size": path.stat().st_size / size,
        "open_ms": min(opened_ms),
        "lookup_us": min(rounds),
        "private_kb": opened_kb,
        "asked_kb": asked_kb,
    }
    if verified_ms:
        result["verify_ms"] = verified_ms
    return result


def _in_a_process(what: str, holder: str, size: int, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.index", what, holder, str(size), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"{holder}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print a table for each size."""
    for size in SIZES:
        print(f"{size:,} names        build s  peak MB  bytes/name  open ms  look-up µs  private KB (after asking)")
        for holder in HOLDERS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "names"
                try:
                    built = _in_a_process("build", holder, size, path)
                    used = _in_a_process("use", holder, size, path)
                except RuntimeError as problem:
                    print(f"  {holder:<17} not measured: {problem}", flush=True)
                    continue
            print(
                f"  {holder:<17} {built['build_s']:7.1f}  {built['peak_mb']:7.0f}  {used['size']:10.1f}"
                f"  {used['open_ms']:7.2f}  {used['lookup_us']:10.2f}  {used['private_kb']:10.0f}"
                f" ({used['asked_kb']:.0f})"
                + (f"   every octet verified in {used['verify_ms']:.0f} ms" if "verify_ms" in used else ""),
                flush=True,
            )
    print("  wanted: build <= 10 s for 1 million and <= 60 s for 5, <= 20 bytes a name, open <= 5 ms,")
    print("  look-up of a four-label name <= 5 µs, <= 1,024 KB private")


if __name__ == "__main__":
    measured = {"build": measure_build, "use": measure_use}[sys.argv[1]]
    print(json.dumps(measured(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
