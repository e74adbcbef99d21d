"""The auditor's bundle as a stream of files, and the text of its sidecar.

Files, in this order: README.txt, keys.vkey, rotations.txt (when the key was ever rotated: for each time `note N` and
the N bytes of the note in which the old key names the new one), checkpoint, range-proof.txt, consistency.txt (when
ordered), entries.jsonl (E and LF, the first is index `first`), leaves.txt (16 hex digits of each leaf hash and LF:
finds the line at fault, proves nothing), disclosures.jsonl (canonical JSON {"index","name","salt","value"} and LF,
ascending by index and name), selection.txt (where the filter looks at personal fields: the index of each row of the
view and LF, ascending), view.csv, sample.csv (when ordered), further views, terms/<sha256>.md and .html of every text
that an entry names, manifest.json (canonical JSON; sizes and SHA-256 of all others).

Every file covers the same index range [first, last); the filter applies to disclosures and views only. Pure, and in
constant memory: the records are read once, while entries.jsonl streams by, and the other long files wait in spools.
"""

from __future__ import annotations

import io
import json
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from json.encoder import encode_basestring as quoted  # what canonical JSON makes of a text
from typing import Any, BinaryIO, Protocol

from gateway.audit import canonical, merkle, note, selection, view
from gateway.audit.bundle_readme import README
from gateway.audit.checkpoint import Checkpoint, open_checkpoint
from gateway.audit.entry import SHAPES, named_texts
from gateway.audit.errors import BundleError
from gateway.audit.proof_text import ConsistencyText, RangeText
from gateway.audit.sample import MAX_ROWS, Draw, Sample
from gateway.clock import format_utc

FORMAT = "gjestenett-bundle/v1"
SIDECAR_HEADER = "gjestenett-bundle-sidecar/v1"
LEAF_DIGITS = 16
FILTER_KEYS = selection.PLAIN_KEYS | selection.PERSONAL_KEYS.keys()
_CHUNK_BYTES = 256 * 1024
_parse = json.JSONDecoder().decode
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(slots=True)
class Record:
    """One entry as stored: its index in the log, its exact bytes, and (salt, name, value) of the personal fields that
    still exist, by name.
    """

    index: int
    entry: bytes
    disclosures: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What is exported for whom: indexes [first, last), the signed newest checkpoint, and the words of the manifest.

    `filter` may hold `from`, `to` (RFC 3339 UTC with milliseconds), `site`, `version`, and `course`, `name`, `device`
    (gateway.audit.selection says how they are compared); `fields` are the personal fields the exporter may see;
    `language` (nb, nn, en) is that of the view's headings. `consistency_from` is the size of the auditor's checkpoint;
    `rotations` are the notes in which each key of `keys`, oldest first, names its successor.
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
    sample: Sample | None = None
    rotations: Sequence[str] = ()


