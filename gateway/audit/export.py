"""Exporting: the log and what the exporter may see of it, as a bundle that the auditor verifies offline.

The export is itself a leaf, recorded before anything is written: it says that somebody began to take this out, and why.
The ZIP holds every entry up to the newest checkpoint; filters narrow disclosures and views only, so that completeness
can be proved. The sealer signs the ZIP's hash, as the only holder of the key.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from gateway import durable
from gateway.audit.bundle import FurtherView, Record, Request, bundle_files
from gateway.audit.bundle_zip import write_zip
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.errors import BundleError
from gateway.audit.note import VerifierKey
from gateway.audit.order import Order
from gateway.audit.record import record
from gateway.storage import leaves, rules
from gateway.storage.engine import Database, Session
from gateway.storage.export_rows import disclosed_leaves
from gateway.storage.places import Place

__all__ = ["Order", "Progress", "Summary", "export"]

SIGNATURE_WAIT_S = 10.0
PROGRESS_EVERY = 2000

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Summary:
    """What was written; `rows` are the acceptances of its view. `sidecar` is None when the sealer did not sign in time.

    The entries prove themselves without it; who exported them, for what and with which filter, does not.
    """

    bundle: Path
    sidecar: Path | None
    entries: int
    rows: int


class _Counted:
    """A view of no files: how many rows there are."""

    rows = 0

    def entry(self, record: Record, document: Mapping[str, Any]) -> None:
        """Not counted."""

    def row(self, _row: Sequence[str]) -> None:
        self.rows += 1

    def files(self, _head: Checkpoint, _drawn: Sequence[Sequence[str]]) -> Iterable[tuple[str, Iterable[bytes]]]:
        return ()


def no_progress(_stage: str, _done: int, _total: int | None) -> None:
    """Tells nobody."""


def export(
    database: Database,
    place: Place,
    keys: tuple[VerifierKey, ...],
    order: Order,
    out: Path,
    now: datetime,
    progress: Progress = no_progress,
) -> Summary:
    """Write the bundle to `out` and its signature to `out`.note, both with mode 0600.

    `progress` is told the stage (`reading`, `packing`, `signing`), and of the first how many entries are done.
    Raises: BundleError when the order can't be met, nothing is sealed yet, or the database does not agree with its own
        checkpoint; OSError; StorageUnavailableError.
    """
    order.check()
    with ExitStack() as stack:
        counted = _Counted()
        further = [counted, *_further_views(order, now, out.parent, stack)]
        size, checkpoint = _record(database, place, order, now)
        with database.read() as session:
            request = Request(
                first=0,
                last=size,
                checkpoint=checkpoint,
                keys=keys,
                exporter=order.exporter,
                purpose=order.purpose,
                created_at=now,
                filter=order.filter,
                fields=order.fields,
                language=order.language,
                sample=order.sample,
                rotations=leaves.rotations(session, place.owner_id),
            )
            texts = _texts(session, place)
            files = bundle_files(
                request,
                lambda: _records(session, place.owner_id, size, progress),
                lambda level, index: leaves.node(session, place.owner_id, level, index),
                lambda sha256, extension: _found(texts, sha256, extension),
                further,
                lambda: cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile(dir=out.parent))),
            )
            sidecar = write_zip(out, parse_checkpoint(checkpoint)[0].origin, files)
    progress("signing", 0, None)
    with database.write() as session:
        signature_id = leaves.request_signature(
            session,
            place.owner_id,
            size_bytes=sidecar.size_bytes,
            zip_sha256=sidecar.zip_sha256,
            manifest_sha256=sidecar.manifest_sha256,
            now=now,
        )
    note = _await_signature(database, signature_id)
    if note is None:
        return Summary(out, None, size, counted.rows)
    beside = out.with_name(out.name + ".note")
    durable.replace(beside, note.encode())
    return Summary(out, beside, size, counted.rows)


def _record(database: Database, place: Place, order: Order, now: datetime) -> tuple[int, bytes]:
    """Stage the leaf of the export; returns the size and checkpoint of the log that it will hold."""
    with database.write() as session:
        head = leaves.find_head(session, place.owner_id)
        if head is None or head.size == 0:
            raise BundleError("nothing is sealed yet; start the sealer (gjestenett up) and try again")
        record(
            session,
            place,
            "export",
            {"first": 0, "last": head.size, "size": head.size},
            {"staff": order.exporter, "filter": order.recorded(), "purpose": order.purpose},
            now,
        )
        return head.size, head.checkpoint.encode()


def _further_views(order: Order, now: datetime, folder: Path, stack: ExitStack) -> list[FurtherView]:
    """The views besides CSV; what they are written with is loaded only where one is asked for."""
    found: list[FurtherView] = []
    if order.xlsx:
        from gateway.audit.workbook import Workbook  # noqa: PLC0415

        found.append(Workbook(order, now, Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))))
    if order.report:
        from gateway.audit.report import Report  # noqa: PLC0415

        found.append(Report(order, now))
    return found


def _records(session: Session, owner_id: str, size: int, progress: Progress) -> Iterator[Record]:
    for index, entry, disclosures in disclosed_leaves(session, owner_id, 0, size):
        if index % PROGRESS_EVERY == 0:
            progress("reading", index, size)
        yield Record(index, entry, disclosures)
    progress("packing", size, size)


def _texts(session: Session, place: Place) -> dict[tuple[str, str], bytes]:
    found: dict[tuple[str, str], bytes] = {}
    for version in rules.versions(session, place.owner_id):
        for text in version.texts:
            found[text.text_sha256, "md"] = text.markdown.encode()
            found[text.html_sha256, "html"] = text.html.encode()
    return found


def _found(texts: dict[tuple[str, str], bytes], sha256: str, extension: str) -> bytes:
    if (sha256, extension) not in texts:
        raise BundleError(f"the rules text {sha256}.{extension} that an entry names is missing in the database")
    return texts[sha256, extension]


def _await_signature(database: Database, signature_id: str) -> str | None:
    deadline = time.monotonic() + SIGNATURE_WAIT_S
    while time.monotonic() < deadline:
        with database.read() as session:
            note = leaves.signature(session, signature_id)
        if note is not None:
            return note
        time.sleep(0.1)
    return None
