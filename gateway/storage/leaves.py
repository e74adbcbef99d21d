"""The log's tables: leaves staged by changes, ordered by the sealer, and the nodes and checkpoints over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from gateway.storage.base import table_of
from gateway.storage.bulk import delete_many, insert_many, read_nodes
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.headings import add_headings
from gateway.storage.log_models import (
    BundleSignature,
    Checkpoint,
    Cosignature,
    Disclosure,
    KeyRotation,
    Leaf,
    LeafHeading,
    StagedLeaf,
    TreeHead,
    TreeNode,
)

EXPORT_BATCH = 1000
NODES_AT_ONCE = 200
IDS_AT_ONCE = 1000

NodeSource = Callable[[int, int], bytes]
Answer = TypeVar("Answer")


def stage(
    session: Session,
    owner_id: str,
    leaf_id: str,
    entry: bytes,
    disclosures: Mapping[str, tuple[str, str]],
    now: datetime,
) -> None:
    """Put the final bytes of a leaf beside the change they record, and its personal values in clear.

    `disclosures` maps a personal field to (salt, value). The leaf becomes part of the tree when the sealer orders it.
    """
    session.execute(_STAGE, {"owner_id": owner_id, "leaf_id": leaf_id, "entry": entry, "staged_at": now})
    rows = [(leaf_id, name, salt, value) for name, (salt, value) in disclosures.items()]
    insert_many(session, "disclosure", ("leaf_id", "name", "salt", "value"), rows)
    announce(session, "leaves")


_STAGE = insert(table_of(StagedLeaf)).inline()


def lock_head(session: Session, owner_id: str) -> TreeHead:
    """The owner's tree head, held until the transaction ends: the fence between two sealers."""
    query = (
        select(TreeHead)
        .where(TreeHead.owner_id == owner_id)
        .with_for_update()
        .execution_options(populate_existing=True)  # what this session read before it held the lock may be stale
    )
    head = session.scalars(query).one_or_none()
    if head is None:
        try:
            with session.begin_nested():
                head = TreeHead(owner_id=owner_id, size=0, checkpoint="", sealed_at=None)
                session.add(head)
        except IntegrityError:  # another sealer made it first, and has committed
            head = session.scalars(query).one()
    return head


class Staged(NamedTuple):
    """A leaf that waits to be ordered."""

    id: int
    leaf_id: str
    entry: bytes


_STAGED = select(StagedLeaf.id, StagedLeaf.leaf_id, StagedLeaf.entry)


def staged(session: Session, owner_id: str, limit: int) -> Sequence[Staged]:
    """The oldest staged leaves of an owner, in the order they were staged."""
    query = _STAGED.where(StagedLeaf.owner_id == owner_id).order_by(StagedLeaf.id).limit(limit)
    return [Staged(*row) for row in session.execute(query)]


def is_staged(session: Session, owner_id: str) -> bool:
    """Whether any leaf of an owner waits to be ordered."""
    return session.scalar(select(StagedLeaf.id).where(StagedLeaf.owner_id == owner_id).limit(1)) is not None


def staged_by_ids(session: Session, owner_id: str, ids: Sequence[int]) -> Sequence[Staged]:
    """Those of the staged leaves `ids` that still are, in the order of `ids`."""
    found: dict[int, Staged] = {}
    for some in _chunks(ids):
        rows = session.execute(_STAGED.where(StagedLeaf.owner_id == owner_id, StagedLeaf.id.in_(some)))
        found.update({row.id: Staged(*row) for row in rows})
    return [found[each] for each in ids if each in found]


