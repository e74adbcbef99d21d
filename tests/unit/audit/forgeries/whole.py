"""Honest bundles, what they are held against, and honest files in each other's place."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit import merkle
from gateway.audit.bundle import Sidecar
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from tests.unit.audit.forgeries.case import FOREIGN, LOG, NEXT, OLD, Case, keys_of, packed, repacked
from tests.unit.audit.forgeries.receipts import receipt
from tests.unit.audit.specimen import KEYS, ORIGIN, SIGNER, Log, sha256


def whole_bundles() -> Iterator[Case]:
    files = LOG.files(LOG.request(5, 31, consistency_from=3))
    data, sidecar = packed(files)
    yield Case("range", data, sidecar=sidecar, require_sidecar=True, says=("exactly the entries 5 to 30",))
    yield Case("no sidecar", data, "bundle.zip.note", require_sidecar=True)
    yield Case("no sidecar, waived", data, says=("Who exported",))
    for size in (0, 3, 5, 6, 17, 31, 43):
        yield Case(f"grown from {size}", data, sidecar=sidecar, checkpoint=LOG.checkpoint(size), says=("only grown",))
    yield Case("no consistency", data, "consistency.txt", checkpoint=LOG.checkpoint(4))
    other = Log(60)
    other.roots[3] = other.roots[10] = other.roots[43] = merkle.leaf_hash(b"other")
    yield Case("rewritten before", data, "consistency.txt", checkpoint=other.checkpoint(3))
    yield Case("rewritten", data, "earlier checkpoint", checkpoint=other.checkpoint(10))
    yield Case("rewritten head", data, "earlier checkpoint", checkpoint=other.checkpoint(43))
    yield Case("shortened", data, "earlier checkpoint", checkpoint=other.checkpoint(60))
    by_another = sign_checkpoint(Checkpoint(ORIGIN, 10, LOG.roots[10]), NEXT)
    untrusted = ("not signed by the trusted key",)
    yield Case("checkpoint by another key", data, "earlier checkpoint", checkpoint=by_another, says=untrusted)
    foreign = sign_checkpoint(Checkpoint(FOREIGN.name, 3, LOG.roots[3]), FOREIGN)
    yield Case("of another log", data, "earlier checkpoint", checkpoint=foreign, keys=keys_of(OLD, FOREIGN))
    yield Case("other key", data, "checkpoint", keys=keys_of(NEXT))
    yield Case("other key, sidecar", data, "bundle.zip.note", sidecar=sidecar, keys=keys_of(NEXT))
    yield Case("another's sidecar", data, "manifest.json", sidecar=packed(LOG.files(LOG.request(0, 43)))[1])
    yield Case("not a sidecar", data, "bundle.zip.note", sidecar=LOG.checkpoint(43))
    of_log = Sidecar("other", len(data), sha256(data), sha256(files["manifest.json"])).sign(SIGNER)
    yield Case("sidecar of another log", data, "manifest.json", "origin", sidecar=of_log)
    yield Case("repacked", repacked(files), "bundle.zip", "container", sidecar=sidecar)
    for log, request in ((Log(0), (0, 0)), (LOG, (7, 7)), (LOG, (43, 43)), (LOG, (0, 43)), (LOG, (42, 43))):
        data, sidecar = packed(log.files(log.request(*request)))
        yield Case(f"range {request} of {len(log.records)}", data, sidecar=sidecar, require_sidecar=True)
    words = {"from": "2026-11-22T12:10:00.000Z", "to": "2026-11-22T12:20:00.000Z", "site": "hovedbygg"}
    data, sidecar = packed(LOG.files(LOG.request(0, 43, filter=words, fields=frozenset({"name"}), language="en")))
    yield Case("filtered", data, sidecar=sidecar, says=("not shown", "acceptances: 9"))


def mixed_up() -> Iterator[Case]:
    """Honest files given in each other's place: nothing was checked, so nothing is said to be wrong."""
    data, note_of_it = packed(LOG.files(LOG.request(0, 43)))
    note_given = (
        "bundle.zip: this is the signature (.zip.note) of a bundle, not the bundle; choose the bundle (.zip) too"
    )
    for name, sidecar, require in (("alone", None, False), ("required", None, True), ("twice", note_of_it, True)):
        yield Case(
            f"the note as the bundle, {name}",
            note_of_it,
            sidecar=sidecar,
            require_sidecar=require,
            wrong_use=note_given,
        )
    swapped = "bundle.zip: the bundle (.zip) and its signature (.zip.note) are swapped; exchange them"
    yield Case("swapped", note_of_it, sidecar=data, require_sidecar=True, wrong_use=swapped)
    zip_given = "bundle.zip.note: this is a bundle (.zip), not the signature of one; choose the signature (.zip.note)"
    yield Case("the bundle as the note", data, sidecar=data, require_sidecar=True, wrong_use=zip_given)
    yield Case("a cut note", note_of_it[:20], "bundle.zip", "container")


def other_checkpoints() -> Iterator[Case]:
    """Other files given as the earlier checkpoint: nothing was checked, however broken the bundle or the receipt is."""
    files = LOG.files(LOG.request(0, 43))
    data, note_of_it = packed(files)
    proof = receipt(LOG, 11, LOG.records[11].entry)
    wrong = "earlier checkpoint: this is not a checkpoint; choose the file `checkpoint` of the earlier bundle"
    for name, other in (
        ("log.vkey", KEYS.encode()),
        ("the bundle", data),
        ("its note", note_of_it),
        ("a receipt", proof),
        ("README.txt", files["README.txt"]),
        ("leaves.txt", files["leaves.txt"]),
        ("nothing", b""),
        ("a cut checkpoint", LOG.checkpoint(17)[:-1]),
        ("without signatures", LOG.checkpoint(17).partition(b"\n\n")[0] + b"\n\n"),
        ("as Windows writes it", LOG.checkpoint(17).replace(b"\n", b"\r\n")),
    ):
        for kind, given in (("bundle", data), ("receipt", proof), ("bundle", data[:-9]), ("receipt", proof[:-9])):
            yield Case(
                f"{name} as the checkpoint, {kind} {len(given)}", given, checkpoint=other, kind=kind, wrong_use=wrong
            )