class FurtherView(Protocol):
    """A view besides view.csv: shown each entry as it streams by, then asked for its files."""

    def entry(self, record: Record, document: Mapping[str, Any]) -> None:
        """An entry of the range, whatever its type."""

    def row(self, row: Sequence[str]) -> None:
        """A row of the view, after its entry: the cells of `view.cells`."""

    def files(self, head: Checkpoint, drawn: Sequence[Sequence[str]]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """Its files, when all entries have been shown and lead to the signed `head`; `drawn` are the sample's rows."""


BundleFile = tuple[str, Iterator[bytes]]
Records = Callable[[], Iterable[Record]]
Terms = Callable[[str, str], bytes]


def bundle_files(
    request: Request,
    records: Records,
    node: merkle.NodeSource,
    terms: Terms,
    further: Sequence[FurtherView] = (),
    spool: Callable[[], BinaryIO] = io.BytesIO,
) -> Iterator[BundleFile]:
    """The bundle's files as (name, chunks); each file's chunks must be consumed before the next file is asked for.

    `records` is called once and yields the entries first … last-1 in order; `node(level, index)` gives complete nodes;
    `terms(sha256, extension)` gives the exact bytes of a rules text (`md`) or its page (`html`); `spool` gives a file
    in which a long one can wait.
    Raises: BundleError when the request, an entry, a text or a node does not fit the checkpoint; NoteError for the
    checkpoint.
    """
    head = open_checkpoint(request.checkpoint, request.keys)
    _check(request, head)
    proof = merkle.range_proof(request.first, request.last, head.size, node)
    writer = _Writer(request, head, proof.left, spool, further)
    yield writer.file("README.txt", [README.encode()])
    yield writer.file("keys.vkey", ["".join(f"{key}\n" for key in request.keys).encode()])
    if request.rotations:
        notes = [text.encode() for text in request.rotations]
        yield writer.file("rotations.txt", [b"note %d\n%b" % (len(text), text) for text in notes])
    yield writer.file("checkpoint", [request.checkpoint])
    yield writer.file("range-proof.txt", [RangeText(request.first, request.last, head.size, proof).encode()])
    if (old := request.consistency_from) is not None:
        text = ConsistencyText(old, head.size, merkle.consistency_proof(old, head.size, node))
        yield writer.file("consistency.txt", [text.encode()])
    yield writer.file("entries.jsonl", writer.entries(records))
    if not merkle.verify_range(
        request.last, [], head.size, merkle.RangeProof(tuple(writer.edge), proof.right), head.root
    ):
        raise BundleError("the stored entries or nodes do not lead to the signed root: the database was changed")
    for name, waiting in writer.waiting.items():
        yield writer.file(name, waiting.chunks())
    drawn = writer.draw.drawn() if writer.draw else []
    if writer.draw:
        yield writer.file("sample.csv", [view.heading(request.language), *map(view.line, drawn)])
    for each in further:
        for name, chunks in each.files(head, drawn):
            yield writer.file(name, chunks)
    for name, extension in sorted(writer.named_texts):
        yield writer.file(f"terms/{name}.{extension}", _text(terms, name, extension))
    yield "manifest.json", iter([canonical.encode(_manifest(request, head, writer.files))])


def _check(request: Request, head: Checkpoint) -> None:
    if not 0 <= request.first <= request.last <= head.size:
        raise BundleError(f"the signed log has {head.size} entries; [{request.first}, {request.last}) is outside of it")
    if not request.filter.keys() <= FILTER_KEYS or request.language not in view.HEADINGS:
        raise BundleError(f"the filter knows {', '.join(sorted(FILTER_KEYS))}; the language is nb, nn or en")
    if (sample := request.sample) is not None and not (1 <= sample.count <= MAX_ROWS and sample.number):
        raise BundleError(f"a sample has 1 to {MAX_ROWS} rows, and the auditor's own number")


def _manifest(
    request: Request, head: Checkpoint, files: Mapping[str, Mapping[str, canonical.Json]]
) -> dict[str, canonical.Json]:
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
        "files": files,
    }
    if request.sample is not None:
        manifest["sample"] = {"count": request.sample.count, "number": request.sample.number}
    return manifest


def _text(terms: Terms, name: str, extension: str) -> Iterator[bytes]:
    data = terms(name, extension)
    if sha256(data).hexdigest() != name:
        raise BundleError(f"the stored rules text {name}.{extension} was changed")
    yield data


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