def append(
    session: Session,
    head: TreeHead,
    leaves: Sequence[Staged],
    nodes: Sequence[tuple[int, int, bytes]],
    checkpoint: str,
    now: datetime,
) -> None:
    """Order `leaves` behind the head, with the complete nodes `(level, index, hash)` they make, under `checkpoint`.

    Raises: ValueError when there are no leaves: a checkpoint is signed once for each size.
    """
    if not leaves:
        raise ValueError("there is nothing to append")
    owner_id, size = head.owner_id, head.size
    rows = [(owner_id, size + offset, leaf.leaf_id, leaf.entry) for offset, leaf in enumerate(leaves)]
    insert_many(session, "leaf", ("owner_id", "leaf_index", "leaf_id", "entry"), rows)
    add_headings(session, owner_id, size, [leaf.entry for leaf in leaves])
    node_rows = [(owner_id, level, index, hash_) for level, index, hash_ in nodes]
    insert_many(session, "tree_node", ("owner_id", "level", "node_index", "hash"), node_rows)
    delete_many(session, "staged_leaf", [leaf.id for leaf in leaves])
    head.size = size + len(leaves)
    head.checkpoint = checkpoint
    head.sealed_at = now
    session.add(Checkpoint(owner_id=owner_id, size=head.size, note=checkpoint, signed_at=now))
    session.flush()


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE))


def find_head(session: Session, owner_id: str) -> TreeHead | None:
    """The owner's tree head, unlocked; None before anything was sealed."""
    return session.get(TreeHead, owner_id)


def node(session: Session, owner_id: str, level: int, index: int) -> bytes:
    """The hash of a complete node. Raises: KeyError when the tree is not that large."""
    found = session.scalars(
        select(TreeNode.hash).where(
            TreeNode.owner_id == owner_id, TreeNode.level == level, TreeNode.node_index == index
        )
    ).one_or_none()
    if found is None:
        raise KeyError((level, index))
    return found


def prefetched(session: Session, owner_id: str, ask: Callable[[NodeSource], Answer]) -> Answer:
    """What `ask` makes of a tree's nodes, with all that it needs read at once.

    `ask` is called twice: with a source that only notes which nodes it wants, then with the nodes. So it must ask for
    the same whatever the hashes are, as proofs do. Raises: KeyError when the tree is not that large.
    """
    wanted: dict[tuple[int, int], bytes] = {}
    ask(lambda level, index: wanted.setdefault((level, index), bytes(32)))
    places = list(wanted)
    for start in range(0, len(places), NODES_AT_ONCE):
        some = places[start : start + NODES_AT_ONCE]
        found = {(level, index): hash_ for level, index, hash_ in read_nodes(session, owner_id, some)}
        missing = next((each for each in some if each not in found), None)
        if missing is not None:
            raise KeyError(missing)
        wanted.update(found)
    return ask(lambda level, index: wanted[level, index])


def leaf_index(session: Session, leaf_id: str) -> int | None:
    """Where a leaf stands in its tree; None while it waits to be sealed."""
    return session.scalars(select(Leaf.leaf_index).where(Leaf.leaf_id == leaf_id)).one_or_none()


def sealed_entry(session: Session, leaf_id: str) -> tuple[int, bytes] | None:
    """(index, entry) of a leaf; None while it waits to be sealed."""
    row = session.execute(select(Leaf.leaf_index, Leaf.entry).where(Leaf.leaf_id == leaf_id)).one_or_none()
    return None if row is None else (row.leaf_index, row.entry)


def entries(session: Session, owner_id: str, first: int, end: int) -> Iterator[tuple[int, str, bytes]]:
    """(index, leaf_id, entry) of the leaves `[first, end)` in order, in batches of constant memory."""
    for start in range(first, end, EXPORT_BATCH):
        yield from session.execute(
            select(Leaf.leaf_index, Leaf.leaf_id, Leaf.entry)
            .where(
                Leaf.owner_id == owner_id, Leaf.leaf_index >= start, Leaf.leaf_index < min(end, start + EXPORT_BATCH)
            )
            .order_by(Leaf.leaf_index)
        )


