#!/usr/bin/env python3
"""Verify an auditor's bundle or a guest's receipt offline: one file, nothing but Python 3.11 and `cryptography`.

    python3 verify_bundle.py bundle.zip --key FILE [--checkpoint FILE] [--sidecar FILE | --no-sidecar] [--json]
    python3 verify_bundle.py kvittering.tlog-proof --key FILE [--entry FILE] [--checkpoint FILE] [--json]

FILE of --key holds the log's public key(s), got by another way than with the bundle; --checkpoint is the auditor's
own copy of an earlier checkpoint. Exit 0: everything holds. 1: something does not, and it says which file and line.
2: nothing was checked: wrong use, or another file given in one's place.

It shares no code with the program that writes bundles, on purpose: two implementations must agree, and so must the
third, verify.html, which says the same in the same words. The format is docs/bundle-format.md. The ZIP is treated as
hostile: nothing is extracted, every size is bounded, and each byte must belong to a file that the manifest names.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import heapq
import io
import json
import operator
import os
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_ENTRY_BYTES = 65_535
MAX_LINE_BYTES = 1 << 20
MAX_SMALL_BYTES = 8 << 20
MAX_VIEW_BYTES = 256 << 20
MAX_RECEIPT_BYTES = 1 << 20
MAX_FILES = 20_000
MAX_DIRECTORY_BYTES = 8 << 20
MAX_RATIO = 200  # no honest file over 8 MiB compresses better; a ZIP bomb does
MAX_SAMPLE = 100_000
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
BLOCK_BYTES = 1 << 18
SIDECAR_HEADER = b"gjestenett-bundle-sidecar/v1\n"
ZIP_HEADER = b"PK\x03\x04"
REQUIRED = {
    "README.txt", "keys.vkey", "checkpoint", "range-proof.txt", "entries.jsonl", "leaves.txt", "disclosures.jsonl",
    "view.csv", "manifest.json",
}  # fmt: skip
OPTIONAL = {"consistency.txt", "rotations.txt", "selection.txt", "sample.csv"}
LONG = {"entries.jsonl", "leaves.txt", "disclosures.jsonl", "view.csv", "selection.txt", "sample.csv"}
TERMS = re.compile(r"terms/([0-9a-f]{64})\.(md|html)")
OTHER_VIEW = re.compile(r"(view|report)(-[a-z0-9]{1,16})?\.(xlsx|pdf|jsonl|html)")
DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
HEX = re.compile(r"[0-9a-f]{64}")
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
DECIMAL = re.compile(r"0|[1-9][0-9]{0,14}")
IDENTIFIED_BY = {
    "self_declared", "course_code", "host_approved", "oidc", "known_device", "device_words", "receipt_code",
}  # fmt: skip
PERSONAL_COLUMNS = ("name", "organisation", "contact", "course_code", "mac", "address", "receipt")
PLAIN_FILTER = {"from", "to", "site", "version"}
PERSONAL_FILTER = {"name": "name", "course": "course_code", "device": "mac"}  # key of the filter: field of the entry
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


class WrongUse(ValueError):  # noqa: N818 - the word that the command uses
    """There is no verdict: something must be given first; carries the Problem, and the option that gives it."""

    def __init__(self, part: str, message: str, option: str = "") -> None:
        self.problem, self.option = Problem(part, "", message), option
        super().__init__(str(self.problem))


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
    Raises: ValueError when `keys` holds no usable key; WrongUse when another file is given in the place of one;
        OSError when the bundle can't be opened.
    """
    verifier = _Verifier(_trusted(keys), bundle.name)
    _refuse_other(checkpoint)
    with bundle.open("rb") as file, verifier.judging():
        verifier.run(file, sidecar, require_sidecar, checkpoint)
    return verifier.verdict()


def verify_receipt(
    receipt: bytes, keys: str, *, entry: bytes | None = None, checkpoint: bytes | None = None, name: str = "receipt"
) -> Report:
    """Verify a guest's receipt (`.tlog-proof`) with the trusted `keys`; `name` is what its file is called.

    The entry it is about stands in its `extra` line, with the guest's own fields, or is given as `entry`.
    Raises: ValueError when `keys` holds no usable key; WrongUse when the entry is in neither, or
        another file is given as the checkpoint.
    """
    verifier = _Verifier(_trusted(keys), name)
    _refuse_other(checkpoint)
    with verifier.judging():
        verifier.earlier_checkpoint(checkpoint)
        facts = _receipt(verifier, receipt, entry)
        verifier.report.problems += verifier.found.values()
        verifier.report.proved += facts
    return verifier.verdict()


def _trusted(keys: str) -> list[Key]:
    try:
        return _keys(keys, "key")
    except Fault as fault:
        raise ValueError(str(fault.problem)) from None


