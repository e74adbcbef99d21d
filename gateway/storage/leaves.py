"""The log's tables: leaves staged by changes, ordered by the sealer, and the nodes and checkpoints over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.headings import add_headings
from gateway.storage.models import BundleSignature, Checkpoint, Disclosure, Leaf, StagedLeaf, TreeHead, TreeNode

EXPORT_BATCH = 1000


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
    session.add(StagedLeaf(owner_id=owner_id, leaf_id=leaf_id, entry=entry, staged_at=now))
    for name, (salt, value) in disclosures.items():
        session.add(Disclosure(leaf_id=leaf_id, name=name, salt=salt, value=value))
    session.flush()
    announce(session, "leaves")


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


def staged(session: Session, owner_id: str, limit: int) -> Sequence[StagedLeaf]:
    """The oldest staged leaves of an owner, in the order they were staged."""
    return session.scalars(
        select(StagedLeaf).where(StagedLeaf.owner_id == owner_id).order_by(StagedLeaf.id).limit(limit)
    ).all()


def append(
    session: Session,
    head: TreeHead,
    leaves: Sequence[StagedLeaf],
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
    session.execute(
        insert(Leaf),
        [
            {"owner_id": owner_id, "leaf_index": size + offset, "leaf_id": leaf.leaf_id, "entry": leaf.entry}
            for offset, leaf in enumerate(leaves)
        ],
    )
    add_headings(session, owner_id, size, [leaf.entry for leaf in leaves])
    session.execute(
        insert(TreeNode),
        [{"owner_id": owner_id, "level": level, "node_index": index, "hash": hash_} for level, index, hash_ in nodes],
    )
    session.execute(delete(StagedLeaf).where(StagedLeaf.id.in_([leaf.id for leaf in leaves])))
    head.size = size + len(leaves)
    head.checkpoint = checkpoint
    head.sealed_at = now
    session.add(Checkpoint(owner_id=owner_id, size=head.size, note=checkpoint, signed_at=now))
    session.flush()


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


def leaf_index(session: Session, leaf_id: str) -> int | None:
    """Where a leaf stands in its tree; None while it waits to be sealed."""
    return session.scalars(select(Leaf.leaf_index).where(Leaf.leaf_id == leaf_id)).one_or_none()


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
