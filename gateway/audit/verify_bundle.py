#!/usr/bin/env python3
"""Verify an auditor's bundle offline: one file that needs nothing but Python 3.11 and `cryptography`.

    python3 verify_bundle.py bundle.zip --key FILE [--checkpoint FILE] [--sidecar FILE | --no-sidecar] [--json]

FILE of --key holds the log's public key(s), got by another way than with the bundle; --checkpoint is the auditor's
own copy of an earlier checkpoint. Exit 0: everything holds. 1: something does not, and it says which file and line.
2: wrong use.

It shares no code with the program that writes bundles, on purpose: two implementations must agree. The ZIP is
treated as hostile: nothing is extracted, every size is bounded, and each byte must belong to a file that the
manifest names.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_ENTRY_BYTES = 65_535
MAX_LINE_BYTES = 1 << 20
MAX_SMALL_BYTES = 8 << 20
MAX_FILES = 20_000
MAX_RATIO = 200  # no honest file over 8 MiB compresses better; a ZIP bomb does
LONG = ("entries.jsonl", "leaves.txt", "disclosures.jsonl", "view.csv")
REQUIRED = {"README.txt", "keys.vkey", "checkpoint", "range-proof.txt", *LONG}
TERMS = re.compile(r"terms/([0-9a-f]{64})\.(md|html)")
DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
HEX = re.compile(r"[0-9a-f]{64}")
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
IDENTIFIED_BY = {"self_declared", "course_code", "host_approved", "oidc"}
PERSONAL_COLUMNS = ("name", "organisation", "contact", "course_code", "mac", "address", "receipt")
HEADINGS = {
    "nb": "Nummer i loggen;Tidspunkt (UTC);Sted;Reglenes versjon;Språk;Tekstens SHA-256;Identifisert ved;Navn;"
    "Organisasjon;Kontakt;Kurskode;Enhetens adresse (MAC);IP-adresse;Kvittering",
    "nn": "Nummer i loggen;Tidspunkt (UTC);Stad;Versjon av reglane;Språk;SHA-256 av teksten;Identifisert ved;Namn;"
    "Organisasjon;Kontakt;Kurskode;Adressa til eininga (MAC);IP-adresse;Kvittering",
    "en": "Log index;Time (UTC);Site;Rules version;Language;SHA-256 of the text;Identified by;Name;"
    "Organisation;Contact;Course code;Device address (MAC);IP address;Receipt",
}


@dataclass(frozen=True)
class Problem:
    """One thing that does not hold: the file, where in it (line, row, field), and what."""

    part: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.part}{', ' + self.where if self.where else ''}: {self.message}"


@dataclass
class Report:
    """The verdict: `problems` (empty = everything holds), what was `proved`, what was left `unchecked` and why."""

    problems: list[Problem] = field(default_factory=list)
    proved: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that was to be checked holds."""
        return not self.problems


