"""A million acceptances as evidence: time, peak memory and bundle size of `gjestenett audit export`.

The database is a real installation's, filled with rows as accepting and sealing write them, and is exported by the very
command that people type. Beside it a guest accepts again and again, which shows what they wait for it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from sqlite3 import Connection, connect

from gateway.access.accept import Accepted, Applicant, accept
from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.sealer import seal_staged
from gateway.clock import format_utc, utc_now
from gateway.context import Services
from gateway.installation import prepare, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.settings import load
from gateway.storage import leaves, rules
from gateway.storage.models import fold, mac_tail

ACCEPTANCES = 1_000_000
DEVICES = 50_000
BLOCK = 10_000
START = datetime(2025, 1, 2, 7, tzinfo=UTC)
STEP = timedelta(seconds=30)
FIRST = ("Kari", "Ola", "Åse", "Bjørn", "Ingrid", "Nils-Petter", "Máret", "Jürgen")
LAST = ("Nordmann", "Østby", "Hansen", "Sæther", "Bakken", "Mikkelsen Sara")


def fill(services: Services, count: int) -> None:
    """Append `count` acceptances to the sealed log, with all that an acceptance writes."""
    place, signer = services.place, read_signing_key(services.settings)
    while seal_staged(services.database, place.owner_id, place.log_origin, signer, utc_now()):
        pass
    with services.database.read() as session:
        head = leaves.find_head(session, place.owner_id)
        version = rules.version_in_force(session, place.owner_id, now=utc_now())
        assert head is not None
        assert version is not None
        text = next(text for text in version.texts if text.language == "nb")
        size = head.size
        edge = list(merkle.edge_of(size, lambda level, index: leaves.node(session, place.owner_id, level, index)))
    hashes = (text.html_sha256, text.text_sha256)
    path = services.database.sqlite_path
    services.database.close()
    with closing(connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-400000")
        database.execute("BEGIN")
        _devices(database, place.owner_id)
        for first in range(0, count, BLOCK):
            block = list(_acceptances(first, min(count, first + BLOCK), services, hashes, version.label, version.id))
            size = _insert(database, place.owner_id, size, edge, block)
        note = sign_checkpoint(Checkpoint(place.log_origin, size, merkle.root(edge)), signer).decode()
        now = utc_now().replace(tzinfo=None).isoformat(" ")
        database.execute("UPDATE tree_head SET size=?, checkpoint=?, sealed_at=?", (size, note, now))
        database.execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", (place.owner_id, size, note, now))
        database.execute("COMMIT")


def _devices(database: Connection, owner_id: str) -> None:
    seen = str(START)[:19]
    rows = ((f"{n:032x}", owner_id, _mac(n), mac_tail(_mac(n)), seen, seen) for n in range(DEVICES))
    database.executemany(
        "INSERT INTO device (id, owner_id, mac, mac_tail, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?)", rows
    )


def _mac(number: int) -> str:
    return ":".join(f"{octet:02x}" for octet in (0x02, *number.to_bytes(5, "big")))


def _acceptances(
    first: int, last: int, services: Services, hashes: tuple[str, str], label: str, version_id: str
) -> Iterator[tuple[bytes, list[tuple[str, str, str, str]], tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """(entry, disclosures, visitor, heading, acceptance) of each, as `accept` and the sealer make them."""
    place, source = services.place, Random(first)
    for number in range(first, last):
        leaf_id, code, at = f"{source.getrandbits(128):032x}", f"{source.getrandbits(80):020x}", START + number * STEP
        device = source.randrange(DEVICES)
        personal = {
            "address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "mac": _mac(device),
            "name": f"{source.choice(FIRST)} {source.choice(LAST)} {number}",
            "organisation": f"Firma {number % 997} AS",
            "receipt": code,
        }
        shown = [(leaf_id, name, _b64(source.randbytes(16)), value) for name, value in personal.items()]
        digests = sorted(_digest(salt, name, value) for _, name, salt, value in shown)
        rules_ = f'{{"html_sha256":"{hashes[0]}","language":"nb","text_sha256":"{hashes[1]}","version":"{label}"}}'
        entry = (
            f'{{"at":"{format_utc(at)}","identified_by":"self_declared","owner":"{place.owner_key}",'
            f'"personal":{json.dumps(digests, separators=(",", ":"))},"rules":{rules_},"site":"{place.site_key}",'
            '"type":"acceptance","v":1}'
        )
        when, visitor = str(at)[:19], f"{number:032x}"
        yield (
            entry.encode(),
            shown,
            (visitor, place.owner_id, personal["name"], fold(personal["name"]), personal["organisation"], "", when),
            (place.owner_id, "acceptance", when, place.site_key),
            (
                f"{source.getrandbits(128):032x}", place.owner_id, place.site_id, visitor, f"{device:032x}", version_id,
                "nb", hashes[1], "self_declared", when, code, leaf_id,
            ),
        )  # fmt: skip


def _digest(salt: str, name: str, value: str) -> str:
    text = json.dumps([salt, name, value], ensure_ascii=False, separators=(",", ":"))
    return _b64(hashlib.sha256(_b64(text.encode()).encode()).digest())


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _insert(database: Connection, owner_id: str, size: int, edge: list[bytes], block: list) -> int:  # type: ignore[type-arg]
    rows, headings, nodes = [], [], []
    for entry, shown, _, heading, _ in block:
        headings.append((size, *heading))
        rows.append((owner_id, size, shown[0][0], entry))
        created, new_edge = merkle.new_nodes(size, merkle.leaf_hash(entry), tuple(edge))
        edge[:] = new_edge
        nodes += [(owner_id, node.level, node.index, node.hash) for node in created]
        size += 1
    database.executemany("INSERT INTO leaf (owner_id, leaf_index, leaf_id, entry) VALUES (?, ?, ?, ?)", rows)
    database.executemany(
        "INSERT INTO leaf_heading (leaf_index, owner_id, type, at, site) VALUES (?, ?, ?, ?, ?)", headings
    )
    database.executemany("INSERT INTO tree_node (owner_id, level, node_index, hash) VALUES (?, ?, ?, ?)", nodes)
    database.executemany(
        "INSERT INTO disclosure (leaf_id, name, salt, value) VALUES (?, ?, ?, ?)",
        (row for _, shown, *_ in block for row in shown),
    )
    database.executemany(
        "INSERT INTO visitor (id, owner_id, name, name_key, organisation, contact, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (visitor for _, _, visitor, *_ in block),
    )
    database.executemany(
        "INSERT INTO acceptance (id, owner_id, site_id, visitor_id, device_id, rules_version_id, language, text_sha256,"
        " identified_by, accepted_at, receipt_code, leaf_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (acceptance for *_, acceptance in block),
    )
    return size


def _child(arguments: list[str]) -> None:
    """Run the command, and print the most memory that it had, its time and processor time."""
    from click.testing import CliRunner

    from gateway.cli import cli

    started, cpu = time.monotonic(), time.process_time()
    done = CliRunner().invoke(cli, arguments)
    # Not ru_maxrss: that of a child begins with what its parent had.
    told = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_mb = next(int(line.split()[1]) for line in told if line.startswith("VmHWM:")) / 1024
    print(" ".join(done.output.split()) or repr(done.exception))
    print(f"{done.exit_code} {peak_mb:.0f} {time.monotonic() - started:.1f} {time.process_time() - cpu:.1f}")


class _Guests:
    """A guest who accepts each tenth of a second until told to stop, and how long each waited."""

    def __init__(self, services: Services) -> None:
        self._services, self._stop = services, threading.Event()
        self.waited_s: list[float] = []
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> _Guests:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _accept(self) -> None:
        services, number = self._services, 0
        while not self._stop.wait(0.1):
            number += 1
            started = time.monotonic()
            with services.database.write() as session:
                version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
                assert version is not None
                done = accept(
                    session, services.place, Neighbour("lo", _mac(2**32 + number)), Applicant(f"Gjest {number}"),
                    version_id=version.id, language="nb", address="192.0.2.7", duration=timedelta(hours=1),
                    now=utc_now(),
                )  # fmt: skip
                assert isinstance(done, Accepted)
            self.waited_s.append(time.monotonic() - started)


def main(count: int = ACCEPTANCES) -> None:
    """Print time, memory and size of the export, and what guests waited meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        state, out = Path(folder) / "state", Path(folder) / "bundle.zip"
        services = prepare(load(state=state), utc_now)
        fill(services, count)
        measure(services, state, out, count)


def measure(services: Services, state: Path, out: Path, count: int) -> None:
    """Export what is in `state`."""
    period = ["--from", "2000-01-01", "--to", "2100-01-01", "--reason", "bench", "--out", str(out)]
    child = [sys.executable, "-m", "tests.bench.export", "--state", str(state), "audit", "export", *period]
    with _Guests(services) as guests:
        told = subprocess.run(child, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    services.database.close()
    _, peak_mb, wall_s, cpu_s = told[-1].split()
    if not out.exists():
        raise SystemExit(f"nothing was exported: {told[0]}")
    print(
        f"{count:,} acceptances from {services.database.sqlite_path.stat().st_size >> 20} MB of SQLite: {wall_s} s"
        f" (wanted <= 90), {cpu_s} s of processor time, at most {peak_mb} MB of memory (wanted <= 200), a bundle of"
        f" {out.stat().st_size >> 20} MB"
    )
    waited = sorted(guests.waited_s)
    print(f"{len(waited)} acceptances beside it: median {waited[len(waited) // 2] * 1000:.0f} ms, "
          f"longest {waited[-1] * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    _child(sys.argv[1:])
