"""Logs whose key was changed, and in which persons were erased."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from gateway.audit import note
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from tests.unit.audit.forgeries.case import FOREIGN, LAST, LOG, NEXT, OLD, Case, fitting, keys_of, packed, repacked
from tests.unit.audit.forgeries.selections import selected
from tests.unit.audit.specimen import KEYS, ORIGIN, Log


def rotation(old: note.SignerKey, new: note.SignerKey) -> str:
    """The note by which the old key makes the new one trusted."""
    return note.sign(f"gjestenett key rotation v1\n{old.name}\n{new.verifier}\n".encode(), [old]).decode()


def rotations(*notes: str) -> bytes:
    return b"".join(b"note %d\n%b" % (len(text.encode()), text.encode()) for text in notes)


CHAIN = (rotation(OLD, NEXT), rotation(NEXT, LAST))


@cache
def rotated() -> Log:
    """A log whose key was changed twice and in which two persons and a range were erased."""

    def change(old: note.SignerKey, new: note.SignerKey, text: str) -> tuple[str, dict[str, object]]:
        return "key_rotated", {"old_vkey": str(old.verifier), "new_vkey": str(new.verifier), "note": text}

    erased = ("erased", {"leaves": "6,13-14,14-15", "ground": "request"})
    others = {5: change(OLD, NEXT, CHAIN[0]), 21: change(NEXT, LAST, CHAIN[1]), 32: erased, 33: erased}
    return Log(37, others, LAST)


def with_rotations(notes: bytes, **options: object) -> dict[str, bytes]:
    more = {"rotations.txt": notes}
    return selected(rotated(), {}, more=more, keys=(OLD, NEXT, LAST), **options)  # type: ignore[arg-type]


def rotation_cases() -> Iterator[Case]:
    files = with_rotations(rotations(*CHAIN))
    data, sidecar = packed(files, LAST)
    # Leaf 6 was erased before; 13, 14, 15 by the entry after.
    for name, signer, words in (
        (
            "oldest key",
            OLD,
            ("changed 2 times", "4 entries of the range have been erased, by the entries 32, 33: 2 of them still show"),
        ),
        ("second key", NEXT, ("changed once", "1 changes of key that were not signed")),
        ("newest key", LAST, ("2 changes of key that were not signed",)),
    ):
        yield Case(name, data, sidecar=sidecar, require_sidecar=True, keys=keys_of(signer), says=words)
    old_checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 10, rotated().roots[10]), OLD)
    yield Case("earlier checkpoint by the old key", data, sidecar=sidecar, checkpoint=old_checkpoint)
    yield Case("old key unknown", data, "earlier checkpoint", checkpoint=old_checkpoint, keys=keys_of(LAST))
    yield Case("views", repacked(with_rotations(rotations(*CHAIN), sample=(1, "1")) | {}), keys=KEYS)
    views = {"view.xlsx": b"PK", "report.pdf": b"%PDF", "report-ua.pdf": b"%PDF-1.7"}
    more = selected(LOG, {}, more=views)
    yield Case("other views", repacked(more), says=("report-ua.pdf: it is the file that was exported",))
    yield Case("other views changed", repacked({**more, "report.pdf": b"%PDG"}), "report.pdf")
    yield Case("foreign view", repacked(selected(LOG, {}, more={"run.exe": b"MZ"})), "bundle.zip", "container")
    yield Case("no rotations needed", repacked(selected(LOG, {}, more={"rotations.txt": b""})))
    forged = note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{NEXT.verifier}\n".encode(), [OLD]).decode()
    assert forged == CHAIN[0]
    bad_signature = CHAIN[0].replace(str(NEXT.verifier), str(LAST.verifier))
    for name, notes, part, where in (
        ("only the second", rotations(CHAIN[1]), "checkpoint", ""),
        ("swapped", rotations(CHAIN[1], CHAIN[0]), "checkpoint", ""),
        ("bad signature", rotations(bad_signature, CHAIN[1]), "rotations.txt", "note 1"),
        ("cut", rotations(*CHAIN)[:-1], "rotations.txt", "note 2"),
        ("no length", CHAIN[0].encode(), "rotations.txt", "note 1"),
        ("more", rotations(*CHAIN) + b"x", "rotations.txt", "note 3"),
        ("other words", rotations(note.sign(f"x\n{ORIGIN}\ny\n".encode(), [OLD]).decode()), "rotations.txt", "note 1"),
        (
            "other log",
            rotations(
                note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{FOREIGN.verifier}\n".encode(), [OLD]).decode()
            ),
            "rotations.txt",
            "note 1",
        ),
        (
            "mistyped key",
            rotations(note.sign(f"gjestenett key rotation v1\n{ORIGIN}\nx\n".encode(), [OLD]).decode()),
            "rotations.txt",
            "note 1",
        ),
    ):
        yield Case(f"rotations {name}", repacked(with_rotations(notes)), part, where)
    lacking = with_rotations(rotations(*CHAIN))
    del lacking["rotations.txt"]
    yield Case("rotations missing", repacked(fitting(lacking)), "rotations.txt", keys=keys_of(LAST))
    witness = rotation(FOREIGN, NEXT).replace(f"\n{FOREIGN.name}\n", f"\n{ORIGIN}\n")
    resigned = note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{NEXT.verifier}\n".encode(), [FOREIGN]).decode()
    assert witness != resigned
    both = keys_of(OLD, FOREIGN)
    yield Case(
        "a witness's key names no successor", repacked(with_rotations(rotations(resigned))), "rotations.txt", keys=both
    )
    for name, leaves in (("words", "all"), ("backwards", "-3"), ("space", "3, 4"), ("open", "3-"), ("zero", "03")):
        log = Log(12, {5: ("erased", {"leaves": leaves, "ground": "request"})})
        yield Case(f"erased {name}", repacked(selected(log, {})), "entries.jsonl", "line 6 (entry 5)")
    log = Log(
        12,
        {5: ("erased", {"leaves": "", "ground": "request"}), 6: ("erased", {"leaves": "0-99999999", "ground": "age"})},
    )
    yield Case(
        "erased more than there is", repacked(selected(log, {})), says=("12 entries of the range have been erased",)
    )
