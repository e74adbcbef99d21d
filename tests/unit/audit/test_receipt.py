"""Receipts: the C2SP text, verification, strictness."""

import pytest

from gateway.audit.errors import NoteError
from gateway.audit.receipt import Receipt, make_receipt, parse_receipt, verify_receipt
from tests.unit.audit.specimen import ORIGIN, SIGNER, Log

LOG = Log(11)
RECEIPT = make_receipt(5, 11, LOG.node, LOG.checkpoint())


def test_the_text_and_its_verification() -> None:
    data = RECEIPT.encode()
    lines = data.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 5"]
    assert lines[2 + 4 : 2 + 6] == ["", ORIGIN]
    assert parse_receipt(data) == RECEIPT
    assert verify_receipt(RECEIPT, LOG.records[5].entry, [SIGNER.verifier], ORIGIN).size == 11
    with pytest.raises(NoteError, match="does not lead"):
        verify_receipt(RECEIPT, LOG.records[6].entry, [SIGNER.verifier])


def test_each_bit_of_a_receipt_counts() -> None:
    data = RECEIPT.encode()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        with pytest.raises(NoteError):
            verify_receipt(parse_receipt(bytes(changed)), LOG.records[5].entry, [SIGNER.verifier])


def test_extra_data_is_carried() -> None:
    receipt = Receipt(5, RECEIPT.proof, RECEIPT.checkpoint, b"extra\x00data")
    assert b"\nextra ZXh0cmEAZGF0YQ==\nindex 5\n" in receipt.encode()
    assert parse_receipt(receipt.encode()) == receipt


def test_a_checkpoint_of_another_size_is_refused() -> None:
    with pytest.raises(NoteError, match="another size"):
        make_receipt(5, 11, LOG.node, LOG.checkpoint(10))


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"c2sp.org/tlog-proof@v1\n\n", b"c2sp.org/tlog-proof@v1\nindex 05\n\n",
    b"c2sp.org/tlog-proof@v1\nindex 0\nAA==\n\n",
     b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"\n".join([b"A" * 43 + b"="] * 64) + b"\n\n",
     b"c2sp.org/tlog-proof@v1\nextra A\nindex 0\n\n"],
)  # fmt: skip
def test_malformed_receipts_are_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        parse_receipt(data + RECEIPT.checkpoint)