class _Verifier:
    """One verification: what is known so far, and the order in which it is found out."""

    def __init__(self, trusted: list[Key], name: str) -> None:
        self.report = Report()
        self.trusted, self.name = trusted, name
        self.earlier: Checkpoint | None = None
        self.place = ("", "")  # the file and line that is being read
        self.suspects: dict[str, Problem] = {}  # files whose bytes are not those that the manifest names
        self.found: dict[str, Problem] = {}  # the first problem of each file found by reading it
        self.rotations: set[str] = set()  # the notes by which keys were changed
        self.followed = self.unfollowed = 0

    def verdict(self) -> Report:
        if self.report.problems:
            self.report.proved.clear()  # a broken bundle proves nothing, and what else is wrong with it is open
            self.report.unchecked.clear()
        return self.report

    def judging(self) -> _Judging:
        """A context in which whatever happens becomes a Problem, and never "verified"."""
        return _Judging(self)

    def noting(self) -> _Noting:
        return _Noting(self)

    def note(self, fault: Fault) -> None:
        self.found.setdefault(fault.problem.part, fault.problem)

    def run(self, file: BinaryIO, sidecar: bytes | None, require_sidecar: bool, checkpoint: bytes | None) -> None:
        signed_by = f"{self.name}.note"
        _mixed_up(file.read(len(SIDECAR_HEADER)), self.name, sidecar, signed_by)
        archive = self.archive = _Zip(file, self.name)
        self.follow_rotations()
        stated, unsigned = None, None
        if sidecar is not None:
            try:
                stated = _sidecar(sidecar, self.trusted, signed_by)
            except Fault as fault:
                unsigned = fault.problem
        elif require_sidecar:
            unsigned = Problem(signed_by, "", NO_NOTE)
        else:
            self.report.unchecked.append("Who exported the bundle and why: there was no signature (.zip.note).")
        self.earlier_checkpoint(checkpoint)
        altered = stated is not None and archive.digest() != (stated["zip"], stated["size"])
        try:
            self.contents(stated)
        finally:
            # Who signed can't be known where the file with the changes of key is the one that was altered.
            if unsigned and not (unsigned.message == UNTRUSTED and "rotations.txt" in self.suspects):
                self.report.problems.insert(0, unsigned)
        if altered and not self.report.problems:
            message = "its bytes are not those that were signed, though each file in it is"
            raise Fault(self.name, message, "container")

    def follow_rotations(self) -> None:
        """Trust each key that a trusted key of the same log has signed as its successor."""
        if "rotations.txt" not in self.archive.members:
            return
        with self.noting():
            for number, note in enumerate(_rotation_notes(self.small("rotations.txt")), 1):
                self.rotations.add(note.decode("utf-8", "replace"))
                new = _rotation(note, self.trusted, f"note {number}")
                if new is None:
                    self.unfollowed += 1
                    continue
                self.followed += 1
                if new not in self.trusted:
                    self.trusted = [*self.trusted, new]

    def earlier_checkpoint(self, checkpoint: bytes | None) -> None:
        if checkpoint is not None:
            with self.noting():
                self.earlier = _checkpoint(checkpoint, self.trusted, EARLIER)

    def contents(self, stated: dict[str, Any] | None) -> None:
        raw = self.small("manifest.json")
        if stated is not None and hashlib.sha256(raw).hexdigest() != stated["manifest"]:
            raise Fault("manifest.json", "it is not the manifest that was signed; nothing else was checked")
        manifest = _manifest(raw)
        files: dict[str, Any] = manifest["files"]
        names = self.archive.members.keys() - {"manifest.json"}
        for odd in sorted(names ^ files.keys(), key=_utf16):
            raise Fault(odd, "in the ZIP but not in the manifest" if odd in names else "missing from the ZIP")
        streams = {name: self.archive.open(name) for name in sorted(files)}
        for name, stream in streams.items():
            if name not in LONG:
                self.compare(name, stream, files[name])
        if stated is not None and stated["origin"] != manifest["origin"]:
            self.note(Fault("manifest.json", "names another log than the signature (.zip.note)", "origin"))
        facts = self.read(manifest, streams)
        # A changed file makes others disagree with it; where the manifest tells which changed, only those are named.
        damaged = {part: problem for part, problem in self.suspects.items() if problem.message == DAMAGED}
        for part, problem in {**self.suspects, **self.found, **damaged}.items():
            if not self.suspects or part in self.suspects or part == EARLIER:
                self.report.problems.append(problem)
        if not self.report.problems and facts is not None:
            if stated is not None:
                by, why = manifest["exporter"], manifest["purpose"]
                facts.append(f"The ZIP is the one that was signed: exported by “{by}”, for “{why}”.")
            self.report.proved += facts

    def compare(self, name: str, stream: _Stream, stated: dict[str, Any]) -> None:
        fault = stream.finish(stated["size"], stated["sha256"])
        if fault is not None:
            self.suspects[name] = fault.problem

    def read(self, manifest: dict[str, Any], streams: dict[str, _Stream]) -> list[str] | None:
        """Meaning. Returns what is proved if there is no problem; every long file has been compared then."""
        walk: _Walk | None = None
        head = proof = None
        with self.noting():
            head = _checkpoint(self.small("checkpoint"), self.trusted, "checkpoint")
        if head is not None:
            proof = self.frame(manifest, head)
            if proof is not None:
                walk = _Walk(self, streams, manifest, proof, head, self.earlier.size if self.earlier else None)
                walk.run()
        for name in sorted(LONG & streams.keys()):
            self.compare(name, streams[name], manifest["files"][name])
        if head is None or proof is None or walk is None:
            return None
        self.root(walk, proof, head)
        self.terms(manifest, walk)
        consistency = None
        if "consistency.txt" in manifest["files"]:
            with self.noting():
                consistency = _consistency_text(self.small("consistency.txt"))
                if consistency["size"] != head.size:
                    raise Fault("consistency.txt", "leads to another size than the checkpoint")
        grown = None
        with self.noting():
            grown = self.append_only(head, walk, consistency)
        return self.facts(head, manifest, walk, grown)

    def frame(self, manifest: dict[str, Any], head: Checkpoint) -> dict[str, Any] | None:
        """What must fit before entries can be read: manifest, keys and proof. Returns the range proof."""
        for key, value in (("origin", head.origin), ("size", head.size)):
            if manifest[key] != value:
                self.note(Fault("manifest.json", f"says {manifest[key]}, the checkpoint {value}", key))
        for name, wanted in (
            ("selection.txt", bool(manifest["filter"].keys() & PERSONAL_FILTER.keys())),
            ("sample.csv", "sample" in manifest),
        ):
            if wanted != (name in manifest["files"]):
                message = (
                    "missing, though the manifest orders it" if wanted else "there, though the manifest orders none"
                )
                self.note(Fault(name, message))
        with self.noting():
            listed = _keys(self.small("keys.vkey").decode("utf-8", "replace"), "keys.vkey")
            if not set(listed) & set(self.trusted):
                raise Fault("keys.vkey", "does not hold the trusted key")
        proof: dict[str, Any] | None = None
        with self.noting():
            proof = _range_proof(self.small("range-proof.txt"))
            if (proof["first"], proof["last"], proof["size"]) != (manifest["first"], manifest["last"], head.size):
                raise Fault("range-proof.txt", "is about another range or tree than the manifest and the checkpoint")
        wrong = {"range-proof.txt", "manifest.json", "selection.txt", "sample.csv"} & self.found.keys()
        return None if wrong else proof

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

    def terms(self, manifest: dict[str, Any], walk: _Walk) -> None:
        texts = walk.texts
        held = {name for name in manifest["files"] if TERMS.fullmatch(name)}
        for name in sorted(held):
            if manifest["files"][name]["sha256"] != name[6:70]:
                self.note(Fault(name, "the text does not have the SHA-256 of its name: it was changed"))
        if "entries.jsonl" in self.found:
            return
        for name in sorted(held ^ texts.keys()):
            if name in held:
                self.note(Fault(name, "no entry names this text"))
            else:
                self.note(Fault(name, f"missing, though entry {texts[name]} names it"))
        for note, index in walk.rotations.items():
            if note not in self.rotations:
                self.note(Fault("rotations.txt", f"lacks the change of key that entry {index} records"))

    def append_only(self, head: Checkpoint, walk: _Walk, consistency: dict[str, Any] | None) -> str | None:
        old = self.earlier
        if old is None:
            return None
        explained = walk.explained(old.size)
        _same_log(old, head, explained)
        if old.size in (0, head.size) or walk.old_root is not None:
            root = head.root if old.size == head.size else walk.old_root or hashlib.sha256(b"").digest()
            if old.root != root:
                message = f"the first {old.size} entries are not those of the earlier checkpoint: rewritten{explained}"
                raise Fault(EARLIER, message)
        elif consistency is None or consistency["old"] != old.size:
            message = f"no proof from size {old.size}; ask for a bundle with one, or with the entries around {old.size}"
            raise Fault("consistency.txt", message)
        elif not _consistent(old.size, old.root, head.size, head.root, consistency["proof"]):
            message = f"does not show that the log extends the earlier one of {old.size} entries{explained}"
            raise Fault("consistency.txt", message)
        return f"The log has only grown since your checkpoint of {old.size} entries: nothing before it was changed."

    def facts(self, head: Checkpoint, manifest: dict[str, Any], walk: _Walk, grown: str | None) -> list[str]:
        first, last, chosen = manifest["first"], manifest["last"], manifest["filter"]
        facts = [f"The log {head.origin} had {head.size} entries when the trusted key signed the checkpoint."]
        none = "none is missing, added, moved or altered."
        if first == last:
            facts.append("The bundle holds no entries.")
        elif last - first == head.size:
            facts.append(f"The bundle holds the whole log, entries {first} to {last - 1} ({last - first}): {none}")
        else:
            facts.append(f"The bundle holds exactly the entries {first} to {last - 1} of it ({last - first}): {none}")
        facts.append(f"{walk.disclosed} personal fields shown are those that were recorded.")
        facts.append(f"{len(walk.texts)} texts of the rules are word for word those that the entries name.")
        for key, count in walk.accepted.items():
            version, language, text, _ = (word.decode() for word in key)
            often = "once" if count == 1 else f"{count} times"
            facts.append(f"Rules version {version} ({language}), accepted {often}: the text terms/{text}.md.")
        begin, end = chosen.get("from") or "the beginning", chosen.get("to") or "the end"
        within = "" if last - first == head.size else " of the entries in the bundle"
        facts.append(
            f"Period from {begin} to {end} (UTC), acceptances: {walk.rows}{within}. view.csv shows each of them, as the"
            " entries and the fields shown give them."
        )
        facts += [f"Only acceptances with {key} “{chosen[key]}”." for key in sorted(chosen.keys() - {"from", "to"})]
        if walk.draw is not None:
            facts.append(
                f"sample.csv shows the {len(walk.draw.held)} of these acceptances that the checkpoint's root and the"
                f" number “{walk.draw.number}” draw: nobody could choose them, if the number is yours."
            )
        if self.followed == 1:
            facts.append("The log's key was changed once; the new key is signed by the one before it.")
        elif self.followed:
            facts.append(f"The log's key was changed {self.followed} times; each new key is signed by one before it.")
        if erased := walk.erased.count(first, last):
            shown = sum(sum(walk.shows[max(0, a - first) : b + 1 - first]) for a, b in walk.erased.held if b >= first)
            facts.append(
                f"{erased} entries of the range have been erased, by the entries {_some(walk.erasing)}: {shown} of them"
                " still show fields, and their proofs hold."
            )
        facts += walk.lost()
        if grown:
            facts.append(grown)
        self.gaps(head, manifest, walk)
        return facts

    def gaps(self, head: Checkpoint, manifest: dict[str, Any], walk: _Walk) -> None:
        """What was left unchecked, and why."""
        unchecked, chosen = self.report.unchecked, manifest["filter"]
        if self.earlier is None:
            unchecked.append("Whether the log was rewritten before this checkpoint: no earlier checkpoint was given.")
        if walk.recorded > walk.disclosed:
            hidden = walk.recorded - walk.disclosed
            unchecked.append(
                f"{hidden} personal fields are recorded but not shown: of acceptances outside the selection, of what"
                " staff did (publishing, exports, accounts), withheld or erased."
            )
        for key in sorted(chosen.keys() & PERSONAL_FILTER.keys()):
            unchecked.append(
                f"Whether other acceptances have {key} “{chosen[key]}” too: the fields of those that were not selected"
                " are not shown."
            )
            if PERSONAL_FILTER[key] not in manifest["fields"]:
                unchecked.append(f"Whether the acceptances shown have {key} “{chosen[key]}”: that field is withheld.")
        if manifest["last"] - manifest["first"] < head.size:
            unchecked.append("Entries outside the range of the bundle.")
            unchecked.append(
                "Whether there are more acceptances of the period: the bundle does not hold the whole log."
            )
        if walk.other_types:
            unchecked.append(
                f"The meaning of entries of types unknown here: {', '.join(sorted(walk.other_types, key=_utf16))}."
            )
        if self.unfollowed:
            unchecked.append(f"{self.unfollowed} changes of key that were not signed by a key you trust.")
        for name in sorted(filter(OTHER_VIEW.fullmatch, manifest["files"])):
            unchecked.append(f"{name}: it is the file that was exported, but it was not compared with the entries.")
        unchecked += [SPLIT, TRUTH]

    def small(self, name: str) -> bytes:
        self.place = (name, "")
        stream = self.archive.open(name)
        data = stream.rest()
        if stream.fault is not None:
            raise stream.fault
        return data


