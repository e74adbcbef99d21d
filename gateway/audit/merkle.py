"""The RFC 6962 / RFC 9162 tree as pure mathematics over an abstract source of complete nodes.

A *complete node* (level, index) covers the leaves [index·2^level, (index+1)·2^level) and never changes once it
exists, so storage may keep it for ever and any proof needs O(log n) of them. The *edge* of a tree is the hashes of
the maximal complete nodes from left to right, one for each 1 bit of its size; with it an append needs nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.audit.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Edge = tuple[bytes, ...]
NodeSource = Callable[[int, int], bytes]


class Node(NamedTuple):
    """A complete node: `hash` of the 2^`level` leaves from `index`·2^`level` on."""

    level: int
    index: int  # type: ignore[assignment]  # the field's own word; nobody asks a node where it holds a value
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(edge: Sequence[bytes]) -> bytes:
    """The root of the tree with this edge; the empty edge has the empty root SHA-256("")."""
    if not edge:
        return EMPTY_ROOT
    result = edge[-1]
    for left in reversed(edge[:-1]):
        result = node_hash(left, result)
    return result


def new_nodes(size: int, leaf: bytes, edge: Edge) -> tuple[tuple[Node, ...], Edge]:
    """Append one leaf hash to the tree of `size` leaves: the complete nodes that come into being, and the new edge.

    The first node is the leaf itself (level 0, index `size`); each further one is its parent. O(log n).
    Raises: ProofError when the edge is not one of a tree of that size.
    """
    if len(edge) != size.bit_count():
        raise ProofError(f"an edge of {len(edge)} hashes does not belong to a tree of {size} leaves")
    nodes = [Node(0, size, leaf)]
    keep = len(edge)
    while size >> nodes[-1].level & 1:
        below = nodes[-1]
        keep -= 1
        nodes.append(Node(below.level + 1, below.index >> 1, node_hash(edge[keep], below.hash)))
    return tuple(nodes), (*edge[:keep], nodes[-1].hash)


def append(size: int, leaves: Sequence[bytes], edge: Edge) -> tuple[tuple[Node, ...], Edge]:
    """Append leaf hashes to the tree of `size` leaves: as `new_nodes` for each in turn, but the nodes by level.

    Raises: ProofError when the edge is not one of a tree of that size.
    """
    if len(edge) != size.bit_count():
        raise ProofError(f"an edge of {len(edge)} hashes does not belong to a tree of {size} leaves")
    last = {level: hash_ for (level, _), hash_ in zip(aligned(0, size), edge, strict=True)}
    nodes: list[Node] = []
    level, index, row, sha256 = 0, size, list(leaves), hashlib.sha256
    while row:
        nodes += [Node(level, index + offset, hash_) for offset, hash_ in enumerate(row)]
        if index & 1:  # the first of them is a right child, and the left one is in the edge
            row.insert(0, last[level])
        last[level] = row[-1]
        index, level = index >> 1, level + 1
        row = [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
    return tuple(nodes), tuple(last[level] for level, _ in aligned(0, size + len(leaves)))


def extend(edge: list[bytes], size: int, leaf: bytes) -> None:
    """Append one leaf hash to the edge of the tree of `size` leaves, in place: `new_nodes` without its nodes."""
    while size & 1:
        leaf = node_hash(edge.pop(), leaf)
        size >>= 1
    edge.append(leaf)


def aligned(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The fewest complete nodes (level, index) that cover the leaves [first, last) exactly, from left to right."""
    while first < last:
        level = (last - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        yield level, first >> level
        first += 1 << level


def edge_of(size: int, node: NodeSource) -> Edge:
    """The edge of the tree of the first `size` leaves."""
    return tuple(node(level, index) for level, index in aligned(0, size))


def subtree_root(first: int, last: int, node: NodeSource) -> bytes:
    """MTH(D[first:last]) of RFC 9162 §2.1.1; `first` must be a multiple of the least power of two ≥ last-first."""
    return root([node(level, index) for level, index in aligned(first, last)])


def inclusion_proof(index: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 9162 §2.1.3.1, from the leaf's sibling up to the root's child.

    Raises: ProofError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(subtree_root(middle, last, node))
            last = middle
        else:
            proof.append(subtree_root(first, middle, node))
            first = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """PROOF(old, D[size]) of RFC 9162 §2.1.4.1; empty for `old` = 0 and for `old` = `size`.

    Raises: ProofError unless 0 ≤ old ≤ size.
    """
    if not 0 <= old <= size:
        raise ProofError(f"a tree of {size} leaves can't extend one of {old}")
    if old in (0, size):
        return ()
    proof: list[bytes] = []
    first, last, whole = 0, size, True  # `whole`: the subtree [first, old) is one that the old root's holder knows
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            proof.append(subtree_root(middle, last, node))
            last = middle
        else:
            proof.append(subtree_root(first, middle, node))
            first, whole = middle, False
    if not whole:
        proof.append(subtree_root(first, last, node))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether `proof` shows leaf hash `leaf` at `index` of the tree (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _hashes((leaf, tree_root, *proof)):
        return False
    fn, sn, result = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = node_hash(sibling, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and result == tree_root


def verify_consistency(old: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` leaves extends that of `old` leaves (RFC 9162 §2.1.4.2).

    From the empty tree and from a tree to itself the proof is empty.
    """
    if not 0 <= old <= size or not _hashes((old_root, new_root, *proof)):
        return False
    if old in (0, size):
        return not proof and (old_root == new_root if old else old_root == EMPTY_ROOT)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof or not path:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_result, new_result = node_hash(sibling, old_result), node_hash(sibling, new_result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_result = node_hash(new_result, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old_result == old_root and new_result == new_root


@dataclass(frozen=True, slots=True)
class RangeProof:
    """What surrounds the leaves [first, last): the complete nodes left of them and right of them, left to right."""

    left: tuple[bytes, ...]
    right: tuple[bytes, ...]


def range_proof(first: int, last: int, size: int, node: NodeSource) -> RangeProof:
    """Proof that the leaves [first, last) are exactly those of the tree: at most 2·log2(size) hashes.

    Raises: ProofError unless 0 ≤ first ≤ last ≤ size.
    """
    if not 0 <= first <= last <= size:
        raise ProofError(f"a tree of {size} leaves has no range [{first}, {last})")
    return RangeProof(edge_of(first, node), tuple(node(level, index) for level, index in aligned(last, size)))


def verify_range(first: int, leaves: Iterable[bytes], size: int, proof: RangeProof, tree_root: bytes) -> bool:
    """Whether the leaf hashes `leaves` are exactly the tree's leaves from `first` on, as many as are given."""
    if not 0 <= first <= size or len(proof.left) != first.bit_count():
        return False
    if not _hashes((*proof.left, *proof.right, tree_root)):
        return False
    edge, position = proof.left, first
    for leaf in leaves:
        if position == size:
            return False
        edge = new_nodes(position, leaf, edge)[1]
        position += 1
    places = list(aligned(position, size))
    if len(places) != len(proof.right):
        return False
    for (_, index), given in zip(places, proof.right, strict=True):
        # Seen in units of 2^level leaves, a complete node is one leaf appended to a tree of `index` such leaves;
        # the edge holds nothing smaller, because `index`·2^level leaves come before it.
        edge = new_nodes(index, given, edge)[1]
    return root(edge) == tree_root


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 9162 §2.1.1)."""
    return 1 << (count - 1).bit_length() - 1


def _hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
