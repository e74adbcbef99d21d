"""Writing a bundle's ZIP and its sidecar: the thin shell around `bundle.py`.

The same files give the same ZIP bytes: fixed times, modes and order (the compressor's version aside).
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gateway.audit.bundle import BundleFile, Sidecar
from gateway.audit.errors import BundleError

_LONG_FILES = frozenset({"entries.jsonl", "leaves.txt", "disclosures.jsonl", "selection.txt", "view.csv"})
LEVEL = 3  # digests don't compress: 6 makes it a hundredth smaller and takes half as long again
_AHEAD = 4
_EPOCH = (1980, 1, 1, 0, 0, 0)


class _Member(zipfile.ZipInfo):
    """A file of the ZIP whose header says that its sizes stand in the ZIP64 field where they do (APPNOTE 4.5.3): Python
    before 3.11.4 leaves that out, and strict readers refuse the file.
    """

    def FileHeader(self, zip64: bool | None = None) -> bytes:  # noqa: N802 - zipfile's name
        header = super().FileHeader(zip64)
        return header[:18] + b"\xff" * 8 + header[26:] if zip64 else header


def write_zip(path: Path, origin: str, files: Iterable[BundleFile]) -> Sidecar:
    """Write the ZIP (mode 0600, through `path`.part and rename) and return its unsigned sidecar; constant memory.

    Raises: BundleError when the stream has no manifest; whatever the stream raises, leaving no file behind.
    """
    partial = path.with_name(path.name + ".part")
    manifest = hashlib.sha256()
    seen_manifest = False
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b") as sink:
            with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
                for name, chunks in files:
                    info = _Member(name, _EPOCH)
                    info.create_system, info.external_attr = 3, 0o600 << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    with archive.open(info, "w", force_zip64=name in _LONG_FILES) as member:
                        for chunk in _packed(chunks, member.write):
                            if name == "manifest.json":
                                seen_manifest = True
                                manifest.update(chunk)
            if not seen_manifest:
                raise BundleError("the bundle has no manifest")
            sink.flush()
            os.fsync(sink.fileno())
            sink.seek(0)
            zip_sha256 = hashlib.file_digest(sink, "sha256").hexdigest()
            size_bytes = sink.tell()
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return Sidecar(origin, size_bytes, zip_sha256, manifest.hexdigest())


def _packed(chunks: Iterable[bytes], write: Callable[[bytes], object]) -> Iterator[bytes]:
    """The chunks, each also given to `write` in a thread beside: the next one is made while this one is compressed."""
    waiting: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1) as beside:
        for chunk in chunks:
            waiting.append(beside.submit(write, chunk))
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
            yield chunk
        for each in waiting:
            each.result()