class Fault(Exception):  # noqa: N818 - the word that the report uses
    """A part that does not hold; carries the Problem."""

    def __init__(self, part: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(part, where, message)


@dataclass(frozen=True)
class Key:
    """A public key: name, key id, 32 bytes."""

    name: str
    key_id: bytes
    public: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A log's head."""

    origin: str
    size: int
    root: bytes


def verify_bundle(
    bundle: Path,
    keys: str,
    *,
    checkpoint: bytes | None = None,
    sidecar: bytes | None = None,
    require_sidecar: bool = True,
) -> Report:
    """Verify the ZIP `bundle` with the trusted `keys` (vkey lines) and the auditor's earlier `checkpoint`.

    `sidecar` is the text of bundle.zip.note; without it and with `require_sidecar` the verdict is negative.
    Raises: ValueError when `keys` holds no usable key; OSError when the bundle can't be opened.
    """
    try:
        trusted = _keys(keys, "key")
    except Fault as fault:
        raise ValueError(str(fault)) from None
    report = Report()
    verifier = _Verifier(report, trusted)
    try:
        if checkpoint is not None:
            verifier.earlier = _checkpoint(checkpoint, trusted, "earlier checkpoint")
        with bundle.open("rb") as file:
            verifier.run(file, bundle.name, sidecar, require_sidecar)
    except Fault as fault:
        report.problems.append(fault.problem)
    except OSError:
        raise
    except Exception as error:  # what nobody foresaw must still be a verdict, and never "verified"
        part, where = verifier.place
        message = f"can't be understood ({type(error).__name__}: {error}); it is not what the program writes"
        report.problems.append(Problem(part or bundle.name, where, message))
    if report.problems:
        report.proved.clear()  # a broken bundle proves nothing
    return report


class _Verifier:
    """One verification: the two passes over the archive and what they know of each other."""

    def __init__(self, report: Report, trusted: list[Key]) -> None:
        self.report = report
        self.trusted = trusted
        self.earlier: Checkpoint | None = None
        self.place = ("", "")  # the file and line that is being read
        self.suspects: dict[str, Problem] = {}  # files whose bytes are not those that the manifest names
        self.found: dict[str, Problem] = {}  # the first problem of each file found by reading it

    def run(self, file: io.BufferedReader, name: str, sidecar: bytes | None, require_sidecar: bool) -> None:
        stated = None
        if sidecar is not None:
            try:
                stated = _sidecar(sidecar, self.trusted, f"{name}.note")
            except Fault as fault:
                self.report.problems.append(fault.problem)
        elif require_sidecar:
            message = "missing; without it the manifest's words (who exported, why) are not proved"
            self.report.problems.append(Problem(f"{name}.note", "", message))
        else:
            self.report.unchecked.append("Who exported the bundle and why: there was no sidecar (bundle.zip.note).")
        whole = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        altered = stated is not None and whole != (stated["zip"], stated["size"])
        before = len(self.report.problems)
        with _archive(file, name) as archive:
            self.contents(archive, stated)
        if altered and len(self.report.problems) == before:
            self.report.problems.append(
                Problem(name, "container", "its bytes are not those that the sidecar signs, though each file in it is")
            )

    def contents(self, archive: zipfile.ZipFile, stated: dict[str, Any] | None) -> None:
        raw = self.small(archive, "manifest.json")
        if stated is not None and hashlib.sha256(raw).hexdigest() != stated["manifest"]:
            raise Fault("manifest.json", "it is not the manifest that the sidecar signs; nothing else was checked")
        manifest = _manifest(raw)
        files: dict[str, Any] = manifest["files"]
        names = set(archive.namelist()) - {"manifest.json"}
        for odd in sorted(names ^ files.keys()):
            raise Fault(odd, "in the ZIP but not in the manifest" if odd in names else "missing from the ZIP")
        for name in sorted(files):
            try:
                _compare(archive, name, files[name])
            except Fault as fault:
                self.suspects[name] = fault.problem
        if stated is not None and stated["origin"] != manifest["origin"]:
            self.note(Fault("manifest.json", "names another log than the sidecar", "origin"))
        facts = self.read(archive, manifest)
        # A changed file makes others disagree with it; where the manifest tells which changed, only those are named.
        for part, problem in {**self.suspects, **self.found}.items():
            if not self.suspects or part in self.suspects or part == "earlier checkpoint":
                self.report.problems.append(problem)
        if self.report.ok and facts is not None:
            if stated is not None:
                by, why = manifest["exporter"], manifest["purpose"]
                self.report.proved.append(f"The ZIP is the one that was signed: exported by {by!r}, for {why!r}.")
            self.report.proved[:0] = facts

    def read(self, archive: zipfile.ZipFile, manifest: dict[str, Any]) -> list[str] | None:
        """The second pass: meaning. Returns what is proved if there is no problem."""
        try:
            head = _checkpoint(self.small(archive, "checkpoint"), self.trusted, "checkpoint")
        except Fault as fault:
            self.note(fault)
            return None
        for key, value in (("origin", head.origin), ("size", head.size)):
            if manifest[key] != value:
                self.note(Fault("manifest.json", f"says {manifest[key]!r}, the checkpoint {value!r}", key))
        with self.noting():
            listed = _keys(self.small(archive, "keys.vkey").decode("utf-8", "replace"), "keys.vkey")
            if not set(listed) & set(self.trusted):
                raise Fault("keys.vkey", "does not hold the trusted key")
        proof: dict[str, Any] | None = None
        with self.noting():
            proof = _range_proof(self.small(archive, "range-proof.txt"))
            if (proof["first"], proof["last"], proof["size"]) != (manifest["first"], manifest["last"], head.size):
                raise Fault("range-proof.txt", "is about another range or tree than the manifest and the checkpoint")
        if proof is None or "range-proof.txt" in self.found or "manifest.json" in self.found:
            return None
        walk = _Walk(self, archive, manifest, proof, self.earlier.size if self.earlier else None)
        walk.run()
        self.root(walk, proof, head)
        self.terms(archive, manifest, walk.texts)
        consistency = None
        if "consistency.txt" in manifest["files"]:
            with self.noting():
                consistency = _consistency_text(self.small(archive, "consistency.txt"))
                if consistency["size"] != head.size:
                    raise Fault("consistency.txt", "leads to another size than the checkpoint")
        grown = None
        with self.noting():
            grown = self.append_only(head, walk, consistency)
        return self.facts(head, manifest, walk, grown)

    def root(self, walk: _Walk, proof: dict[str, Any], head: Checkpoint) -> None:
        if walk.complete and walk.finish(proof, head.size) == head.root:
            if walk.odd_leaf is not None:
                line = f"line {walk.odd_leaf - walk.first + 1}"
                self.note(Fault("leaves.txt", "is not the beginning of its entry's hash", line))
            return
        if walk.odd_leaf is not None and not (
            self.suspects.keys() & {"range-proof.txt", "checkpoint"} and "leaves.txt" in self.suspects
        ):
            if walk.bad_entry is not None and walk.odd_leaf < walk.bad_entry:
                self.found.pop("entries.jsonl", None)  # what was found first comes after the cause
            self.note(Fault("entries.jsonl", "is not the entry that was sealed", walk.line(walk.odd_leaf)))
            return
        message = "with the entries it does not lead to the signed root: the proof or an entry is not the sealed one"
        self.note(Fault("range-proof.txt", message))

    def terms(self, archive: zipfile.ZipFile, manifest: dict[str, Any], texts: dict[str, int]) -> None:
        held = {name for name in manifest["files"] if name.startswith("terms/")}
        for name in sorted(held):
            with self.noting():
                if hashlib.sha256(self.small(archive, name)).hexdigest() != name[6:70]:
                    raise Fault(name, "the text does not have the SHA-256 of its name: it was changed")
        if "entries.jsonl" in self.found:
            return
        for name in sorted(held ^ texts.keys()):
            if name in held:
                self.note(Fault(name, "no entry names this text"))
            else:
                self.note(Fault(name, f"missing, though entry {texts[name]} names it"))

    def append_only(self, head: Checkpoint, walk: _Walk, consistency: dict[str, Any] | None) -> str | None:
        old = self.earlier
        if old is None:
            return None
        part = "earlier checkpoint"
        if old.origin != head.origin:
            raise Fault(part, f"is of the log {old.origin}, not of {head.origin}")
        if old.size > head.size:
            message = (
                f"has {old.size} entries, this bundle's has {head.size}: either the checkpoint is newer than the bundle"
                " (use the one you kept before it was exported), or history was removed"
            )
            raise Fault(part, message)
        if old.size in (0, head.size) or walk.old_root is not None:
            root = head.root if old.size == head.size else walk.old_root or hashlib.sha256(b"").digest()
            if old.root != root:
                raise Fault(part, f"the first {old.size} entries are not those of the earlier checkpoint: rewritten")
        elif consistency is None or consistency["old"] != old.size:
            message = f"no proof from size {old.size}; ask for a bundle with one, or with the entries around {old.size}"
            raise Fault("consistency.txt", message)
        elif not _consistent(old.size, old.root, head.size, head.root, consistency["proof"]):
            raise Fault("consistency.txt", f"does not show that the log extends the earlier one of {old.size} entries")
        return f"The log has only grown since your checkpoint of {old.size} entries: nothing before it was changed."

    def facts(self, head: Checkpoint, manifest: dict[str, Any], walk: _Walk, grown: str | None) -> list[str]:
        first, last = manifest["first"], manifest["last"]
        facts = [f"The log {head.origin} had {head.size} entries when the trusted key signed the checkpoint."]
        if first == last:
            facts.append("The bundle holds no entries.")
        else:
            facts.append(
                f"The bundle holds exactly the entries {first} to {last - 1} of it ({last - first}): none is missing, "
                "added, moved or altered."
            )
        facts.append(f"{walk.disclosed} personal fields shown are those that were recorded.")
        facts.append(f"{len(walk.texts)} texts of the rules are word for word those that the entries name.")
        begin, end = (manifest["filter"].get(key, "") for key in ("from", "to"))
        facts.append(
            f"Period from {begin or 'the beginning'} to {end or 'the end'} (UTC), acceptances: {walk.rows}."
            " view.csv shows each of them, as the entries and the fields shown give them."
        )
        unchecked = self.report.unchecked
        if grown:
            facts.append(grown)
        else:
            unchecked.append("Whether the log was rewritten before this checkpoint: no earlier checkpoint was given.")
        if walk.recorded > walk.disclosed:
            hidden = walk.recorded - walk.disclosed
            unchecked.append(
                f"{hidden} personal fields are recorded but not shown: of acceptances outside the period, of what staff"
                " did (publishing, exports, accounts), withheld or erased."
            )
        if (last - first) < head.size:
            unchecked.append("Entries outside the range of the bundle.")
        if walk.other_types:
            unchecked.append(f"The meaning of entries of types unknown here: {', '.join(sorted(walk.other_types))}.")
        unchecked.append(
            "That the recorded times are right, and that what a person typed is true: no log can prove that."
        )
        return facts

    def small(self, archive: zipfile.ZipFile, name: str) -> bytes:
        self.place = (name, "")
        return b"".join(_pieces(archive, name))

    def note(self, fault: Fault) -> None:
        self.found.setdefault(fault.problem.part, fault.problem)

    def noting(self) -> _Noting:
        return _Noting(self)


class _Noting:
    """`with verifier.noting():` records a Fault and goes on after the block."""

    def __init__(self, verifier: _Verifier) -> None:
        self.verifier = verifier

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Fault):
            self.verifier.note(error)
        return isinstance(error, Fault)


