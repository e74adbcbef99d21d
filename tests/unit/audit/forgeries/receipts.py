"""Receipts, honest and forged."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit import canonical, merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.receipt import make_receipt
from tests.unit.audit.forgeries.case import LAST, LOG, NEXT, OLD, Case, keys_of
from tests.unit.audit.forgeries.rotations import rotated
from tests.unit.audit.specimen import ORIGIN, Log


def receipt(log: Log, index: int, extra: bytes | None) -> bytes:
    made = make_receipt(index, len(log.records), log.node, log.checkpoint())
    return type(made)(made.index, made.proof, made.checkpoint, extra).encode()


def with_fields(log: Log, index: int) -> bytes:
    """The `extra` of a receipt: the entry, then each field that the guest may see, one a line."""
    record = log.records[index]
    fields = [canonical.encode([item.salt, item.name, item.value]) for item in record.disclosures]
    return b"\n".join([record.entry, *fields])


def receipts() -> Iterator[Case]:
    def case(name: str, data: bytes, part: str = "", where: str = "", **more: object) -> Case:
        return Case(f"receipt: {name}", data, part, where, kind="receipt", **more)  # type: ignore[arg-type]

    part = "kvittering.tlog-proof"
    whole = receipt(LOG, 11, with_fields(LOG, 11))
    bare, entry = receipt(LOG, 11, None), LOG.records[11].entry
    whose = "Whose acceptance it is: the receipt proves that the entry stands in the log; it holds no names."
    yield case("whole", whole, says=("Entry 11 is in it", "Rules version 2026-1 (nb)", "Recorded field name"))
    for index in (0, 10, 12, 41, 42):
        yield case(f"of {index}", receipt(LOG, index, with_fields(LOG, index)))
    yield case("without fields", receipt(LOG, 11, entry), says=("2 personal fields are recorded but not shown", whose))
    yield case("bare, with the entry", bare, entry=entry)
    yield case("bare, with the entry as a line", bare, entry=entry + b"\n")
    for name, data in (("bare", bare), ("an empty first line", receipt(LOG, 11, b"\n[]"))):
        wrong = f"{part}: does not hold its entry; give entry 11 as a file of its own"
        yield case(name, data, wrong_use=wrong)
    yield case("bare, with an empty entry", bare, wrong_use=wrong, entry=b"\n")
    yield case("bare, of another key", bare, part, keys=keys_of(NEXT))
    yield case("bare, with another entry", bare, part, entry=LOG.records[12].entry)
    yield case("about another entry", whole, part, entry=LOG.records[12].entry)
    yield case("another entry in it", receipt(LOG, 11, with_fields(LOG, 12)), part)
    yield case("another field", receipt(LOG, 11, with_fields(LOG, 11).replace(b"02:00", b"02:01")), part, "field 1")
    yield case("not a field", receipt(LOG, 11, entry + b"\n[]"), part, "field 1")
    yield case("another index", whole.replace(b"\nindex 11\n", b"\nindex 12\n"), part)
    yield case("beyond", whole.replace(b"\nindex 11\n", b"\nindex 4711\n"), part)
    yield case("no index", whole.replace(b"\nindex 11\n", b"\nindex 011\n"), part)
    newest = "not signed by the trusted key; if the log's key was changed since you got it, get the newest log.vkey"
    yield case("other key", whole, part, keys=keys_of(NEXT), says=(newest,))
    changed_key = make_receipt(11, 37, rotated().node, rotated().checkpoint(), rotated().records[11].entry).encode()
    yield case("after a change of key", changed_key, part, says=(newest,))
    yield case("after a change of key, newest log.vkey", changed_key, keys=keys_of(OLD, NEXT, LAST))
    yield case("same checkpoint", whole, checkpoint=LOG.checkpoint())
    yield case("earlier checkpoint", whole, checkpoint=LOG.checkpoint(5), says=("holds no proof between them",))
    other = Log(43)
    other.roots[43] = merkle.leaf_hash(b"other")
    yield case("forked", whole, "earlier checkpoint", checkpoint=other.checkpoint())
    by_another = sign_checkpoint(Checkpoint(ORIGIN, 43, LOG.roots[43]), NEXT)
    yield case("checkpoint by another key", whole, "earlier checkpoint", checkpoint=by_another)
    for name, data in (("empty", b""), ("zip", b"PK"), ("header", b"c2sp.org/tlog-proof@v1\n\n"), ("cut", whole[:-40])):
        yield case(name, data, part)
    for number in range(0, len(bare) - 40, 3):
        altered = bytearray(bare)
        altered[number] ^= 1 << number % 8
        yield case(f"byte {number}", bytes(altered), part, entry=entry)