EARLIER = "earlier checkpoint"
DAMAGED = "damaged in the ZIP"
UNTRUSTED = "not signed by the trusted key"
NO_NOTE = "missing; without it the manifest's words (who exported, why) are not proved"
WAIVER = "; with --no-sidecar the rest is verified without it"
NEWER = (  # a bundle holds the chain of changes, a receipt has no room for it
    f"{UNTRUSTED}; if the log's key was changed since you got it, get the newest log.vkey where you got yours (IT"
    " prints it with gjestenett audit keys) and check again"
)
SPLIT = "Whether others were shown another history: compare the checkpoint with copies that others keep."
TRUTH = "That the recorded times are right, and that what a person typed is true: no log can prove that."


class _Judging:
    """`with verifier.judging():` whatever is raised becomes a Problem of the report; OSError and WrongUse go on."""

    def __init__(self, verifier: _Verifier) -> None:
        self.verifier = verifier

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        verifier = self.verifier
        if isinstance(error, WrongUse):
            return False
        if isinstance(error, Fault):
            verifier.report.problems.append(error.problem)
            verifier.report.problems += [found for part, found in verifier.found.items() if part == EARLIER]
        elif isinstance(error, Exception) and not isinstance(error, OSError):
            part, where = verifier.place  # what nobody foresaw must still be a verdict
            message = f"can't be understood ({type(error).__name__}: {error}); it is not what the program writes"
            verifier.report.problems.append(Problem(part or verifier.name, where, message))
        else:
            return False
        return True


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


def _same_log(old: Checkpoint, head: Checkpoint, explained: str) -> None:
    """Raises: Fault when the earlier checkpoint is of another log or of a longer one."""
    if old.origin != head.origin:
        raise Fault(EARLIER, f"is of the log {old.origin}, not of {head.origin}")
    if old.size > head.size:
        message = (
            f"has {old.size} entries, this one has {head.size}: either the earlier checkpoint is newer (use the one you"
            f" kept before), or history was removed{explained}"
        )
        raise Fault(EARLIER, message)


# --- the walk over entries ------------------------------------------------------------------------------------------

Acceptance = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]
"""at, site, version, language, text_sha256, html_sha256, identified_by: as UTF-8, which sorts and compares as text."""