class _Walk:
    """The four long files read side by side in constant memory: entries, leaves, disclosures, view."""

    def __init__(
        self,
        verifier: _Verifier,
        archive: zipfile.ZipFile,
        manifest: dict[str, Any],
        proof: dict[str, Any],
        old_size: int | None,
    ) -> None:
        self.verifier, self.archive, self.manifest = verifier, archive, manifest
        self.first, self.last = manifest["first"], manifest["last"]
        self.edge: list[bytes] = list(proof["left"])
        self.old_size, self.old_root = old_size, None if old_size != self.first else _fold(self.edge)
        self.fields = set(manifest["fields"])
        self.texts: dict[str, int] = {}
        self.other_types: set[str] = set()
        self.odd_leaf: int | None = None
        self.bad_entry: int | None = None
        self.complete = False
        self.disclosed = self.recorded = self.rows = 0
        self.view_readable = self.disclosures_readable = True
        self.pending: tuple[int, str, str, str] | None = None
        self.disclosure_line = 0
        self.previous: tuple[int, str] = (-1, "")

    def line(self, index: int) -> str:
        return f"line {index - self.first + 1} (entry {index})"

    def run(self) -> None:
        with self.verifier.noting():
            self.entry_lines = _Lines(self.archive, "entries.jsonl", MAX_ENTRY_BYTES + 1)
            self.leaf_lines = _Lines(self.archive, "leaves.txt", 17)
            self.disclosure_lines = _Lines(self.archive, "disclosures.jsonl", MAX_LINE_BYTES)
            self.view = _Lines(self.archive, "view.csv", MAX_LINE_BYTES)
            self.expect_row(b"\xef\xbb\xbf" + _csv(HEADINGS[self.manifest["language"]].split(";")))
            self.next_disclosure()
            for index in range(self.first, self.last):
                self.entry(index)
            if self.entry_lines.read():
                raise Fault("entries.jsonl", "holds more entries than the range", self.line(self.last))
            self.complete = True
            self.ends()

    def entry(self, index: int) -> None:
        self.verifier.place = ("entries.jsonl", self.line(index))
        line = self.entry_lines.read()
        if not line:
            self.bad_entry = index if self.bad_entry is None else self.bad_entry
            raise Fault("entries.jsonl", "the entry is missing", self.line(index))
        entry = line.removesuffix(b"\n")
        leaf = hashlib.sha256(b"\x00" + entry).digest()
        with self.verifier.noting():
            if self.leaf_lines.read() != leaf.hex()[:16].encode() + b"\n" and self.odd_leaf is None:
                self.odd_leaf = index
        _append(self.edge, index, leaf)
        if index + 1 == self.old_size:
            self.old_root = _fold(self.edge)
        document: dict[str, Any] | None = None
        with self.verifier.noting():
            if entry is line:
                raise Fault("entries.jsonl", "the line is too long or has no end", self.line(index))
            document = _entry(entry, self.line(index))
        if document is None:
            self.bad_entry = index if self.bad_entry is None else self.bad_entry
            self.view_readable = self.disclosures_readable = False  # what depends on it can't be judged
            return
        self.recorded += len(document["personal"])
        for name in _texts(document):
            self.texts.setdefault(name, index)
        if document["type"] not in PLAIN:
            self.other_types.add(document["type"])
        shown = self.in_view(document)
        personal: dict[str, str] = {}
        with self.verifier.noting():
            while self.disclosures_readable and self.pending and self.pending[0] == index:
                self.disclosure(document, shown, personal)
        self.verifier.place = ("entries.jsonl", self.line(index))
        if shown and self.view_readable:
            self.rows += 1
            self.expect_row(_row(index, document, personal))

    def in_view(self, document: dict[str, Any]) -> bool:
        chosen = self.manifest["filter"]
        return bool(
            document["type"] == "acceptance"
            and document["at"] >= chosen.get("from", "")
            and ("to" not in chosen or document["at"] < chosen["to"])
            and chosen.get("site", document["site"]) == document["site"]
        )

    def disclosure(self, document: dict[str, Any], shown: bool, personal: dict[str, str]) -> None:
        assert self.pending is not None
        index, name, salt, value = self.pending
        encoded = _b64url(_canonical([salt, name, value]))
        if _b64url(hashlib.sha256(encoded.encode("ascii")).digest()) not in document["personal"]:
            self.bad_disclosure(f"{name!r} of entry {index} is not the value that was recorded")
        if not shown or name not in self.fields:
            self.bad_disclosure(f"{name!r} of entry {index} is outside the manifest's filter and fields")
        personal[name] = value
        self.disclosed += 1
        self.next_disclosure()

    def next_disclosure(self) -> None:
        if not self.disclosures_readable:
            return
        self.disclosure_line += 1
        self.verifier.place = ("disclosures.jsonl", f"line {self.disclosure_line}")
        with self.verifier.noting():
            self.pending = None
            line = self.disclosure_lines.read()
            if not line:
                return
            found = _parse(line[:-1]) if line.endswith(b"\n") else None
            if not isinstance(found, dict) or found.keys() != {"index", "name", "salt", "value"}:
                self.bad_disclosure("is not a disclosure in canonical JSON")
            texts = (found["name"], found["salt"], found["value"])
            if type(found["index"]) is not int or not all(isinstance(text, str) for text in texts):
                self.bad_disclosure("its index is a number, its other fields are text")
            place = (found["index"], found["name"])
            if place <= self.previous:
                self.bad_disclosure("is out of order or there twice")
            if not self.first <= found["index"] < self.last:
                self.bad_disclosure(f"is of entry {found['index']}, which is not in the bundle")
            self.previous = place
            self.pending = (found["index"], *texts)

    def bad_disclosure(self, message: str) -> NoReturn:
        self.disclosures_readable = self.view_readable = False
        raise Fault("disclosures.jsonl", message, f"line {self.disclosure_line}")

    def expect_row(self, expected: bytes) -> None:
        with self.verifier.noting():
            if self.view.take(len(expected)) != expected:
                self.view_readable = False
                raise Fault("view.csv", "does not show what the entries and disclosures say", f"row {self.rows + 1}")

    def ends(self) -> None:
        with self.verifier.noting():
            if self.leaf_lines.read():
                raise Fault("leaves.txt", "has more lines than there are entries")
        with self.verifier.noting():
            if self.disclosures_readable and self.pending:
                self.bad_disclosure("belongs to no entry")
        with self.verifier.noting():
            if self.view_readable and self.view.take(1):
                raise Fault("view.csv", "has more rows than the entries give", f"row {self.rows + 2}")

    def finish(self, proof: dict[str, Any], size: int) -> bytes | None:
        """The root that the entries and the right side of the proof lead to."""
        position, edge = self.last, list(self.edge)
        for value in proof["right"]:
            if position >= size:
                return None
            level = (size - position).bit_length() - 1
            if position:
                level = min(level, (position & -position).bit_length() - 1)
            _append(edge, position >> level, value)
            position += 1 << level
        return _fold(edge) if position == size else None


