"""Both verifiers: time and peak memory for a bundle of a million acceptances, made by the exporter's own code."""

from __future__ import annotations

import argparse
import base64
import hashlib
import marshal
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from gateway.audit import entry, merkle, note, verify_bundle
from gateway.audit.bundle import Record, Request, bundle_files
from gateway.audit.bundle_zip import write_zip
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint

ORIGIN = "log.example/kommune"
SIGNER = note.SignerKey(ORIGIN, bytes(range(32)))
START = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = {
    language: (f"# Regler ({language})\n".encode(), f"<h1>Regler ({language})</h1>".encode())
    for language in ("nb", "nn", "en")
}
FIRST = ("Kari", "Ola", "Åse", "Nils", "Maria", "Mohammed", "Ingrid", "Bjørn", "Anna", "Jan")
LAST = ("Nordmann", "Hansen", "Bakken", "Sørensen", "Åsgård", "Ali", "Lie", "Kowalska", "Berg", "Strand")


def main(arguments: list[str]) -> int:
    """Makes the bundle, verifies it with Python and, with --browser, with verify.html in Chromium."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench verify")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--browser", action="store_true", help="verify.html in Chromium too")
    parser.add_argument("--keep", type=Path, help="write the bundle here, or use the one that is here")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        bundle, key = folder / "bundle.zip", folder / "log.vkey"
        if not bundle.exists():
            folder.mkdir(parents=True, exist_ok=True)
            key.write_text(f"{SIGNER.verifier}\n")
            started = time.perf_counter()
            make(bundle, given.entries)
            print(f"made in {time.perf_counter() - started:.0f} s")
        print(f"{given.entries:,} acceptances, {bundle.stat().st_size / 1e6:,.0f} MB of ZIP")
        python(bundle, key)
        if given.browser:
            browser(bundle, key)
    return 0


def make(bundle: Path, count: int) -> None:
    """A bundle of `count` acceptances as the portal records them, and its sidecar beside it."""
    spool = bundle.with_name("records.marshal")
    edge: merkle.Edge = ()
    with spool.open("wb") as sink:
        for index, (leaf, fields) in enumerate(_records(count)):
            marshal.dump((leaf, fields), sink)
            edge = merkle.new_nodes(index, merkle.leaf_hash(leaf), edge)[1]
    checkpoint = sign_checkpoint(Checkpoint(ORIGIN, count, merkle.root(edge)), SIGNER)
    request = Request(0, count, checkpoint, (SIGNER.verifier,), exporter="it", purpose="measurement", created_at=START)

    def spooled() -> Iterator[Record]:
        with spool.open("rb") as source:
            for index in range(count):
                leaf, fields = marshal.load(source)
                yield Record(index, leaf, tuple(entry.Disclosure(*field) for field in fields))

    def no_node(level: int, index: int) -> bytes:
        raise AssertionError("the whole range needs no node")

    texts = {
        (hashlib.sha256(data).hexdigest(), kind): data
        for pair in TEXTS.values()
        for data, kind in zip(pair, ("md", "html"), strict=True)
    }
    files = bundle_files(request, spooled, no_node, lambda sha256, kind: texts[sha256, kind])
    bundle.with_name("bundle.zip.note").write_bytes(write_zip(bundle, ORIGIN, files).sign(SIGNER))
    spool.unlink()


def _records(count: int) -> Iterator[tuple[bytes, list[tuple[str, str, str]]]]:
    """Entries and their (salt, name, value), spelled by a template: entry.build would take most of an hour."""
    source = random.Random(20261122)
    rules = {
        language: b'{"html_sha256":"%b","language":"%b","text_sha256":"%b","version":"2026-1"}'
        % (_sha256(html), language.encode(), _sha256(text))
        for language, (text, html) in TEXTS.items()
    }
    for index in range(count):
        moment = START + timedelta(seconds=29 * index, milliseconds=source.randrange(1000))
        course = source.random() < 0.25
        personal = {
            "address": f"10.{source.randrange(256)}.{source.randrange(256)}.{source.randrange(256)}",
            "contact": f"{source.randrange(90_000_000, 99_999_999)}" if source.random() < 0.33 else "",
            "course_code": "FJELL-2026" if course else "",
            "mac": source.randbytes(6).hex(":"),
            "name": f"{source.choice(FIRST)} {source.choice(LAST)}",
            "organisation": source.choice(("", "Fjellbygda helselag", "NAV Fjellbygda", "Sirkus AS")),
            "receipt": f"{source.getrandbits(80):020x}",
        }
        fields = [(_b64url(source.randbytes(16)).decode(), name, value) for name, value in personal.items() if value]
        digests = sorted(
            _b64url(hashlib.sha256(_b64url(f'["{salt}","{name}","{value}"]'.encode())).digest())
            for salt, name, value in fields
        )
        at = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
        leaf = (
            b'{"at":"%b","identified_by":"%b","owner":"kommune","personal":["%b"],"rules":%b,"site":"%b",'
            b'"type":"acceptance","v":1}'
        ) % (
            at.encode(),
            b"course_code" if course else b"self_declared",
            b'","'.join(digests),
            rules[source.choice(("nb", "nb", "nb", "nn", "en"))],
            source.choice(("hovedbygg", "bibliotek", "rådhuset")).encode(),
        )
        if index < 100:
            assert all(entry.belongs(entry.Disclosure(*field), leaf) for field in fields)
        yield leaf, fields


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _b64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def python(bundle: Path, key: Path) -> None:
    """The standalone verifier, as the auditor runs it."""
    command = [sys.executable, "-I", verify_bundle.__file__, str(bundle), "--key", str(key)]
    started, most_kb, ended = time.perf_counter(), 0, 0
    with TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=told)
        while not ended:  # not ru_maxrss: that of a child begins with what its parent had
            most_kb = max(most_kb, _peak_kb(process.pid))
            time.sleep(0.05)
            ended, _, usage = os.wait4(process.pid, os.WNOHANG)
        took = time.perf_counter() - started
        told.seek(0)
        verdict = told.readline().decode().strip()
    cpu = usage.ru_utime + usage.ru_stime
    print(f"verify_bundle.py: {verdict}, {took:.1f} s ({cpu:.1f} s of CPU), {most_kb / 1024:.0f} MB at most")


def _peak_kb(pid: int) -> int:
    """The most memory that a process has had; 0 when it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def browser(bundle: Path, key: Path) -> None:
    """verify.html in Chromium, by the files that its user chooses; memory is that of all its processes together."""
    from playwright.sync_api import sync_playwright

    page_file = Path(verify_bundle.__file__).with_name("verify.html")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(locale="en-GB")
        page.goto(page_file.as_uri())
        page.evaluate("gjestenett.page.ready")
        idle = _chromium_bytes()
        page.set_input_files("#bundle", bundle)
        page.set_input_files("#sidecar", bundle.with_name("bundle.zip.note"))
        page.set_input_files("#key", key)
        started = time.perf_counter()
        page.click("#check")
        most = idle
        while page.locator("#verdict").is_hidden():
            most = max(most, _chromium_bytes())
            time.sleep(0.25)
        took = time.perf_counter() - started
        verdict = page.locator("#outcome").text_content()
        version = chromium.version
        chromium.close()
    print(
        f"verify.html: {verdict} {took:.1f} s, {most / 1e6:.0f} MB at most ({idle / 1e6:.0f} idle), Chromium {version}"
    )


def _chromium_bytes() -> int:
    """The proportional memory of this process's Chromium processes."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() != "chromium":
                continue
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += 1024 * int(line.split()[1])
        except OSError:
            continue
    return total