class _Walk:
    """The long files read side by side in constant memory: entries, leaves, disclosures, selection, view."""

    def __init__(
        self,
        verifier: _Verifier,
        streams: dict[str, _Stream],
        manifest: dict[str, Any],
        proof: dict[str, Any],
        head: Checkpoint,
        old_size: int | None,
    ) -> None:
        self.verifier, self.streams, self.manifest = verifier, streams, manifest
        self.entries = streams["entries.jsonl"].lines(MAX_ENTRY_BYTES + 1)
        self.leaves = streams["leaves.txt"].lines(17)
        self.disclosures = streams["disclosures.jsonl"].lines(MAX_LINE_BYTES)
        self.selection = streams["selection.txt"].lines(18) if "selection.txt" in streams else None
        self.view = streams["view.csv"]
        self.first, self.last = manifest["first"], manifest["last"]
        self.edge: list[bytes] = list(proof["left"])
        self.old_size, self.old_root = old_size, None if old_size != self.first else _fold(self.edge)
        self.fields = {name.encode() for name in manifest["fields"]}
        self.filter = _Filter(manifest["filter"], manifest["fields"])
        sample = manifest.get("sample")
        self.draw = None if sample is None else _Draw(head.root, sample["count"], sample["number"])
        self.texts: dict[str, int] = {}
        self.accepted: dict[tuple[bytes, ...], int] = {}
        self.middles: dict[tuple[bytes, bytes, bytes, bytes], bytes] = {}
        self.rotations: dict[str, int] = {}
        self.restores: dict[int, tuple[str, int, int]] = {}  # the entry: its time, the size restored to, the size known
        self.erased, self.erasing = _Ranges(), []  # type: tuple[_Ranges, list[int]]
        self.shows = bytearray()  # for each entry, whether any of its fields is shown
        self.other_types: set[str] = set()
        self.odd_leaf: int | None = None
        self.bad_entry: int | None = None
        self.complete = False
        self.disclosed = self.recorded = self.rows = 0
        self.view_readable = self.disclosures_readable = True
        self.pending: tuple[int, bytes, bytes, bytes] | None = None
        self.disclosure_line = self.selection_line = 0
        self.previous = (-1, b"", b"", b"")
        self.selected = -1

    def line(self, index: int) -> str:
        return f"line {index - self.first + 1} (entry {index})"

    def run(self) -> None:
        heading = b"\xef\xbb\xbf" + _csv([text.encode() for text in HEADINGS[self.manifest["language"]].split(";")])
        with self.verifier.noting():
            self.expect_row(heading)
            with self.verifier.noting():
                self.next_disclosure()
            self.next_selected()
            index = self.first
            try:
                for index in range(self.first, self.last):
                    self.entry(index)
            except Exception:
                self.verifier.place = ("entries.jsonl", self.line(index))
                raise
            if next(self.entries, b""):
                raise Fault("entries.jsonl", "holds more entries than the range", self.line(self.last))
            self.complete = True
            self.ends()
            self.sample(heading)

    def entry(self, index: int) -> None:
        line = next(self.entries, b"")
        if not line:
            self.bad_entry = index if self.bad_entry is None else self.bad_entry
            raise Fault("entries.jsonl", "the entry is missing", self.line(index))
        entry = line[:-1] if line[-1] == 10 else line
        leaf = hashlib.sha256(b"\x00" + entry).digest()
        if next(self.leaves, b"") != leaf.hex()[:16].encode() + b"\n" and self.odd_leaf is None:
            self.odd_leaf = index
        _append(self.edge, index, leaf)
        if index + 1 == self.old_size:
            self.old_root = _fold(self.edge)
        found = PLAIN_ACCEPTANCE.fullmatch(line)
        try:
            acceptance: Acceptance | None
            if found and (line.isascii() or _is_utf8(line)):
                acceptance, personal = self.plain_acceptance(found, index)
            elif entry is line:
                raise Fault("entries.jsonl", "the line is too long or has no end", self.line(index))
            else:
                acceptance, personal = self.any_entry(_entry(entry, self.line(index)), index)
        except Fault as fault:
            self.verifier.note(fault)
            self.bad_entry = index if self.bad_entry is None else self.bad_entry
            self.view_readable = self.disclosures_readable = False  # what depends on it can't be judged
            return
        self.recorded += len(personal)
        shown = acceptance is not None and self.filter.plain(acceptance)
        if self.selection is not None:
            shown = self.is_selected(index, shown)
        values: dict[bytes, bytes] = {}
        if self.pending is not None and self.pending[0] == index and self.disclosures_readable:
            self.disclose(index, personal, shown, values)
        self.shows.append(bool(values))
        if shown and self.view_readable and acceptance is not None:
            self.rows += 1
            row = self.row(index, acceptance, values)
            self.expect_row(row)
            if self.selection is not None:
                self.check_selected(index, values)
            if self.draw is not None:
                self.draw.offer(index, row)

    def plain_acceptance(self, found: re.Match[bytes], index: int) -> tuple[Acceptance, list[bytes]]:
        """What `any_entry` says of the same line, several times as fast."""
        at, by, listed, html, language, text, version, site = found.groups()
        personal = listed[1:-1].split(b'","') if listed else []
        if not all(map(operator.lt, personal, personal[1:])):
            raise Fault("entries.jsonl", UNSORTED, self.line(index))
        acceptance = (at, site, version, language, text, html, by)
        self.count(acceptance, index)
        return acceptance, personal

    def any_entry(self, document: dict[str, Any], index: int) -> tuple[Acceptance | None, list[bytes]]:
        kind = document["type"]
        for name in _texts(document):
            self.texts.setdefault(name, index)
        if kind not in PLAIN:
            self.other_types.add(kind)
            self.bounded(self.other_types)
        if kind == "erased":
            for first, last in _ranges(document["leaves"], self.line(index)):
                self.erased.add(first, last)
            self.erasing.append(index)
        if kind == "key_rotated":
            self.rotations.setdefault(document["note"], index)
            self.bounded(self.rotations)
        if kind == "restored":
            self.restores[index] = (document["at"], document["size"], document["known_size"])
            self.bounded(self.restores)
        personal = [item.encode() for item in document["personal"]]
        if kind != "acceptance":
            return None, personal
        rules = document["rules"]
        words = (document["at"], document["site"], rules["version"], rules["language"], rules["text_sha256"])
        at, site, version, language, text = (word.encode() for word in words)
        html, by = rules["html_sha256"].encode(), document["identified_by"].encode()
        acceptance = (at, site, version, language, text, html, by)
        self.count(acceptance, index)
        return acceptance, personal

    def count(self, acceptance: Acceptance, index: int) -> None:
        key = acceptance[2:6]
        if key not in self.accepted:
            self.accepted[key] = 0
            self.bounded(self.accepted)
            for name in (f"terms/{key[2].decode()}.md", f"terms/{key[3].decode()}.html"):
                self.texts.setdefault(name, index)
        self.accepted[key] += 1

    def lost(self) -> list[str]:
        """What the entries `restored` say."""
        facts = []
        for index, (at, size, known) in self.restores.items():
            if known > size + 1:
                lost = f"entries {size} to {known - 1} as signed before were lost."
            elif known > size:
                lost = f"entry {size} as signed before was lost."
            else:
                lost = f"it holds another history than the {known} entries that were signed before."
            facts.append(f"The database was restored at entry {index} ({at}): {lost}")
        return facts

    def explained(self, size: int) -> str:
        """Which restores may be why a checkpoint of `size` entries contradicts the log: those to less than that."""
        found = [index for index, (_, kept, _) in self.restores.items() if kept < size]
        if len(found) > 1:
            return f"; entries {_some(found)} record restores, which may explain it"
        return f"; entry {found[0]} records a restore, which may explain it" if found else ""

    def bounded(self, things: dict[Any, Any] | set[str]) -> None:
        if len(things) > MAX_FILES:
            raise Fault("entries.jsonl", "more different texts, keys or types than a log has")

    def row(self, index: int, acceptance: Acceptance, values: dict[bytes, bytes]) -> bytes:
        at, site, version, language, text, _, by = acceptance
        key = (site, version, language, text)
        middle = self.middles.get(key)
        if middle is None:
            if len(self.middles) > 4096:
                self.middles.clear()
            middle = self.middles[key] = b'";"'.join(map(_cell, key))
        cells = [_cell(values[name]) if name in values else b"" for name in PERSONAL_NAMES]
        return b'"%d";"%b";"%b";"%b";"%b"\r\n' % (index, at, middle, by, b'";"'.join(cells))

    def disclose(self, index: int, digests: list[bytes], shown: bool, values: dict[bytes, bytes]) -> None:
        """Put the disclosed fields of entry `index` into `values`."""
        fields = self.fields
        pending = self.pending
        try:
            while pending is not None and pending[0] == index:
                _, name, encoded, value = pending
                if _digest(encoded) not in digests:
                    self.bad_disclosure(f"{name.decode()} of entry {index} is not the value that was recorded")
                if not shown or name not in fields:
                    self.bad_disclosure(f"{name.decode()} of entry {index} is outside the manifest's filter and fields")
                values[name] = value
                self.disclosed += 1
                self.next_disclosure()
                pending = self.pending
        except Fault as fault:
            self.verifier.note(fault)

    def next_disclosure(self) -> None:
        """Read the next line into `pending`: index, name, canonical [salt, name, value], value. Raises: Fault."""
        self.disclosure_line += 1
        self.pending = None
        line = next(self.disclosures, b"")
        found = PLAIN_DISCLOSURE.fullmatch(line)
        if found and (line.isascii() or _is_utf8(line)):
            number, name, salt, value = found.groups()
            index, encoded = int(number), b'["%b","%b","%b"]' % (salt, name, value)
        elif line:
            index, name, encoded, value = self.any_disclosure(line)
        else:
            return
        if index < self.previous[0] or (index == self.previous[0] and name <= self.previous[1]):
            self.bad_disclosure("is out of order or there twice")
        if not self.first <= index < self.last:
            self.bad_disclosure(f"is of entry {index}, which is not in the bundle")
        self.previous = self.pending = (index, name, encoded, value)

    def any_disclosure(self, line: bytes) -> tuple[int, bytes, bytes, bytes]:
        found = _parse(line[:-1]) if line.endswith(b"\n") else None
        if not isinstance(found, dict) or found.keys() != {"index", "name", "salt", "value"}:
            self.bad_disclosure("is not a disclosure in canonical JSON")
        texts = (found["name"], found["salt"], found["value"])
        if type(found["index"]) is not int or not all(isinstance(text, str) for text in texts):
            self.bad_disclosure("its index is a number, its other fields are text")
        name, salt, value = texts
        return found["index"], name.encode(), _canonical([salt, name, value]), value.encode()

    def bad_disclosure(self, message: str) -> NoReturn:
        self.disclosures_readable = self.view_readable = False
        raise Fault("disclosures.jsonl", message, f"line {self.disclosure_line}")

    def next_selected(self) -> None:
        """Read the next line of selection.txt into `selected`; -1 at its end."""
        if self.selection is None:
            return
        self.selection_line += 1
        line = next(self.selection, b"")
        if not line:
            self.selected = -1
            return
        text = line[:-1].decode("ascii", "replace")
        if line[-1] != 10 or not DECIMAL.fullmatch(text) or int(text) <= self.selected or int(text) < self.first:
            self.bad_selection("is not the number of an entry of the range, ascending")
        else:
            self.selected = int(text)

    def is_selected(self, index: int, matches: bool) -> bool:
        if self.selected != index:
            return False
        if not matches:
            self.bad_selection(f"entry {index} is not an acceptance that the plain filter lets through")
        else:
            self.next_selected()
        return matches

    def check_selected(self, index: int, values: dict[bytes, bytes]) -> None:
        for key, wanted in self.filter.personal:
            if not _matches(key, wanted, values.get(PERSONAL_FILTER[key].encode(), b"").decode()):
                self.verifier.note(
                    Fault("selection.txt", f"entry {index} does not have the {key} of the filter", f"row {self.rows}")
                )

    def bad_selection(self, message: str) -> None:
        self.disclosures_readable = self.view_readable = False
        self.selected = -1
        self.verifier.note(Fault("selection.txt", message, f"line {self.selection_line}"))

    def expect_row(self, expected: bytes) -> None:
        if self.view.take(len(expected)) != expected:
            self.view_readable = False
            message = "does not show what the entries and disclosures say"
            self.verifier.note(Fault("view.csv", message, f"row {self.rows + 1}"))

    def ends(self) -> None:
        with self.verifier.noting():
            if next(self.leaves, b""):
                raise Fault("leaves.txt", "has more lines than there are entries")
        with self.verifier.noting():
            if self.disclosures_readable and self.pending:
                self.bad_disclosure("belongs to no entry")
        if self.selected != -1:
            self.bad_selection("is not the number of an entry of the range, ascending")
        if self.view_readable and self.view.take(1):
            self.verifier.note(Fault("view.csv", "has more rows than the entries give", f"row {self.rows + 2}"))

    def sample(self, heading: bytes) -> None:
        stream = self.streams.get("sample.csv")
        if stream is None or self.draw is None or not self.view_readable:
            return
        for number, row in enumerate([heading, *self.draw.rows()], 1):
            if stream.take(len(row)) != row:
                raise Fault("sample.csv", "does not show the rows that the number draws", f"row {number}")
        if stream.take(1):
            raise Fault("sample.csv", "has more rows than were drawn", f"row {number + 1}")

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


class _Filter:
    """The manifest's filter: which acceptances are rows, and what the shown values of a row must match."""

    def __init__(self, chosen: dict[str, str], fields: list[str]) -> None:
        self.begin = chosen.get("from", "").encode()
        self.end = chosen["to"].encode() if "to" in chosen else None
        self.site = chosen["site"].encode() if "site" in chosen else None
        self.version = chosen["version"].encode() if "version" in chosen else None
        self.personal = [
            (key, chosen[key]) for key in sorted(PERSONAL_FILTER) if key in chosen and PERSONAL_FILTER[key] in fields
        ]

    def plain(self, acceptance: Acceptance) -> bool:
        at, site, version, *_ = acceptance
        return (
            at >= self.begin
            and (self.end is None or at < self.end)
            and (self.site is None or site == self.site)
            and (self.version is None or version == self.version)
        )