def disclosures(session: Session, leaf_ids: Sequence[str]) -> Mapping[str, dict[str, tuple[str, str]]]:
    """For each leaf that still has any, its personal fields: name → (salt, value)."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for start in range(0, len(leaf_ids), EXPORT_BATCH):
        rows = session.scalars(select(Disclosure).where(Disclosure.leaf_id.in_(leaf_ids[start : start + EXPORT_BATCH])))
        for row in rows:
            found.setdefault(row.leaf_id, {})[row.name] = (row.salt, row.value)
    return found


def request_signature(
    session: Session, owner_id: str, *, size_bytes: int, zip_sha256: str, manifest_sha256: str, now: datetime
) -> str:
    """Ask the sealer to sign a bundle's hashes; returns the id under which the note will stand."""
    row = BundleSignature(
        owner_id=owner_id,
        size_bytes=size_bytes,
        zip_sha256=zip_sha256,
        manifest_sha256=manifest_sha256,
        requested_at=now,
        note=None,
    )
    session.add(row)
    session.flush()
    announce(session, "leaves")
    return row.id


def unsigned_bundles(session: Session, owner_id: str) -> Sequence[BundleSignature]:
    """Bundles of an owner whose hashes wait to be signed."""
    return session.scalars(
        select(BundleSignature).where(BundleSignature.owner_id == owner_id, BundleSignature.note.is_(None))
    ).all()


def signature(session: Session, signature_id: str) -> str | None:
    """The signed note of a bundle; None while it waits."""
    return session.scalars(select(BundleSignature.note).where(BundleSignature.id == signature_id)).one_or_none()


def restored(session: Session, owner_id: str) -> Sequence[tuple[int, bytes]]:
    """(at which size the log was continued, the entry that says so) of each restore acknowledged, in order."""
    entries = session.scalars(
        select(Leaf.entry)
        .join(LeafHeading, (LeafHeading.owner_id == Leaf.owner_id) & (LeafHeading.leaf_index == Leaf.leaf_index))
        .where(LeafHeading.owner_id == owner_id, LeafHeading.type == "restored")
        .order_by(Leaf.leaf_index)
    )
    return [(int(json.loads(entry)["size"]), entry) for entry in entries]


def rotations(session: Session, owner_id: str) -> Sequence[str]:
    """For each time the log's key was replaced, in order, the note in which the old key signed the new one."""
    return session.scalars(
        select(KeyRotation.note).where(KeyRotation.owner_id == owner_id).order_by(KeyRotation.number)
    ).all()


def earlier_keys(session: Session, owner_id: str) -> Sequence[str]:
    """The vkeys that the log had before its present one, oldest first."""
    return session.scalars(
        select(KeyRotation.old_vkey).where(KeyRotation.owner_id == owner_id).order_by(KeyRotation.number)
    ).all()


def add_rotation(session: Session, owner_id: str, *, old_vkey: str, new_vkey: str, note: str, now: datetime) -> None:
    """Write down that the log's key was replaced. The caller holds the head and changes `places.log_key`."""
    number = len(earlier_keys(session, owner_id)) + 1
    session.add(
        KeyRotation(owner_id=owner_id, number=number, old_vkey=old_vkey, new_vkey=new_vkey, note=note, rotated_at=now)
    )
    session.flush()


def add_cosignature(session: Session, owner_id: str, size: int, witness: str, line: str, now: datetime) -> None:
    """Keep a witness's signature line under the checkpoint of `size`; a later one of the same witness replaces it."""
    session.merge(Cosignature(owner_id=owner_id, size=size, witness=witness, line=line, cosigned_at=now))
    session.flush()


def cosignatures(session: Session, owner_id: str, size: int) -> Sequence[str]:
    """The witnesses' signature lines under the checkpoint of `size`, by the name of the witness."""
    return session.scalars(
        select(Cosignature.line)
        .where(Cosignature.owner_id == owner_id, Cosignature.size == size)
        .order_by(Cosignature.witness)
    ).all()


def cosigned_checkpoint(session: Session, owner_id: str) -> str | None:
    """The largest checkpoint that a witness has cosigned, with the witnesses' lines; None when there is none."""
    found = session.scalars(
        select(Checkpoint)
        .join(Cosignature, (Cosignature.owner_id == Checkpoint.owner_id) & (Cosignature.size == Checkpoint.size))
        .where(Checkpoint.owner_id == owner_id)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    ).first()
    return found.note + "".join(cosignatures(session, owner_id, found.size)) if found is not None else None
