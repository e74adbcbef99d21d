"""A small log with two languages, erased and hostile fields, and bundles of it: shared by the audit tests."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.audit import entry, merkle, note
from gateway.audit.bundle import Record, Request, bundle_files
from gateway.audit.bundle_zip import write_zip
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.sealing import seal

ORIGIN = "log.example/kommune"
SIGNER = note.SignerKey(ORIGIN, bytes(range(32)))
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXTS = {
    "nb": (b"# IKT-regler\n\nFor gjester.\n", b"<h1>IKT-regler</h1>"),
    "en": (b"# ICT rules\n", b"<h1>ICT rules</h1>"),
}
WAYS = ("self_declared", *sorted(entry.IDENTIFIED_BY - {"self_declared"}))
NAMES = ("Kari Nordmann", "=1+1", 'Ola "O" Hansen; sønn', "Åse\nBjørk", "+47", "@x", "-1", "\tx")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def salts() -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        yield hashlib.sha256(b"salt %d" % number).digest()[:16]


class Log:
    """A sealed log of `size` entries: a publication first, then acceptances and a sign-in each tenth.

    `others` puts entries of other types at chosen indexes: (type, plain fields). `signer` signs its checkpoints.
    """

    def __init__(
        self,
        size: int,
        others: Mapping[int, tuple[str, Mapping[str, object]]] | None = None,
        signer: note.SignerKey = SIGNER,
    ) -> None:
        self.signer = signer
        source = salts()
        texts = {lang: {"text_sha256": sha256(md), "html_sha256": sha256(html)} for lang, (md, html) in TEXTS.items()}
        self.records: list[Record] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.edge: merkle.Edge = ()
        self.roots = [merkle.EMPTY_ROOT]
        for index in range(size):
            fields: Mapping[str, object]
            kind, personal = "acceptance", {"name": NAMES[index % 8], "mac": f"02:00:00:00:00:{index % 256:02x}"}
            if index == 0:
                kind, personal = "rules_published", {"by": "it"}
                words = ("version", "adopting_body", "adopted_on", "case_number", "binding_language")
                fields = {**dict.fromkeys(words, "1"), "texts": texts}
            elif others and index in others:
                kind, personal, fields = others[index][0], {}, others[index][1]
            elif index % 10 == 0:
                kind, personal, fields = "staff_login", {"staff": "it"}, {"method": "password", "result": "ok"}
            else:
                language = "en" if index % 3 == 0 else "nb"
                rules = {"version": "2026-1", "language": language, **texts[language]}
                if index % 17 == 5:  # somebody in a group that has rules of its own
                    rules = {**rules, "version": "2026-L", "group": "library"}
                fields = {"rules": rules, "identified_by": WAYS[index // 4 % len(WAYS)]}
            built = entry.build(
                kind, at=START + timedelta(minutes=index), owner="kommune", site="hovedbygg",
                fields=fields, personal=personal, salt=lambda: next(source),  # type: ignore[arg-type]
            )  # fmt: skip
            shown = () if index % 7 == 6 else built.disclosures  # each seventh person is erased
            self.records.append(Record(index, built.entry, shown))
            sealed = seal(self.edge, index, [built.entry])
            self.nodes |= {(node.level, node.index): node.hash for node in sealed.nodes}
            self.edge = sealed.edge
            self.roots.append(sealed.root)

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def checkpoint(self, size: int | None = None) -> bytes:
        size = len(self.records) if size is None else size
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.roots[size]), self.signer)

    def request(self, first: int, last: int, **changes: object) -> Request:
        words: dict[str, object] = {
            "exporter": "it",
            "purpose": "årlig revisjon",
            "created_at": START + timedelta(days=1),
        }
        words |= {"checkpoint": self.checkpoint(), "keys": (self.signer.verifier,)}
        return Request(first, last, **{**words, **changes})  # type: ignore[arg-type]

    def files(self, request: Request) -> dict[str, bytes]:
        held = {
            (sha256(data), kind): data
            for pair in TEXTS.values()
            for data, kind in zip(pair, ("md", "html"), strict=True)
        }
        found = bundle_files(
            request,
            lambda: iter(self.records[request.first : request.last]),
            self.node,
            lambda sha, kind: held[sha, kind],
        )
        return {name: b"".join(chunks) for name, chunks in found}


def write(path: Path, files: Mapping[str, bytes], signer: note.SignerKey = SIGNER) -> bytes:
    """Write the ZIP as the exporter does and return its signed sidecar."""
    return write_zip(path, ORIGIN, ((name, iter([data])) for name, data in files.items())).sign(signer)


def rewrite(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a well-formed ZIP of (changed) files, with checksums that fit, as a forger would."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)


KEYS = f"{SIGNER.verifier}\n"