class _Waiting:
    """A long file on its way through its spool."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._file.write(b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0

    def chunks(self) -> Iterator[bytes]:
        self._flush()
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            yield chunk
        self._file.close()


class _Writer:
    """The one walk over the records: entries stream out of it, the other long files and the views grow beside."""

    def __init__(
        self,
        request: Request,
        head: Checkpoint,
        edge: merkle.Edge,
        spool: Callable[[], BinaryIO],
        further: Sequence[FurtherView],
    ) -> None:
        self.request, self.edge, self.further = request, list(edge), further
        self.files: dict[str, dict[str, canonical.Json]] = {}
        self.named_texts: set[tuple[str, str]] = set()
        self.draw = Draw(request.sample, head.root) if request.sample else None
        self._by_person = selection.is_personal(request.filter)
        self._checked = request.fields | set(selection.PERSONAL_KEYS.values() if self._by_person else ())
        names = ["leaves.txt", "disclosures.jsonl", *(["selection.txt"] if self._by_person else []), "view.csv"]
        self.waiting = {name: _Waiting(spool()) for name in names}

    def file(self, name: str, pieces: Iterable[bytes]) -> BundleFile:
        """The file, counted and hashed as it streams by."""
        return name, self._counted(name, pieces)

    def entries(self, records: Records) -> Iterator[bytes]:
        expected, further, edge = self.request.first, self.further, self.edge
        put_leaf = self.waiting["leaves.txt"].write
        self.waiting["view.csv"].write(view.heading(self.request.language))
        texts: set[str] = set()
        pending: list[bytes] = []
        size = 0
        for record in records():
            index, entry = record.index, record.entry
            if index != expected:
                raise BundleError(f"entry {expected} is missing in the database; found {index}")
            leaf = merkle.leaf_hash(entry)
            merkle.extend(edge, index, leaf)
            put_leaf(leaf.hex()[:LEAF_DIGITS].encode() + b"\n")
            try:
                self._show(record, _parse(entry.decode()), texts, further)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BundleError(f"entry {index} can't be read: the database was changed") from error
            pending += (entry, b"\n")
            size += len(entry) + 1
            if size >= _CHUNK_BYTES:
                yield b"".join(pending)
                pending.clear()
                size = 0
            expected += 1
        if expected != self.request.last:
            raise BundleError(f"entry {expected} is missing in the database")
        yield b"".join(pending)

    def _show(
        self, record: Record, document: Mapping[str, Any], texts: set[str], further: Sequence[FurtherView]
    ) -> None:
        """What one entry adds to the other files. It was checked when it was sealed, and the root proves that it is
        that one, so here it is only read.
        """
        if document["type"] == "acceptance":
            if document["rules"]["html_sha256"] not in texts:
                texts.add(document["rules"]["html_sha256"])
                self.named_texts |= named_texts(document)
        elif document["type"] == "rules_published":
            self.named_texts |= named_texts(document)
        for each in further:
            each.entry(record, document)
        if not selection.in_view(document, self.request.filter):
            return
        index = record.index
        if self._by_person:
            personal = {name: value for _, name, value in record.disclosures}
            if not selection.selects(self.request.filter, personal):
                return
            self.waiting["selection.txt"].write(b"%d\n" % index)
        shown = self._disclose(record)
        row = view.cells(index, document, shown)
        self.waiting["view.csv"].write(view.line(row))
        if self.draw:
            self.draw.offer(index, row)
        for each in further:
            each.row(row)

    def _disclose(self, record: Record) -> dict[str, str]:
        """Write the fields that may be seen, each held against its digest; returns name → value."""
        index, entry, checked, visible = record.index, record.entry, self._checked, self.request.fields
        shown: dict[str, str] = {}
        lines = []
        for salt, name, value in record.disclosures:
            if name in checked:
                quote = quoted(value)
                encoded = _b64url(f'["{salt}","{name}",{quote}]'.encode()).rstrip(b"=")
                # Only a salt and a value as they were recorded have a digest that stands in the entry, so that the line
                # below is canonical JSON too.
                if _b64url(sha256(encoded).digest())[:43] not in entry:
                    raise BundleError(f"the stored {name} of entry {index} does not belong to it")
                if name in visible:
                    shown[name] = value
                    lines.append(f'{{"index":{index},"name":"{name}","salt":"{salt}","value":{quote}}}\n')
        if lines:
            self.waiting["disclosures.jsonl"].write("".join(lines).encode())
        return shown

    def _counted(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        digest, size = sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield piece
        self.files[name] = {"size": size, "sha256": digest.hexdigest()}


def _b64url(data: bytes) -> bytes:
    # base64.urlsafe_b64encode without its own overhead: it runs ten million times in a large export
    return b2a_base64(data, newline=False).translate(_URL_SAFE)