class _Lines:
    """Bounded reading of one file of the archive; what the ZIP layer says becomes a Fault of that file."""

    def __init__(self, archive: zipfile.ZipFile, name: str, limit_bytes: int) -> None:
        self.name, self.limit_bytes = name, limit_bytes
        try:
            self.file = io.BufferedReader(archive.open(name), 1 << 16)  # type: ignore[type-var]
        except Exception as error:
            raise Fault(name, f"damaged in the ZIP: {error}") from None

    def read(self) -> bytes:
        return self.take(None)

    def take(self, count: int | None) -> bytes:
        """The next `count` bytes, or the next line with its LF (cut at the limit); b"" at the end."""
        try:
            return self.file.readline(self.limit_bytes) if count is None else self.file.read(count)
        except Exception as error:
            raise Fault(self.name, f"damaged in the ZIP: {error}") from None


# --- the ZIP ------------------------------------------------------------------------------------------------------


def _archive(file: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open the ZIP and hold it to the narrow form in which bundles are written. Raises: Fault."""
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile raises many kinds on hostile input
        raise Fault(name, f"not a readable ZIP: {error}", "container") from None
    infos = archive.infolist()
    file.seek(max(0, file.seek(0, io.SEEK_END) - 22))
    if len(infos) > MAX_FILES or not file.read().startswith(b"PK\x05\x06"):
        raise Fault(name, "too many files, or bytes after the end of the ZIP", "container")
    seen: set[str] = set()
    position = 0
    for info in infos:
        inside = info.orig_filename
        if inside in seen:
            raise Fault(inside, "there twice")
        seen.add(inside)
        if inside not in REQUIRED | {"manifest.json", "consistency.txt"} and not TERMS.fullmatch(inside):
            raise Fault(repr(inside), "no file of that name belongs in a bundle")
        if info.flag_bits & ~0x800 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Fault(inside, "encrypted or packed in a way that bundles don't use")
        if info.file_size > max(MAX_SMALL_BYTES, MAX_RATIO * info.compress_size):
            raise Fault(inside, "unpacks to too much: a ZIP bomb")
        if inside not in LONG and info.file_size > MAX_SMALL_BYTES:
            raise Fault(inside, f"larger than {MAX_SMALL_BYTES} bytes")
        if info.header_offset != position:
            raise Fault(inside, "bytes between the files of the ZIP that belong to none")
        file.seek(position)
        header = file.read(30)
        position += 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        position += info.compress_size
    if position != archive.start_dir:
        raise Fault(name, "bytes in the ZIP that belong to no file", "container")
    for missing in sorted((REQUIRED | {"manifest.json"}) - seen):
        raise Fault(missing, "missing from the ZIP")
    return archive


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as file:
            while piece := file.read(1 << 16):
                yield piece
    except Exception as error:
        raise Fault(name, f"damaged in the ZIP: {error}") from None


def _compare(archive: zipfile.ZipFile, name: str, stated: dict[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(archive, name):
        digest.update(piece)
        size += len(piece)
    if (size, digest.hexdigest()) != (stated["size"], stated["sha256"]):
        raise Fault(name, "its bytes are not those that the manifest names")


# --- texts --------------------------------------------------------------------------------------------------------

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"number {text[:40]}")


_decoder = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number)


def _canonical(value: Any) -> bytes:
    return _encoder.encode(value).encode("utf-8")


def _parse(data: bytes) -> Any:
    """The value of canonical JSON (RFC 8785; all keys of ours are ASCII), or None. Also None for duplicate keys."""
    try:
        value = _decoder.decode(data.decode("utf-8"))
        return value if _canonical(value) == data else None
    except (ValueError, RecursionError):
        return None


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _b64(text: str, part: str, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(part, "malformed base64") from None
    if base64.b64encode(data).decode("ascii") != text or length not in (None, len(data)):
        raise Fault(part, "base64 of another length or spelling than it must have")
    return data


def _decimal(text: str, part: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text):
        raise Fault(part, f"{text[:30]!r} is not a plain number")
    return int(text)


def _keys(text: str, part: str) -> list[Key]:
    keys = []
    for number, line in enumerate(text.replace("\r\n", "\n").removesuffix("\n").split("\n"), 1):
        pieces = line.split("+", 2)
        if len(pieces) != 3 or not re.fullmatch(r"[0-9a-f]{8}", pieces[1]):
            raise Fault(part, "is not a public key written name+8 hex digits+base64", f"line {number}")
        blob = _b64(pieces[2], part, 33)
        key_id = hashlib.sha256(pieces[0].encode() + b"\n" + blob).digest()[:4]
        if blob[0] != 1 or key_id.hex() != pieces[1]:
            raise Fault(part, "is not an Ed25519 key with its own key id", f"line {number}")
        keys.append(Key(pieces[0], key_id, blob[1:]))
    return keys


def _note(data: bytes, trusted: list[Key], part: str) -> list[str]:
    """The lines of a signed note whose every signature by a trusted key holds, and there is one. Raises: Fault."""
    body, blank, tail = data.rpartition(b"\n\n")
    try:
        text, lines = body.decode("utf-8"), tail.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise Fault(part, "is not UTF-8") from None
    if not blank or lines.pop() != "" or not lines or len(lines) > 64 or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise Fault(part, "is not a signed note")
    good = 0
    for number, line in enumerate(lines, 1):
        pieces = line.split(" ")
        if len(pieces) != 3 or pieces[0] != "\N{EM DASH}" or not pieces[1]:
            raise Fault(part, "is not `— name base64`", f"signature line {number}")
        blob = _b64(pieces[2], part)
        for key in trusted:
            if (key.name, key.key_id) == (pieces[1], blob[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(blob[4:], body + b"\n")
                except InvalidSignature:
                    message = f"the signature by {key.name} does not hold: text or signature was changed"
                    raise Fault(part, message, f"signature line {number}") from None
                good += 1
    if not good:
        raise Fault(part, "not signed by the trusted key")
    return text.split("\n")


def _checkpoint(data: bytes, trusted: list[Key], part: str) -> Checkpoint:
    lines = _note(data, trusted, part)
    if len(lines) != 3 or not any(key.name == lines[0] for key in trusted):
        raise Fault(part, "is not a checkpoint of the log whose key is trusted")
    return Checkpoint(lines[0], _decimal(lines[1], part), _b64(lines[2], part, 32))


def _sidecar(data: bytes, trusted: list[Key], part: str) -> dict[str, Any]:
    lines = _note(data, trusted, part)
    pattern = r"gjestenett-bundle-sidecar/v1\n([^\n]+)\nsize (\d{1,18})\nzip ([0-9a-f]{64})\nmanifest ([0-9a-f]{64})"
    found = re.fullmatch(pattern, "\n".join(lines), re.ASCII)
    if not found:
        raise Fault(part, "is not the sidecar of a bundle")
    return {"origin": found[1], "size": int(found[2]), "zip": found[3], "manifest": found[4]}


def _manifest(raw: bytes) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        "v": int, "format": str, "origin": str, "size": int, "first": int, "last": int, "created_at": str,
        "exporter": str,
        "purpose": str, "filter": dict, "fields": list, "language": str, "files": dict,
    }  # fmt: skip
    found = _parse(raw)
    if not isinstance(found, dict) or found.keys() != kinds.keys():
        raise Fault("manifest.json", "is not a manifest in canonical JSON")
    for key, kind in kinds.items():
        if type(found[key]) is not kind:
            raise Fault("manifest.json", f"is not of type {kind.__name__}", key)
    if found["v"] != 1 or found["format"] != "gjestenett-bundle/v1":
        raise Fault("manifest.json", "a bundle of another version; get a newer verify_bundle.py", "format")
    if not 0 <= found["first"] <= found["last"] <= found["size"] or found["language"] not in HEADINGS:
        raise Fault("manifest.json", "an impossible range or language", "first, last, language")
    if not found["filter"].keys() <= {"from", "to", "site"}:
        raise Fault("manifest.json", "a filter that this verifier does not know", "filter")
    words = [*found["filter"].values(), *found["fields"]]
    if not all(isinstance(word, str) for word in words) or found["fields"] != sorted(set(found["fields"])):
        raise Fault("manifest.json", "is not text, sorted", "filter, fields")
    for name, stated in found["files"].items():
        if not isinstance(stated, dict) or stated.keys() != {"size", "sha256"} or type(stated["size"]) is not int:
            raise Fault("manifest.json", "has no size and SHA-256", f"files: {name}")
    return found


def _proof_lines(data: bytes, part: str, header: str) -> Iterator[str]:
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Fault(part, "is not plain text") from None
    if lines.pop() != "" or len(lines) > 200 or lines[:1] != [header]:
        raise Fault(part, f"does not begin with {header} and end with a newline")
    yield from lines[1:]
    raise Fault(part, "is too short")


def _field(lines: Iterator[str], part: str, name: str) -> int:
    line = next(lines)
    if not line.startswith(name + " "):
        raise Fault(part, f"has no line `{name} NUMBER` where it belongs")
    return _decimal(line[len(name) + 1 :], part)


def _hashes(lines: Iterator[str], part: str, name: str) -> list[bytes]:
    return [_b64(next(lines), part, 32) for _ in range(_field(lines, part, name))]


def _finish(lines: Iterator[str], part: str) -> None:
    try:
        next(lines)
    except Fault:
        return
    raise Fault(part, "has more lines than it says")


def _range_proof(data: bytes) -> dict[str, Any]:
    part = "range-proof.txt"
    lines = _proof_lines(data, part, "gjestenett-range-proof/v1")
    found: dict[str, Any] = {name: _field(lines, part, name) for name in ("size", "first", "last")}
    found |= {name: _hashes(lines, part, name) for name in ("left", "right")}
    _finish(lines, part)
    if len(found["left"]) != found["first"].bit_count():
        raise Fault(part, "has another number of hashes on the left than its range needs")
    return found


def _consistency_text(data: bytes) -> dict[str, Any]:
    part = "consistency.txt"
    lines = _proof_lines(data, part, "gjestenett-consistency/v1")
    found: dict[str, Any] = {name: _field(lines, part, name) for name in ("old", "size")}
    found["proof"] = _hashes(lines, part, "proof")
    _finish(lines, part)
    return found


# --- entries and their view -----------------------------------------------------------------------------------------

ENVELOPE = {"v", "type", "at", "owner", "site", "personal"}
PLAIN = {  # the other fields of each type, all of them and no more
    "acceptance": {"rules", "identified_by"},
    "rules_published": {"version", "adopting_body", "adopted_on", "case_number", "binding_language", "texts"},
    "policy_published": {"generation", "before_sha256", "after_sha256"},
    "grant_moved": {"grant", "from_group", "to_group"},
    "grant_revoked": {"grant"},
    "export": {"first", "last", "size"},
    "staff_change": {"change", "role"},
    "staff_login": {"method", "result"},
    "exemption_changed": {"change", "group", "categories", "until"},
    "device_admitted": {"device", "group", "until"},
    "erased": {"leaves", "ground"},
    "retention_run": {"before", "erased"},
    "subject_access": {"leaves", "ground"},
    "key_rotated": {"old_vkey", "new_vkey", "note"},
    "restored": {"size", "root", "known_size", "known_root"},
}
HASHES = {"text_sha256", "html_sha256"}


def _entry(entry: bytes, where: str) -> dict[str, Any]:
    found = _parse(entry)
    if not isinstance(found, dict):
        raise Fault("entries.jsonl", "is not an entry in canonical JSON", where)
    if type(found.get("v")) is not int or found["v"] != 1 or not _texts_only(found, {"type", "at", "owner", "site"}):
        raise Fault("entries.jsonl", "has no version 1, type, time, owner and site", where)
    if not AT.fullmatch(found["at"]):
        raise Fault("entries.jsonl", "its time is not written like 2026-11-22T13:22:00.123Z", where)
    personal = found.get("personal")
    if not isinstance(personal, list) or not all(isinstance(item, str) and DIGEST.fullmatch(item) for item in personal):
        raise Fault("entries.jsonl", "its personal fields are not digests", where)
    if personal != sorted(set(personal)):
        raise Fault("entries.jsonl", "its digests are not sorted and distinct", where)
    plain = PLAIN.get(found["type"])
    if plain is not None and found.keys() != ENVELOPE | plain:
        odd = ", ".join(sorted(found.keys() ^ (ENVELOPE | plain)))
        raise Fault("entries.jsonl", f"has other fields than {found['type']} of version 1 has: {odd}", where)
    if found["type"] == "acceptance":
        rules = found["rules"]
        keys = {"version", "language"} | HASHES
        if not isinstance(rules, dict) or rules.keys() != keys or not _texts_only(rules, keys):
            raise Fault("entries.jsonl", "does not name its rules by version, language and SHA-256", where)
        if not isinstance(found["identified_by"], str) or found["identified_by"] not in IDENTIFIED_BY:
            raise Fault("entries.jsonl", "says in no known way how the person was identified", where)
    if found["type"] == "rules_published":
        texts = found["texts"]
        if not isinstance(texts, dict) or not all(
            isinstance(item, dict) and item.keys() == HASHES and _texts_only(item, HASHES) for item in texts.values()
        ):
            raise Fault("entries.jsonl", "does not name its texts by their SHA-256", where)
    if not all(HEX.fullmatch(item[name]) for item in _hashed(found) for name in HASHES):
        raise Fault("entries.jsonl", "does not name the rules by their SHA-256", where)
    return found


def _texts_only(found: dict[str, Any], names: set[str]) -> bool:
    """Whether each of `names` is there and is non-empty text."""
    return all(isinstance(found.get(name), str) and found[name] for name in names)


def _hashed(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["type"] == "acceptance":
        return [document["rules"]]
    return list(document["texts"].values()) if document["type"] == "rules_published" else []


def _texts(document: dict[str, Any]) -> list[str]:
    names = []
    for item in _hashed(document):
        names += [f"terms/{item['text_sha256']}.md", f"terms/{item['html_sha256']}.html"]
    return names


def _row(index: int, document: dict[str, Any], personal: dict[str, str]) -> bytes:
    rules = document["rules"]
    cells = [str(index), document["at"], document["site"], rules["version"], rules["language"], rules["text_sha256"]]
    return _csv([*cells, document["identified_by"], *(personal.get(name, "") for name in PERSONAL_COLUMNS)])


def _csv(cells: list[str]) -> bytes:
    guarded = (("'" if cell[:1] in {"=", "+", "-", "@", "\t", "\r", "\0"} else "") + cell for cell in cells)
    return (";".join('"' + cell.replace('"', '""') + '"' for cell in guarded) + "\r\n").encode("utf-8")


# --- the tree -------------------------------------------------------------------------------------------------------


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _append(edge: list[bytes], position: int, value: bytes) -> None:
    """Append to the compact range of `position` leaves (or of as many nodes of one level)."""
    while position & 1:
        value = _pair(edge.pop(), value)
        position >>= 1
    edge.append(value)


def _fold(edge: list[bytes]) -> bytes:
    if not edge:
        return hashlib.sha256(b"").digest()
    result = edge[-1]
    for left in reversed(edge[:-1]):
        result = _pair(left, result)
    return result


def _consistent(old: int, old_root: bytes, size: int, new_root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.4.2 for 0 < old < size."""
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for value in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = _pair(value, first), _pair(value, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = _pair(second, value)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


# --- the command ----------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """The command line: 0 everything holds, 1 something does not, 2 wrong use."""
    parser = argparse.ArgumentParser(description="Verify an auditor's bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="file with the log's public key, not from the bundle")
    parser.add_argument("--checkpoint", type=Path, help="your own copy of an earlier checkpoint")
    parser.add_argument("--sidecar", type=Path, help="the signed note of the ZIP (default: BUNDLE.note)")
    parser.add_argument("--no-sidecar", action="store_true", help="verify without the sidecar")
    parser.add_argument("--json", action="store_true", help="print the verdict as one JSON object")
    given = parser.parse_args(arguments)
    try:
        keys = given.key.read_text(encoding="utf-8-sig")
        earlier = given.checkpoint.read_bytes() if given.checkpoint else None
        beside = given.sidecar or given.bundle.with_name(given.bundle.name + ".note")
        wanted = not given.no_sidecar and (given.sidecar is not None or beside.exists())
        sidecar = beside.read_bytes() if wanted else None
        report = verify_bundle(
            given.bundle, keys, checkpoint=earlier, sidecar=sidecar, require_sidecar=not given.no_sidecar
        )
    except (OSError, ValueError) as error:
        print(f"verify_bundle: {error}", file=sys.stderr)
        return 2
    if given.json:
        problems = [vars(problem) for problem in report.problems]
        verdict = {"ok": report.ok, "problems": problems, "proved": report.proved, "unchecked": report.unchecked}
        print(json.dumps(verdict, ensure_ascii=False))
    else:
        _print(report)
    return 0 if report.ok else 1


def _print(report: Report) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
    print("VERIFIED" if report.ok else "NOT VERIFIED")
    for title, lines in (
        ("What is wrong", [str(problem) for problem in report.problems]),
        ("What was proved", report.proved),
        ("What was not checked, and why", report.unchecked),
    ):
        if lines:
            print(f"\n{title}:")
        for line in lines:
            print(f"  - {_printable(line)}")


def _printable(text: str) -> str:
    """Without control characters: much of the text was written by strangers."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


if __name__ == "__main__":
    sys.exit(main())