def _matches(key: str, wanted: str, value: str) -> bool:
    """Whether a disclosed value fits a personal filter; case is ignored by folding to lower or to upper case."""
    if key == "device":
        digits = wanted.lower().replace(":", "")
        return bool(digits) and value.lower().replace(":", "").endswith(digits)
    pairs = ((wanted.lower(), value.lower()), (wanted.upper(), value.upper()))
    return any(given == found if key == "course" else given in found for given, found in pairs) and bool(value)


class _Draw:
    """The sample: of all rows offered, the `count` with the smallest SHA-256(seed ‖ index)."""

    def __init__(self, root: bytes, count: int, number: str) -> None:
        self.count, self.number = count, number
        self.seed = hashlib.sha256(b"gjestenett sample v1\n" + root + number.encode()).digest()
        self.held: list[tuple[int, int, bytes]] = []  # (-hash, index, row): the largest hash first

    def offer(self, index: int, row: bytes) -> None:
        value = -int.from_bytes(hashlib.sha256(self.seed + b"%d" % index).digest())
        if len(self.held) < self.count:
            heapq.heappush(self.held, (value, index, row))
        elif value > self.held[0][0]:
            heapq.heapreplace(self.held, (value, index, row))

    def rows(self) -> list[bytes]:
        return [row for _, row in sorted((index, row) for _, index, row in self.held)]


class _Ranges:
    """A union of ranges of leaves, in memory bounded by its gaps."""

    def __init__(self) -> None:
        self.held: list[tuple[int, int]] = []
        self.limit = 1 << 16

    def add(self, first: int, last: int) -> None:
        self.held.append((first, last))
        if len(self.held) > self.limit:
            self.merge()
            self.limit = max(1 << 16, 2 * len(self.held))

    def merge(self) -> None:
        merged: list[tuple[int, int]] = []
        for first, last in sorted(self.held):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        self.held = merged

    def count(self, first: int, last: int) -> int:
        """How many numbers of [first, last) are in the union."""
        self.merge()
        return sum(max(0, min(b + 1, last) - max(a, first)) for a, b in self.held)


def _ranges(text: str, where: str) -> Iterator[tuple[int, int]]:
    """Leaf numbers written `3-5,9`, as (first, last) pairs. Raises: Fault."""
    for item in text.split(",") if text else []:
        first, dash, last = item.partition("-")
        if not DECIMAL.fullmatch(first) or not DECIMAL.fullmatch(last if dash else first):
            raise Fault("entries.jsonl", "its leaves are not written like 3-5,9", where)
        yield int(first), int(last if dash else first)


def _some(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "")


# --- receipts -------------------------------------------------------------------------------------------------------


def _receipt(verifier: _Verifier, data: bytes, given: bytes | None) -> list[str]:
    """What a receipt proves. Raises: Fault, WrongUse."""
    part = verifier.name
    verifier.place = (part, "")
    head, blank, signed = data.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not blank or lines.pop(0) != RECEIPT_HEADER or len(data) > MAX_RECEIPT_BYTES:
        raise Fault(part, "is not a receipt (c2sp.org/tlog-proof@v1)")
    extra = _b64(lines.pop(0)[6:], part) if lines and lines[0].startswith("extra ") else b""
    number = lines.pop(0) if lines else ""
    if not number.startswith("index ") or len(lines) > 63:
        raise Fault(part, "has no line `index NUMBER` and at most 63 hashes")
    index = _decimal(number[6:], part)
    proof = [_b64(line, part, 32) for line in lines]
    checkpoint = _receipt_checkpoint(signed, verifier.trusted, part)
    entry, *disclosures = extra.split(b"\n")
    if given is not None:
        if extra and given.removesuffix(b"\n") != entry:
            raise Fault(part, "is about another entry than the one that was given")
        entry = given.removesuffix(b"\n")
    if not entry:
        raise WrongUse(part, f"does not hold its entry; give entry {index} as a file of its own", "--entry FILE")
    if not _included(hashlib.sha256(b"\x00" + entry).digest(), index, checkpoint, proof):
        raise Fault(part, f"the proof does not lead from entry {index} to the signed root: one of them was changed")
    document = _entry(entry, f"entry {index}", part)
    facts = [
        f"The log {checkpoint.origin} had {checkpoint.size} entries when the trusted key signed the checkpoint.",
        f"Entry {index} is in it, exactly as it stands in the receipt.",
    ]
    unchecked = verifier.report.unchecked
    if document["type"] == "acceptance":
        rules = document["rules"]
        facts.append(
            f"Rules version {rules['version']} ({rules['language']}){_whose(rules)} were accepted at {document['at']}"
            f" (UTC), site"
            f" “{document['site']}”."
        )
        unchecked.append(
            f"The words of the rules: compare the SHA-256 of the text you have with {rules['text_sha256']}."
        )
    else:
        facts.append(f"It is of type {document['type']}, of {document['at']} (UTC), site “{document['site']}”.")
    shown = [item for item in disclosures if item]
    facts += [_receipt_field(item, document, part, f"field {line}") for line, item in enumerate(shown, 1)]
    if document["type"] == "acceptance" and not shown:
        unchecked.append(
            "Whose acceptance it is: the receipt proves that the entry stands in the log; it holds no names."
        )
    if len(document["personal"]) > len(shown):
        unchecked.append(f"{len(document['personal']) - len(shown)} personal fields are recorded but not shown.")
    _against_earlier(verifier, checkpoint)
    unchecked += [SPLIT, TRUTH]
    return facts


def _receipt_checkpoint(signed: bytes, trusted: list[Key], part: str) -> Checkpoint:
    try:
        return _checkpoint(signed, trusted, part)
    except Fault as fault:
        raise Fault(part, NEWER) if fault.problem.message == UNTRUSTED else fault from None


def _receipt_field(item: bytes, document: dict[str, Any], part: str, where: str) -> str:
    found = _parse(item)
    if not isinstance(found, list) or len(found) != 3 or not all(isinstance(text, str) for text in found):
        raise Fault(part, "is not a field [salt, name, value] in canonical JSON", where)
    if _digest(item).decode() not in document["personal"]:
        raise Fault(part, f"{found[1]} is not the value that was recorded", where)
    return f"Recorded field {found[1]}: “{found[2]}”."


def _against_earlier(verifier: _Verifier, checkpoint: Checkpoint) -> None:
    old = verifier.earlier
    if old is None:
        return
    if (old.origin, old.size) == (checkpoint.origin, checkpoint.size):
        if old.root != checkpoint.root:
            raise Fault(EARLIER, f"the first {old.size} entries are not those of the earlier checkpoint: rewritten")
    else:
        verifier.report.unchecked.append(
            "Whether the receipt's checkpoint and yours are of one history: they have different sizes, and a receipt"
            " holds no proof between them. A bundle shows it."
        )


def _included(leaf: bytes, index: int, head: Checkpoint, proof: list[bytes]) -> bool:
    """RFC 9162 §2.1.3.2."""
    fn, sn, result = index, head.size - 1, leaf
    if index >= head.size:
        return False
    for value in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = _pair(value, result)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = _pair(result, value)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and result == head.root


RECEIPT_HEADER = "c2sp.org/tlog-proof@v1"


# --- the ZIP ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    """One file in the ZIP: where its data begin, and what the directory says of them."""

    name: str
    start: int
    packed: int
    size: int
    crc: int
    deflated: bool


