"""The auditor's bundle as a stream of files, and the text of its sidecar.

Files, in this order: README.txt, keys.vkey, checkpoint, range-proof.txt, consistency.txt (when ordered),
entries.jsonl (E and LF, the first is index `first`), leaves.txt (16 hex digits of each leaf hash and LF: finds the
line at fault, proves nothing), disclosures.jsonl (canonical JSON {"index","name","salt","value"} and LF, ascending
by index and name), view.csv, terms/<sha256>.md and .html of every text that an entry names, manifest.json (canonical
JSON; sizes and SHA-256 of all others).

Every file covers the same index range [first, last); the filter applies to disclosures and the view only. Pure:
entries come from a callable that is called once for each of the four streams, so it must read one consistent state
(one read transaction).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.audit import canonical, merkle, note, view
from gateway.audit.bundle_readme import README
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.entry import SHAPES, Disclosure, named_texts, parse_entry
from gateway.audit.errors import BundleError
from gateway.audit.proof_text import ConsistencyText, RangeText
from gateway.clock import format_utc

FORMAT = "gjestenett-bundle/v1"
SIDECAR_HEADER = "gjestenett-bundle-sidecar/v1"
LEAF_DIGITS = 16
FILTER_KEYS = frozenset({"from", "to", "site"})
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as stored: its index in the log, its exact bytes, and the disclosures that still exist."""

    index: int
    entry: bytes
    disclosures: tuple[Disclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is exported for whom: indexes [first, last), the signed newest checkpoint, and the words of the manifest.

    `filter` may hold `from`, `to` (RFC 3339 UTC with milliseconds) and `site`; `fields` are the personal fields the
    exporter may see; `language` (nb, nn, en) is that of the view's headings. `consistency_from` is the size of the
    auditor's checkpoint.
    """

    first: int
    last: int
    checkpoint: bytes
    keys: tuple[note.VerifierKey, ...]
    exporter: str
    purpose: str
    created_at: datetime
    filter: Mapping[str, str] = field(default_factory=dict)
    fields: frozenset[str] = SHAPES["acceptance"].personal
    language: str = "nb"
    consistency_from: int | None = None


BundleFile = tuple[str, Iterator[bytes]]
Records = Callable[[], Iterable[Record]]
Terms = Callable[[str, str], bytes]


def bundle_files(request: Request, records: Records, node: merkle.NodeSource, terms: Terms) -> Iterator[BundleFile]:
    """The bundle's files as (name, chunks); each file's chunks must be consumed before the next file is asked for.

    `records` yields the entries first … last-1 in order; `node(level, index)` gives complete nodes; `terms(sha256,
    extension)` gives the exact bytes of a rules text (`md`) or its page (`html`).
    Raises: BundleError when the request, an entry, a text or a node does not fit the checkpoint; NoteError for the
    checkpoint.
    """
    head = open_checkpoint(request.checkpoint, request.keys)
    if not 0 <= request.first <= request.last <= head.size:
        raise BundleError(f"the signed log has {head.size} entries; [{request.first}, {request.last}) is outside of it")
    if not request.filter.keys() <= FILTER_KEYS or request.language not in view.HEADINGS:
        raise BundleError("the filter knows from, to and site; the language is nb, nn or en")
    proof = merkle.range_proof(request.first, request.last, head.size, node)
    writer = _Writer(request, records, terms, proof.left)
    yield writer.file("README.txt", [README.encode()])
    yield writer.file("keys.vkey", ["".join(f"{key}\n" for key in request.keys).encode()])
    yield writer.file("checkpoint", [request.checkpoint])
    yield writer.file("range-proof.txt", [RangeText(request.first, request.last, head.size, proof).encode()])
    if (old := request.consistency_from) is not None:
        text = ConsistencyText(old, head.size, merkle.consistency_proof(old, head.size, node))
        yield writer.file("consistency.txt", [text.encode()])
    yield writer.file("entries.jsonl", writer.entries())
    yield writer.file("leaves.txt", writer.leaves())
    if not merkle.verify_range(request.last, [], head.size, merkle.RangeProof(writer.edge, proof.right), head.root):
        raise BundleError("the stored entries or nodes do not lead to the signed root: the database was changed")
    yield writer.file("disclosures.jsonl", writer.disclosures())
    yield writer.file("view.csv", writer.rows())
    for sha256, extension in sorted(writer.named_texts):
        yield writer.file(f"terms/{sha256}.{extension}", writer.text(sha256, extension))
    manifest: dict[str, canonical.Json] = {
        "v": 1,
        "format": FORMAT,
        "origin": head.origin,
        "size": head.size,
        "first": request.first,
        "last": request.last,
        "created_at": format_utc(request.created_at),
        "exporter": request.exporter,
        "purpose": request.purpose,
        "filter": dict(request.filter),
        "fields": sorted(request.fields),
        "language": request.language,
        "files": writer.files,
    }
    yield "manifest.json", iter([canonical.encode(manifest)])


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What `bundle.zip.note` signs: the log's origin, the ZIP's size and SHA-256, and the SHA-256 of its manifest."""

    origin: str
    size_bytes: int
    zip_sha256: str
    manifest_sha256: str

    def text(self) -> bytes:
        """The text to be signed: header, origin, `size N`, `zip HEX`, `manifest HEX`, one a line."""
        lines = [SIDECAR_HEADER, self.origin, f"size {self.size_bytes}", f"zip {self.zip_sha256}"]
        return ("\n".join([*lines, f"manifest {self.manifest_sha256}"]) + "\n").encode()

    def sign(self, signer: note.SignerKey) -> bytes:
        """The sidecar as a signed note."""
        return note.sign(self.text(), [signer])


class _Writer:
    """Counts and hashes each file as it streams by, and remembers which rules texts the entries name."""

    def __init__(self, request: Request, records: Records, terms: Terms, edge: merkle.Edge) -> None:
        self.request, self.records, self.terms, self.edge = request, records, terms, edge
        self.files: dict[str, dict[str, canonical.Json]] = {}
        self.named_texts: set[tuple[str, str]] = set()

    def file(self, name: str, pieces: Iterable[bytes]) -> BundleFile:
        return name, self._counted(name, pieces)

    def entries(self) -> Iterator[bytes]:
        expected = self.request.first
        for record in self.records():
            if record.index != expected:
                raise BundleError(f"entry {expected} is missing in the database; found {record.index}")
            self.named_texts |= named_texts(parse_entry(record.entry))
            yield record.entry + b"\n"
            expected += 1
        if expected != self.request.last:
            raise BundleError(f"entry {expected} is missing in the database")

    def leaves(self) -> Iterator[bytes]:
        for record in self.records():
            leaf = merkle.leaf_hash(record.entry)
            self.edge = merkle.new_nodes(record.index, leaf, self.edge)[1]
            yield leaf.hex()[:LEAF_DIGITS].encode() + b"\n"

    def disclosures(self) -> Iterator[bytes]:
        for record, document, shown in self._shown():
            digests = set(document["personal"])
            for item in shown:
                if item.digest not in digests:
                    raise BundleError(f"the stored {item.name} of entry {record.index} does not belong to it")
                line: dict[str, canonical.Json] = {
                    "index": record.index,
                    "name": item.name,
                    "salt": item.salt,
                    "value": item.value,
                }
                yield canonical.encode(line) + b"\n"

    def rows(self) -> Iterator[bytes]:
        yield view.heading(self.request.language)
        for record, document, shown in self._shown():
            yield view.row(record.index, document, {item.name: item.value for item in shown})

    def text(self, sha256: str, extension: str) -> Iterator[bytes]:
        data = self.terms(sha256, extension)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BundleError(f"the stored rules text {sha256}.{extension} was changed")
        yield data

    def _shown(self) -> Iterator[tuple[Record, dict[str, Any], list[Disclosure]]]:
        for record in self.records():
            document = json.loads(record.entry)  # checked once by `entries`; `records` repeats itself
            if view.in_view(document, self.request.filter):
                shown = [item for item in record.disclosures if item.name in self.request.fields]
                yield record, document, sorted(shown, key=lambda item: item.name)

    def _counted(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        digest, size, pending = hashlib.sha256(), 0, bytearray()
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            pending += piece
            if len(pending) >= _CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        if pending:
            yield bytes(pending)
        self.files[name] = {"size": size, "sha256": digest.hexdigest()}
