"""A witness against a log that may lie: whatever is asked in whatever order, what it cosigns is one growing history."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import merkle, note
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.sealing import seal
from gateway.audit.witness_text import AddCheckpoint, parse_request
from gateway.audit.witnessing import Cosign, judge

ORIGIN = "log.example/kommune"
LOG = note.SignerKey(ORIGIN, bytes(32))
KNOWN = {ORIGIN: (LOG.verifier,)}
LARGEST = 20


def history(name: str, shared: int) -> list[bytes]:
    """Entries of a history that leaves the others after `shared` entries."""
    return [b"shared %d" % number for number in range(shared)] + [
        f"{name} {number}".encode() for number in range(shared, LARGEST)
    ]


def request(entries: list[bytes], old: int, size: int, signer: note.SignerKey = LOG) -> AddCheckpoint:
    sealed = seal((), 0, entries[:size])
    nodes = {(node.level, node.index): node.hash for node in sealed.nodes}
    proof = merkle.consistency_proof(old, size, lambda level, index: nodes[level, index]) if old <= size else ()
    return AddCheckpoint(old, proof, sign_checkpoint(Checkpoint(signer.name, size, sealed.root), signer))


requests = st.tuples(
    st.sampled_from(["honest", "forked"]), st.integers(0, LARGEST), st.integers(0, LARGEST), st.integers(0, 5)
)


@given(st.integers(0, LARGEST), st.lists(requests, max_size=30))
def test_what_is_cosigned_is_one_history(shared: int, asked: list[tuple[str, int, int, int]]) -> None:
    entries = {name: history(name, shared) for name in ("honest", "forked")}
    last: Checkpoint | None = None
    for name, old, size, broken in asked:
        sent = request(entries[name], old, size)
        if broken == 0 and sent.proof:
            sent = AddCheckpoint(old, (bytes(32), *sent.proof[1:]), sent.checkpoint)
        answer = judge(parse_request(sent.encode()), KNOWN, last)
        standing = last.size if last is not None else 0
        # The slow model: the sizes agree, nothing shrinks, and the entries cosigned so far are the first of the new
        # ones.
        extends = last is None or seal((), 0, entries[name][:standing]).root == last.root
        honest_proof = not (broken == 0 and request(entries[name], old, size).proof)
        assert isinstance(answer, Cosign) == (old == standing and size >= standing and extends and honest_proof)
        if isinstance(answer, Cosign):
            last = answer.checkpoint
        elif old > size:
            assert answer.status == 400
        elif old != standing or (size == standing and not extends):
            assert (answer.status, answer.size) == (409, standing)
        else:
            assert answer.status == 422


def test_unknown_logs_and_keys() -> None:
    entries = history("honest", 0)
    stranger = note.SignerKey("log.example/other", bytes(32))
    thief = note.SignerKey(ORIGIN, bytes(range(32)))
    assert judge(request(entries, 0, 3, stranger), KNOWN, None).status == 404  # type: ignore[union-attr]
    assert judge(request(entries, 0, 3, thief), KNOWN, None).status == 403  # type: ignore[union-attr]
    both = note.sign(Checkpoint(ORIGIN, 3, seal((), 0, entries[:3]).root).text(), [LOG, thief])
    assert isinstance(judge(AddCheckpoint(0, (), both), KNOWN, None), Cosign)
    assert judge(AddCheckpoint(0, (bytes(32),), both), KNOWN, None).status == 422  # type: ignore[union-attr]
    assert judge(AddCheckpoint(4, (), both), KNOWN, None).status == 400  # type: ignore[union-attr]