class _Zip:
    """A ZIP in the narrow form of bundles: members back to back, each header as the directory has it, nothing else."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.members: dict[str, _Member] = {}
        directory, count, stop = self._directory()
        position = place = 0
        for _ in range(count):
            place, position = self._member(directory, place, position)
        if place != len(directory) or position != stop - len(directory):
            raise self._fault("bytes in the ZIP that belong to no file")
        for missing in sorted(REQUIRED - self.members.keys()):
            raise Fault(missing, "missing from the ZIP")

    def at(self, offset: int, count: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(count)

    def digest(self) -> tuple[str, int]:
        """SHA-256 and size of the whole file."""
        self.file.seek(0)
        return hashlib.file_digest(self.file, "sha256").hexdigest(), self.file.tell()  # type: ignore[arg-type]

    def open(self, name: str) -> _Stream:
        return _Stream(self, self.members[name])

    def _fault(self, message: str) -> Fault:
        return Fault(self.name, message, "container")

    def _directory(self) -> tuple[bytes, int, int]:
        """The directory's bytes, its number of files, and where it ends. Raises: Fault."""
        end = self.file.seek(0, io.SEEK_END)
        tail = self.at(max(0, end - 98), 98)
        broken = self._fault("not a readable ZIP, or bytes after its end")
        if len(tail) < 22:
            raise broken
        sign, *disks, here, count, size, start, comment = struct.unpack("<4s4H2LH", tail[-22:])
        stop = end - 22
        if sign != b"PK\x05\x06" or any(disks) or here != count or comment:
            raise broken
        if len(tail) == 98 and tail[56:60] == b"PK\x06\x07":
            stop = end - 98
            sign, own, _, _, *disks, here, wide, wide_size, wide_start = struct.unpack("<4sQ2H2L4Q", tail[:56])
            short = (min(wide, 0xFFFF), min(wide_size, MOST), min(wide_start, MOST))
            if (sign, own) != (b"PK\x06\x06", 44) or any(disks) or here != wide or short != (count, size, start):
                raise broken
            if tail[60:76] != struct.pack("<LQL", 0, stop, 1):
                raise broken
            count, size, start = wide, wide_size, wide_start
        if start + size != stop:
            raise broken
        if count > MAX_FILES or size > MAX_DIRECTORY_BYTES:
            raise self._fault("more files than a bundle has")
        return self.at(start, size), count, stop

    def _member(self, directory: bytes, place: int, position: int) -> tuple[int, int]:
        """Read one file's entry in the directory and its own header; the next place of both. Raises: Fault."""
        fixed = directory[place : place + 46]
        if len(fixed) != 46 or fixed[:4] != b"PK\x01\x02":
            raise self._fault("the ZIP's directory can't be read")
        words = struct.unpack("<8x2H4s3L4H6xL", fixed)
        flags, method, _, crc, _, _, name_length, extra_length, comment_length, disk, _ = words
        raw = directory[place + 46 : place + 46 + name_length]
        name = raw.decode("ascii", "backslashreplace")
        if not (name in REQUIRED | OPTIONAL or TERMS.fullmatch(name) or OTHER_VIEW.fullmatch(name)):
            raise self._fault(f"no file “{name}” belongs in a bundle")
        if name in self.members:
            raise Fault(name, "there twice")
        if flags & ~0x800 or method not in {0, 8}:
            raise Fault(name, "encrypted or packed in a way that bundles don't use")
        place += 46 + name_length
        sizes = _wide(directory[place : place + extra_length], [words[5], words[4], words[10]])
        if sizes is None or comment_length or disk:
            raise Fault(name, "has more in the ZIP's directory than bundles have")
        size, packed, offset = sizes
        if size > max(MAX_SMALL_BYTES, MAX_RATIO * packed):
            raise Fault(name, "unpacks to too much: a ZIP bomb")
        most = MAX_VIEW_BYTES if OTHER_VIEW.fullmatch(name) else MAX_SMALL_BYTES
        if name not in LONG and size > most:
            raise Fault(name, f"larger than {most} bytes")
        if offset != position:
            raise self._fault("bytes in the ZIP that belong to no file")
        header = self.at(position, 30)
        if len(header) != 30 or header[:4] != b"PK\x03\x04":
            raise Fault(name, "its header is not where the ZIP's directory says")
        own = struct.unpack("<6x2H4s3L2H", header)
        rest = self.at(position + 30, own[6] + own[7])
        if (own[:4], rest[: own[6]], _wide(rest[own[6] :], [own[5], own[4]])) != (words[:4], raw, [size, packed]):
            raise Fault(name, "its header is not what the ZIP's directory says")
        start = position + 30 + len(rest)
        self.members[name] = _Member(name, start, packed, size, crc, method == 8)
        return place + extra_length, start + packed


MOST = 0xFFFFFFFF


def _wide(extra: bytes, values: list[int]) -> list[int] | None:
    """The values, those that are MOST from the ZIP64 field; None when there is another extra field or too little."""
    places = [place for place, value in enumerate(values) if value == MOST]
    if not places:
        return None if extra else values
    if len(extra) != 4 + 8 * len(places) or extra[:4] != struct.pack("<HH", 1, len(extra) - 4):
        return None
    for place, value in zip(places, struct.unpack(f"<{len(places)}Q", extra[4:]), strict=True):
        values[place] = value
    return values


class _Stream:
    """Bounded reading of one file of the ZIP, hashed on the way; damage ends it and is kept as `fault`."""

    def __init__(self, archive: _Zip, member: _Member) -> None:
        self.name, self.fault = member.name, None  # type: str, Fault | None
        self.digest, self.size = hashlib.sha256(), 0
        self.buffer, self.position = b"", 0
        self.source = self._chunks(archive, member)

    def lines(self, limit: int) -> Iterator[bytes]:
        """The lines with their LF, cut at `limit` bytes."""
        while True:
            end = self.buffer.rfind(b"\n", self.position) + 1
            if not end:
                if len(self.buffer) - self.position < limit and self.more():
                    continue
                end = len(self.buffer)
            block, self.position = self.buffer[self.position : end], end
            if not block:
                return
            for line in io.BytesIO(block):
                while len(line) > limit:
                    yield line[:limit]
                    line = line[limit:]  # noqa: PLW2901 - what is left of it
                yield line

    def take(self, count: int) -> bytes:
        """The next `count` bytes, or as many as there are."""
        while len(self.buffer) - self.position < count and self.more():
            pass
        taken = self.buffer[self.position : self.position + count]
        self.position += len(taken)
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        pieces = [self.buffer[self.position :]]
        self.buffer, self.position = b"", 0
        while self.more():
            pieces.append(self.buffer)
            self.buffer = b""
        return b"".join(pieces)

    def finish(self, size: int, sha256: str) -> Fault | None:
        """Read to the end and say what is wrong with the file's bytes, if they are not those stated."""
        self.buffer, self.position = b"", 0
        while self.more():
            self.buffer = b""
        if self.fault is None and (self.size, self.digest.hexdigest()) != (size, sha256):
            return Fault(self.name, "its bytes are not those that the manifest names")
        return self.fault

    def more(self) -> bool:
        try:
            chunk = next(self.source, b"")
        except Fault as fault:
            self.fault, chunk = fault, b""
        self.buffer, self.position = self.buffer[self.position :] + chunk, 0
        return bool(chunk)

    def _chunks(self, archive: _Zip, member: _Member) -> Iterator[bytes]:
        damaged = Fault(member.name, DAMAGED)
        inflate = zlib.decompressobj(-15) if member.deflated else None
        offset, left, crc, raw = member.start, member.packed, 0, b""
        while True:
            if not raw and left:
                raw = archive.at(offset, min(left, BLOCK_BYTES))
                offset, left = offset + len(raw), left - len(raw)
                if not raw:
                    raise damaged
            if inflate is None:
                piece, raw = raw, b""
            else:
                try:
                    piece = inflate.decompress(raw, BLOCK_BYTES)
                except zlib.error:
                    raise damaged from None
                raw = inflate.unconsumed_tail
                if inflate.eof and (inflate.unused_data or left):
                    raise damaged
            self.size += len(piece)
            if self.size > member.size:
                raise damaged
            self.digest.update(piece)
            crc = zlib.crc32(piece, crc)
            if piece:
                yield piece
            elif not raw and not left:
                break
        if self.size != member.size or crc != member.crc or (inflate is not None and not inflate.eof):
            raise damaged


# --- texts --------------------------------------------------------------------------------------------------------

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"number {text[:40]}")


_decoder = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number)


