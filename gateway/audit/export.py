"""Exporting: the log and what the exporter may see of it, as a bundle that the auditor verifies offline.

The export is itself a leaf. The ZIP holds every entry up to the newest checkpoint; the period filters disclosures and
the view only, so that completeness can be proved. The sealer signs the ZIP's hash, as the only holder of the key.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway import durable
from gateway.audit.bundle import Record, Request, bundle_files
from gateway.audit.bundle_zip import write_zip
from gateway.audit.checkpoint import parse_checkpoint
from gateway.audit.entry import Disclosure
from gateway.audit.errors import BundleError
from gateway.audit.note import VerifierKey
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import leaves, rules
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place

SIGNATURE_WAIT_S = 5.0
_DISCLOSURES_BATCH = 500


@dataclass(frozen=True)
class Order:
    """Who wants what: acceptances in `[since, until)`, headings in `language`, and the purpose that is recorded."""

    since: datetime
    until: datetime
    exporter: str
    purpose: str
    language: str = "nb"


@dataclass(frozen=True)
class Summary:
    """What was written. `sidecar` is None when the sealer did not sign in time.

    The entries prove themselves without it; who exported them, for what and with which filter, does not.
    """

    bundle: Path
    sidecar: Path | None
    entries: int


def export(
    database: Database, place: Place, keys: tuple[VerifierKey, ...], order: Order, out: Path, now: datetime
) -> Summary:
    """Write the bundle to `out` and the signed hash of it to `out`.note.

    Raises: BundleError when nothing is sealed yet or the database does not agree with its own checkpoint;
        StorageUnavailableError.
    """
    if not order.purpose.strip():
        raise BundleError("say what the export is for; the purpose is recorded")
    with database.write() as session:
        head = leaves.find_head(session, place.owner_id)
        if head is None or head.size == 0:
            raise BundleError("nothing is sealed yet; start the sealer (gjestenett up) and try again")
        size, checkpoint = head.size, head.checkpoint.encode()
        period = {"from": format_utc(order.since), "to": format_utc(order.until)}
        record(
            session,
            place,
            "export",
            {"first": 0, "last": size, "size": size},
            {"staff": order.exporter, "filter": f"{period['from']}/{period['to']}", "purpose": order.purpose},
            now,
        )
    origin = parse_checkpoint(checkpoint)[0].origin
    request = Request(
        first=0,
        last=size,
        checkpoint=checkpoint,
        keys=keys,
        exporter=order.exporter,
        purpose=order.purpose,
        created_at=now,
        filter=period,
        language=order.language,
    )
    with database.read() as session:
        texts = _texts(session, place, now)
        files = bundle_files(
            request,
            lambda: _records(session, place.owner_id, size),
            lambda level, index: leaves.node(session, place.owner_id, level, index),
            lambda sha256, extension: texts[sha256, extension],
        )
        sidecar = write_zip(out, origin, files)
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
        return Summary(out, None, size)
    beside = out.with_name(out.name + ".note")
    durable.replace(beside, note.encode())
    return Summary(out, beside, size)


def _records(session: Session, owner_id: str, size: int) -> Iterator[Record]:
    for start in range(0, size, _DISCLOSURES_BATCH):
        rows = list(leaves.entries(session, owner_id, start, min(size, start + _DISCLOSURES_BATCH)))
        known = leaves.disclosures(session, [leaf_id for _, leaf_id, _ in rows])
        for index, leaf_id, entry in rows:
            fields = sorted(known.get(leaf_id, {}).items())
            yield Record(index, entry, tuple(Disclosure(salt, name, value) for name, (salt, value) in fields))


def _texts(session: Session, place: Place, now: datetime) -> dict[tuple[str, str], bytes]:
    found: dict[tuple[str, str], bytes] = {}
    for version in rules.versions(session, place.owner_id):
        for text in version.texts:
            found[text.text_sha256, "md"] = text.markdown.encode()
            found[text.html_sha256, "html"] = text.html.encode()
    return found


def _await_signature(database: Database, signature_id: str) -> str | None:
    deadline = time.monotonic() + SIGNATURE_WAIT_S
    while time.monotonic() < deadline:
        with database.read() as session:
            note = leaves.signature(session, signature_id)
        if note is not None:
            return note
        time.sleep(0.1)
    return None
