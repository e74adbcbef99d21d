"""The tree against an independent slow one, written straight from the recursive definitions of RFC 9162 §2.1."""

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import merkle
from gateway.audit.sealing import seal


def slow_root(entries: Sequence[bytes]) -> bytes:
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = slow_split(len(entries))
    return hashlib.sha256(b"\x01" + slow_root(entries[:k]) + slow_root(entries[k:])).digest()


def slow_split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def slow_path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = slow_split(len(entries))
    if m < k:
        return [*slow_path(m, entries[:k]), slow_root(entries[k:])]
    return [*slow_path(m - k, entries[k:]), slow_root(entries[:k])]


def slow_subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [slow_root(entries)]
    k = slow_split(len(entries))
    if m <= k:
        return [*slow_subproof(m, entries[:k], whole), slow_root(entries[k:])]
    return [*slow_subproof(m - k, entries[k:], False), slow_root(entries[:k])]


class Tree:
    """A sealed tree whose nodes are kept as storage keeps them."""

    def __init__(self, size: int, batch: int = 7) -> None:
        self.entries = [b"entry %d" % number for number in range(size)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.edge: merkle.Edge = ()
        done = 0
        while done < size:
            sealed = seal(self.edge, done, self.entries[done : done + batch])
            for node in sealed.nodes:
                assert self.nodes.setdefault((node.level, node.index), node.hash) is node.hash
            self.edge, done = sealed.edge, sealed.size
        self.root = merkle.root(self.edge)
        self.leaves = [merkle.leaf_hash(entry) for entry in self.entries]

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


TREES = [Tree(size) for size in range(72)]
trees = st.integers(0, 71).map(TREES.__getitem__)


@given(trees)
def test_root_nodes_and_edge_are_those_of_the_slow_tree(tree: Tree) -> None:
    assert tree.root == slow_root(tree.entries)
    assert merkle.edge_of(len(tree.entries), tree.node) == tree.edge
    for (level, index), value in tree.nodes.items():
        assert value == slow_root(tree.entries[index << level : (index + 1) << level])
    size = len(tree.entries)
    assert len(tree.nodes) == sum(size >> level for level in range(8))


@given(st.data())
def test_inclusion(data: st.DataObject) -> None:
    tree = TREES[data.draw(st.integers(1, 71))]
    size = len(tree.entries)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, tree.node)
    assert list(proof) == slow_path(index, tree.entries)
    assert merkle.verify_inclusion(tree.leaves[index], index, size, proof, tree.root)
    other = data.draw(st.integers(0, 80))
    if other != index:
        assert not merkle.verify_inclusion(tree.leaves[index], other, size, proof, tree.root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, tree.root)
    assert not merkle.verify_inclusion(tree.leaves[index], index, size, (*proof, bytes(32)), tree.root)
    if proof:
        assert not merkle.verify_inclusion(tree.leaves[index], index, size, proof[:-1], tree.root)
        assert not merkle.verify_inclusion(tree.leaves[index], index, size, flip(data, proof), tree.root)


@given(st.data())
def test_consistency(data: st.DataObject) -> None:
    tree = TREES[data.draw(st.integers(1, 71))]
    size = len(tree.entries)
    old = data.draw(st.integers(1, size))
    old_root = slow_root(tree.entries[:old])
    proof = merkle.consistency_proof(old, size, tree.node)
    assert list(proof) == slow_subproof(old, tree.entries, True)
    assert merkle.verify_consistency(old, old_root, size, tree.root, proof)
    assert not merkle.verify_consistency(old, slow_root([*tree.entries[: old - 1], b"x"]), size, tree.root, proof)
    assert not merkle.verify_consistency(old, old_root, size, slow_root([*tree.entries, b"x"]), proof)
    assert not merkle.verify_consistency(old, old_root, size, tree.root, (*proof, bytes(32)))
    if proof:
        assert not merkle.verify_consistency(old, old_root, size, tree.root, proof[:-1])
        assert not merkle.verify_consistency(old, old_root, size, tree.root, flip(data, proof))


@given(st.data())
def test_range(data: st.DataObject) -> None:
    tree = data.draw(trees)
    size = len(tree.entries)
    first = data.draw(st.integers(0, size))
    last = data.draw(st.integers(first, size))
    proof = merkle.range_proof(first, last, size, tree.node)
    leaves = tree.leaves[first:last]
    assert merkle.verify_range(first, leaves, size, proof, tree.root)
    assert not merkle.verify_range(first, [*leaves, bytes(32)], size, proof, tree.root)
    if leaves:
        place = data.draw(st.integers(0, len(leaves) - 1))
        assert not merkle.verify_range(first, leaves[:place] + leaves[place + 1 :], size, proof, tree.root)
        changed = [*leaves[:place], bytes(32), *leaves[place + 1 :]]
        assert not merkle.verify_range(first, changed, size, proof, tree.root)
    if proof.left:
        assert not merkle.verify_range(
            first, leaves, size, merkle.RangeProof(flip(data, proof.left), proof.right), tree.root
        )
    if proof.right:
        assert not merkle.verify_range(
            first, leaves, size, merkle.RangeProof(proof.left, flip(data, proof.right)), tree.root
        )


def flip(data: st.DataObject, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    place = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = (int.from_bytes(hashes[place], "big") ^ (1 << bit)).to_bytes(32, "big")
    return (*hashes[:place], changed, *hashes[place + 1 :])


@given(st.integers(0, 70), st.integers(0, 70))
def test_appending_many_is_appending_each(before: int, count: int) -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(before + count)]
    edge: merkle.Edge = ()
    for size, leaf in enumerate(leaves[:before]):
        edge = merkle.new_nodes(size, leaf, edge)[1]
    found, after = merkle.append(before, leaves[before:], edge)
    expected = []
    for size, leaf in enumerate(leaves[before:], before):
        nodes, edge = merkle.new_nodes(size, leaf, edge)
        expected += nodes
    assert (sorted(found), after) == (sorted(expected), edge)


def test_extending_an_edge_in_place_is_appending() -> None:
    edge: merkle.Edge = ()
    in_place: list[bytes] = []
    for size in range(200):
        leaf = merkle.leaf_hash(b"%d" % size)
        edge = merkle.new_nodes(size, leaf, edge)[1]
        merkle.extend(in_place, size, leaf)
        assert tuple(in_place) == edge