def _canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) of texts, integers that a double holds, lists and objects. Raises: ValueError."""
    return _encoder.encode(_ordered(value, 0)).encode("utf-8")


def _ordered(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH or (isinstance(value, int) and abs(value) > MAX_INTEGER):
        raise ValueError("deeper or larger than entries are")
    if isinstance(value, dict):
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    return [_ordered(item, depth + 1) for item in value] if isinstance(value, list) else value


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _parse(data: bytes) -> Any:
    """The value of canonical JSON, or None. Also None for duplicate keys."""
    try:
        value = _decoder.decode(data.decode("utf-8"))
        return value if _canonical(value) == data else None
    except (ValueError, RecursionError):
        return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _digest(encoded: bytes) -> bytes:
    """b64url(SHA-256(ASCII(b64url(`encoded`)))): how an entry names the field [salt, name, value] (RFC 9901 §4.2)."""
    inner = binascii.b2a_base64(encoded, newline=False).translate(_URL, b"=")
    return binascii.b2a_base64(hashlib.sha256(inner).digest(), newline=False).translate(_URL, b"=")


_URL = bytes.maketrans(b"+/", b"-_")


def _b64(text: str, part: str, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b"?"
    if base64.b64encode(data).decode("ascii") != text or length not in (None, len(data)):
        raise Fault(part, "base64 of another length or spelling than it must have")
    return data


def _decimal(text: str, part: str) -> int:
    if not DECIMAL.fullmatch(text):
        raise Fault(part, "has something else than a plain number where one belongs")
    return int(text)


def _keys(text: str, part: str) -> list[Key]:
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return [_key(line, part, f"line {number}") for number, line in enumerate(lines, 1)]


def _key(line: str, part: str, where: str) -> Key:
    name, plus, rest = line.partition("+")
    key_id, plus, payload = rest.partition("+")
    if not name or not plus or not re.fullmatch(r"[0-9a-f]{8}", key_id):
        raise Fault(part, "is not a public key written name+8 hex digits+base64", where)
    blob = _b64(payload, part, 33)
    if blob[0] != 1 or hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4].hex() != key_id:
        raise Fault(part, "is not an Ed25519 key with its own key id", where)
    return Key(name, bytes.fromhex(key_id), blob[1:])


def _note(data: bytes, trusted: list[Key], part: str, where: str = "") -> list[str]:
    """The lines of a signed note whose every signature by a trusted key holds, and there is one. Raises: Fault."""
    body, blank, tail = data.rpartition(b"\n\n")
    try:
        text, lines = body.decode("utf-8"), tail.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise Fault(part, "is not UTF-8", where) from None
    if not blank or lines.pop() != "" or not lines or len(lines) > 64 or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise Fault(part, "is not a signed note", where)
    good = 0
    for number, line in enumerate(lines, 1):
        pieces = line.split(" ")
        if len(pieces) != 3 or pieces[0] != "\N{EM DASH}" or not pieces[1]:
            raise Fault(part, "is not `— name base64`", where or f"signature line {number}")
        blob = _b64(pieces[2], part)
        for key in trusted:
            if (key.name, key.key_id) == (pieces[1], blob[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(blob[4:], body + b"\n")
                except InvalidSignature:
                    message = f"the signature by {key.name} does not hold: text or signature was changed"
                    raise Fault(part, message, where or f"signature line {number}") from None
                good += 1
    if not good:
        raise Fault(part, UNTRUSTED, where)
    return text.split("\n")


def _checkpoint(data: bytes, trusted: list[Key], part: str) -> Checkpoint:
    lines = _note(data, trusted, part)
    if len(lines) != 3 or not any(key.name == lines[0] for key in trusted):
        raise Fault(part, "is not a checkpoint of the log whose key is trusted")
    return Checkpoint(lines[0], _decimal(lines[1], part), _b64(lines[2], part, 32))


def _rotation_notes(data: bytes) -> Iterator[bytes]:
    """The notes of rotations.txt: `note N`, LF, N bytes, over and over. Raises: Fault."""
    place = number = 0
    while place < len(data):
        number += 1
        found = re.compile(rb"note ([1-9][0-9]{0,6})\n").match(data, place)
        if found is None or found.end() + int(found[1]) > len(data):
            raise Fault("rotations.txt", "is not `note N` and N bytes", f"note {number}")
        place = found.end() + int(found[1])
        yield data[found.end() : place]


def _rotation(note: bytes, trusted: list[Key], where: str) -> Key | None:
    """The key that the note makes trusted; None when no trusted key signed it. Raises: Fault."""
    part = "rotations.txt"
    try:
        lines = _note(note, trusted, part, where)
    except Fault as fault:
        if fault.problem.message == UNTRUSTED:
            return None
        raise
    if len(lines) != 3 or lines[0] != "gjestenett key rotation v1":
        raise Fault(part, "is not a change of key", where)
    new = _key(lines[2], part, where)
    # Only a key of the log itself may name its successor: a witness's key may be trusted too.
    signers = [key for key in trusted if key.name == lines[1]]
    if new.name != lines[1] or not signers:
        raise Fault(part, "is of another log than its keys", where)
    _note(note, signers, part, where)
    return new


def _mixed_up(start: bytes, name: str, sidecar: bytes | None, signed_by: str) -> None:
    """Raises: WrongUse for a bundle that begins as a sidecar, or the other way round."""
    is_zip = sidecar is not None and sidecar.startswith(ZIP_HEADER)
    if start == SIDECAR_HEADER and is_zip:
        raise WrongUse(name, "the bundle (.zip) and its signature (.zip.note) are swapped; exchange them")
    if start == SIDECAR_HEADER:
        message = "this is the signature (.zip.note) of a bundle, not the bundle; choose the bundle (.zip) too"
        raise WrongUse(name, message)
    if is_zip:
        message = "this is a bundle (.zip), not the signature of one; choose the signature (.zip.note)"
        raise WrongUse(signed_by, message)


def _refuse_other(checkpoint: bytes | None) -> None:
    """Raises: WrongUse for what is not written as a checkpoint is, whoever may have signed it."""
    if checkpoint is not None and not CHECKPOINT.fullmatch(checkpoint.decode("utf-8", "replace")):
        message = "this is not a checkpoint; choose the file `checkpoint` of the earlier bundle"
        raise WrongUse(EARLIER, message, "--checkpoint FILE")


CHECKPOINT = re.compile(r"[^\x00-\x1f]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n\n(?:\N{EM DASH} [^ \n]+ [A-Za-z0-9+/=]+\n){1,64}")


def _sidecar(data: bytes, trusted: list[Key], part: str) -> dict[str, Any]:
    lines = _note(data, trusted, part)
    pattern = r"gjestenett-bundle-sidecar/v1\n([^\n]+)\nsize (\d{1,15})\nzip ([0-9a-f]{64})\nmanifest ([0-9a-f]{64})"
    found = re.fullmatch(pattern, "\n".join(lines), re.ASCII)
    if not found:
        raise Fault(part, "is not the signature (.zip.note) of a bundle")
    return {"origin": found[1], "size": int(found[2]), "zip": found[3], "manifest": found[4]}


def _manifest(raw: bytes) -> dict[str, Any]:  # noqa: PLR0912 - a list of what a manifest must be
    part = "manifest.json"
    kinds: dict[str, Any] = {
        "v": int, "format": str, "origin": str, "size": int, "first": int, "last": int, "created_at": str,
        "exporter": str, "purpose": str, "filter": dict, "fields": list, "language": str, "files": dict, "sample": dict,
    }  # fmt: skip
    found = _parse(raw)
    if not isinstance(found, dict) or found.keys() | {"sample"} != kinds.keys():
        raise Fault(part, "is not a manifest in canonical JSON")
    for key in sorted(found):
        if type(found[key]) is not kinds[key]:
            raise Fault(part, "is not of the type that it must have", key)
    if found["v"] != 1 or found["format"] != "gjestenett-bundle/v1":
        raise Fault(part, "a bundle of another version; get a newer verifier", "format")
    if not 0 <= found["first"] <= found["last"] <= found["size"] or found["language"] not in HEADINGS:
        raise Fault(part, "an impossible range or language", "first, last, language")
    if not found["filter"].keys() <= PLAIN_FILTER | PERSONAL_FILTER.keys():
        raise Fault(part, "a filter that this verifier does not know", "filter")
    words = [*found["filter"].values(), *found["fields"]]
    if not all(isinstance(word, str) for word in words) or found["fields"] != sorted(set(found["fields"]), key=_utf16):
        raise Fault(part, "is not text, sorted", "filter, fields")
    if not all(found["filter"].get(key, "x") for key in PERSONAL_FILTER):
        raise Fault(part, "an empty filter", "filter")
    sample = found.get("sample", {"count": 1, "number": ""})
    if sample.keys() != {"count", "number"} or type(sample["count"]) is not int or type(sample["number"]) is not str:
        raise Fault(part, "is not the count and number of a sample", "sample")
    if not 1 <= sample["count"] <= MAX_SAMPLE:
        raise Fault(part, f"draws none or more than {MAX_SAMPLE} rows", "sample")
    for name, stated in sorted(found["files"].items(), key=lambda item: _utf16(item[0])):
        if not isinstance(stated, dict) or stated.keys() != {"size", "sha256"}:
            raise Fault(part, "has no size and SHA-256", f"files: {name}")
        if type(stated["size"]) is not int or type(stated["sha256"]) is not str:
            raise Fault(part, "has no size and SHA-256", f"files: {name}")
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
    "rules_asked_again": {"version"},
    "rules_proposed": {"change", "version", "sha256"},
    "rules_withdrawn": {"version"},
    "policy_published": {"generation", "before_sha256", "after_sha256"},
    "grant_moved": {"grant", "from_group", "to_group"},
    "grant_revoked": {"grant"},
    "grant_extended": {"grant", "until"},
    "grant_ended": {"grant", "cause"},
    "export": {"first", "last", "size"},
    "staff_change": {"change", "role"},
    "staff_login": {"method", "result"},
    "exemption_changed": {"change", "group", "categories", "until"},
    "exemption_decided": {"request", "grant", "decision", "group", "categories"},
    "device_admitted": {"device", "group", "until"},
    "device_blocked": {"change", "until"},
    "network_switched": {"network", "mode", "until"},
    "course_changed": {"change", "course", "group", "since", "until", "devices"},
    "setting_changed": {"setting"},
    "host_answered": {"answer", "asked", "grant"},
    "erased": {"leaves", "ground"},
    "retention_run": {"before", "erased"},
    "subject_access": {"leaves", "ground"},
    "key_rotated": {"old_vkey", "new_vkey", "note"},
    "restored": {"size", "root", "known_size", "known_root"},
}
OPTIONAL_FIELDS = {  # non-empty text where they stand
    "rules_published": {"group", "in_force_from"},
    "rules_proposed": {"group"},
}
HASHES = {"text_sha256", "html_sha256"}
UNSORTED = "its digests are not sorted and distinct"
PERSONAL_NAMES = tuple(name.encode() for name in PERSONAL_COLUMNS)

# Nearly every line is one of these two in its plainest spelling, which can be read without parsing JSON. What a pattern
# does not match goes the long way, with the same outcome.
_TEXT = rb'[^"\\\x00-\x1f]'
PLAIN_ACCEPTANCE = re.compile(
    rb'\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",'
    rb'"identified_by":"(self_declared|course_code|host_approved|oidc|'
    rb'known_device|device_words|receipt_code)",'
    rb'"owner":"' + _TEXT + rb'+","personal":\[((?:"[\w-]{43}"(?:,"[\w-]{43}")*)?)\],'
    rb'"rules":\{"html_sha256":"([0-9a-f]{64})","language":"(' + _TEXT + rb'+)",'
    rb'"text_sha256":"([0-9a-f]{64})","version":"(' + _TEXT + rb'+)"\},'
    rb'"site":"(' + _TEXT + rb'+)","type":"acceptance","v":1\}\n'
)
PLAIN_DISCLOSURE = re.compile(
    rb'\{"index":(0|[1-9]\d{0,14}),"name":"(' + _TEXT + rb'*)",'
    rb'"salt":"(' + _TEXT + rb'*)","value":"(' + _TEXT + rb'*)"\}\n'
)


def _entry(entry: bytes, where: str, part: str = "entries.jsonl") -> dict[str, Any]:
    """The fields of an entry whose shape is that of its type. Raises: Fault."""
    found = _parse(entry)
    wrong = _misshapen(found) if isinstance(found, dict) else "is not an entry in canonical JSON"
    if wrong:
        raise Fault(part, wrong, where)
    assert isinstance(found, dict)
    return found


def _misshapen(found: dict[str, Any]) -> str | None:  # noqa: PLR0911, PLR0912 - a list of what an entry must be
    """What is wrong with the shape of an entry."""
    if type(found.get("v")) is not int or found["v"] != 1 or not _texts_only(found, {"type", "at", "owner", "site"}):
        return "has no version 1, type, time, owner and site"
    if not AT.fullmatch(found["at"]):
        return "its time is not written like 2026-11-22T13:22:00.123Z"
    personal = found.get("personal")
    if not isinstance(personal, list) or not all(isinstance(item, str) and DIGEST.fullmatch(item) for item in personal):
        return "its personal fields are not digests"
    if personal != sorted(set(personal)):
        return UNSORTED
    kind = found["type"]
    plain = PLAIN.get(kind)
    optional = OPTIONAL_FIELDS.get(kind, set()) & found.keys()
    if plain is not None and found.keys() - optional != ENVELOPE | plain:
        odd = ", ".join(sorted((found.keys() - optional) ^ (ENVELOPE | plain), key=_utf16))
        return f"has other fields than {kind} of version 1 has: {odd}"
    if not _texts_only(found, optional):
        return "does not say in words whose rules they are"
    if kind == "acceptance":
        keys = {"version", "language"} | HASHES
        if isinstance(found["rules"], dict) and "group" in found["rules"]:  # a group's own rules say whose they are
            keys |= {"group"}
        if (
            not isinstance(found["rules"], dict)
            or found["rules"].keys() != keys
            or not _texts_only(found["rules"], keys)
        ):
            return "does not name its rules by version, language and SHA-256"
        if not isinstance(found["identified_by"], str) or found["identified_by"] not in IDENTIFIED_BY:
            return "says in no known way how the person was identified"
    if kind == "rules_published":
        if not AT.fullmatch(found.get("in_force_from", found["at"])):
            return "the time when its rules are in force is not written like 2026-11-22T13:22:00.123Z"
        texts = found["texts"]
        if not isinstance(texts, dict) or not all(
            isinstance(item, dict) and item.keys() == HASHES and _texts_only(item, HASHES) for item in texts.values()
        ):
            return "does not name its texts by their SHA-256"
    if not all(HEX.fullmatch(item[name]) for item in _hashed(found) for name in HASHES):
        return "does not name the rules by their SHA-256"
    if kind == "erased" and not isinstance(found["leaves"], str):
        return "its leaves are not written like 3-5,9"
    if kind == "key_rotated" and not isinstance(found["note"], str):
        return "does not hold the note by which the key was changed"
    if kind == "restored" and not all(type(found[name]) is int and found[name] >= 0 for name in ("size", "known_size")):
        return "its sizes are not numbers of entries"
    return None


def _texts_only(found: dict[str, Any], names: set[str]) -> bool:
    """Whether each of `names` is there and is non-empty text."""
    return all(isinstance(found.get(name), str) and found[name] for name in names)


def _whose(rules: dict[str, Any]) -> str:
    return f" of the group “{rules['group']}”" if "group" in rules else ""


def _hashed(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["type"] == "acceptance":
        return [document["rules"]]
    return list(document["texts"].values()) if document["type"] == "rules_published" else []


def _texts(document: dict[str, Any]) -> list[str]:
    names = []
    for item in _hashed(document):
        names += [f"terms/{item['text_sha256']}.md", f"terms/{item['html_sha256']}.html"]
    return names


def _csv(cells: list[bytes]) -> bytes:
    return b'"' + b'";"'.join(map(_cell, cells)) + b'"\r\n'


def _cell(text: bytes) -> bytes:
    # A spreadsheet would run a cell that starts like a formula; the apostrophe makes it text.
    guarded = b"'" + text if text[:1] in FORMULA else text
    return guarded.replace(b'"', b'""') if b'"' in guarded else guarded


FORMULA = {b"=", b"+", b"-", b"@", b"\t", b"\r", b"\0"}


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
    parser = argparse.ArgumentParser(description="Verify an auditor's bundle or a guest's receipt offline.")
    parser.add_argument("bundle", type=Path, help="bundle.zip, or a receipt (.tlog-proof)")
    parser.add_argument("--key", type=Path, required=True, help="file with the log's public key, not from the bundle")
    parser.add_argument("--checkpoint", type=Path, help="your own copy of an earlier checkpoint")
    parser.add_argument("--sidecar", type=Path, help="the bundle's signature (.zip.note; default: BUNDLE.note)")
    parser.add_argument("--no-sidecar", action="store_true", help="verify without the signature (.zip.note)")
    parser.add_argument("--entry", type=Path, help="the entry of a receipt that does not hold it")
    parser.add_argument("--json", action="store_true", help="print the verdict as one JSON object")
    given = parser.parse_args(arguments)
    try:
        keys = given.key.read_text(encoding="utf-8-sig").strip()
        earlier = given.checkpoint.read_bytes() if given.checkpoint else None
        report = _report(given, keys, earlier)
    except WrongUse as wrong:
        print(f"verify_bundle: {wrong}{': ' if wrong.option else ''}{wrong.option}", file=sys.stderr)
        return 2
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        print(f"verify_bundle: {error.filename or given.bundle}: {why}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"verify_bundle: {error}", file=sys.stderr)
        return 2
    try:
        _print(report, given.json)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (`| head`) has enough; what is left to print goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if report.ok else 1


def _report(given: argparse.Namespace, keys: str, earlier: bytes | None) -> Report:
    bundle: Path = given.bundle
    with bundle.open("rb") as file:
        start = file.read(MAX_RECEIPT_BYTES + 1)
    if start.startswith(RECEIPT_HEADER.encode()):
        entry = given.entry.read_bytes() if given.entry else None
        return verify_receipt(start, keys, entry=entry, checkpoint=earlier, name=bundle.name)
    beside = given.sidecar or bundle.with_name(bundle.name + ".note")
    wanted = not given.no_sidecar and (given.sidecar is not None or beside.exists())
    sidecar = beside.read_bytes() if wanted else None
    return verify_bundle(bundle, keys, checkpoint=earlier, sidecar=sidecar, require_sidecar=not given.no_sidecar)


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        problems = [vars(problem) for problem in report.problems]
        verdict = {"ok": report.ok, "problems": problems, "proved": report.proved, "unchecked": report.unchecked}
        print(json.dumps(verdict, ensure_ascii=False))
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
    print("VERIFIED" if report.ok else "NOT VERIFIED")
    for title, lines in (
        ("What is wrong", [f"{problem}{WAIVER if problem.message == NO_NOTE else ''}" for problem in report.problems]),
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
