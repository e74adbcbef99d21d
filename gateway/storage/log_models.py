"""The tables of the log: leaves and their tree, checkpoints and their copies, personal values, and what was erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key
from gateway.storage.types import new_id


class StagedLeaf(Base):
    """The final bytes of a leaf, written in the transaction of the change itself and waiting to be ordered."""

    __tablename__ = "staged_leaf"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), index=True)
    leaf_id: Mapped[str] = mapped_column(Id, unique=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    staged_at: Mapped[datetime]


class Leaf(Base):
    """An ordered leaf of an owner's log (RFC 6962 §2.1). Its hash is the tree node at level 0."""

    __tablename__ = "leaf"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leaf_id: Mapped[str] = mapped_column(Id, unique=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary)


class LeafHeading(Base):
    """What readers look a leaf up by, as its entry says: its type, its time and its site. Nothing is proved by it."""

    __tablename__ = "leaf_heading"
    __table_args__ = (
        Index("ix_leaf_heading_at", "owner_id", "at", "leaf_index"),
        Index("ix_leaf_heading_type", "owner_id", "type", "at", "leaf_index"),
        Index("ix_leaf_heading_number", "owner_id", "type", "leaf_index"),
    )

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    site: Mapped[str] = mapped_column(Text)


class TreeNode(Base):
    """A complete node of the tree: SHA-256 over the leaves `[index·2^level, (index+1)·2^level)`."""

    __tablename__ = "tree_node"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    node_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class TreeHead(Base):
    """Where the log of an owner stands; its row is the fence between two sealers."""

    __tablename__ = "tree_head"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    checkpoint: Mapped[str] = mapped_column(Text)
    sealed_at: Mapped[datetime | None]


class Checkpoint(Base):
    """A signed checkpoint (C2SP signed note), one for each size that was ever signed."""

    __tablename__ = "checkpoint"
    __table_args__ = (Index("ix_checkpoint_signed", "owner_id", "signed_at", "size"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime]


class KeyRotation(Base):
    """That the log's key was replaced: `note` is the old key's signed word for the new one. Written once."""

    __tablename__ = "key_rotation"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    old_vkey: Mapped[str] = mapped_column(Text)
    new_vkey: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    rotated_at: Mapped[datetime]


class LogRestore(Base):
    """That the database was found to hold less, or another history, than was signed: nothing is signed until it is
    acknowledged, by the leaf `leaf_id`. `known_root` is empty where only a size is known.
    """

    __tablename__ = "log_restore"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(Text)
    known_size: Mapped[int] = mapped_column(BigInteger)
    known_root: Mapped[str] = mapped_column(Text)
    known_from: Mapped[str] = mapped_column(Text)
    detected_at: Mapped[datetime]
    leaf_id: Mapped[str | None] = mapped_column(Id)


class LogTarget(Base):
    """How sending checkpoints to a target of the settings stands. `held_*`: the largest size and note found there."""

    __tablename__ = "log_target"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    request_id: Mapped[str] = mapped_column(Id, default="")
    served_request_id: Mapped[str] = mapped_column(Id, default="")
    succeeded_at: Mapped[datetime | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    sent_sha256: Mapped[str] = mapped_column(String(64), default="")
    failed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    held_size: Mapped[int | None] = mapped_column(BigInteger)
    held_note: Mapped[str] = mapped_column(Text, default="")


class Cosignature(Base):
    """A witness's signature line under one of this log's checkpoints."""

    __tablename__ = "cosignature"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(String(200), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    cosigned_at: Mapped[datetime]


class WitnessedLog(Base):
    """The checkpoint of another log that this installation, as its witness, cosigned last."""

    __tablename__ = "witnessed_log"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    origin: Mapped[str] = mapped_column(String(200), primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    cosigned_at: Mapped[datetime]


class WitnessRequest(Base):
    """A request to cosign, from the console that received it to the sealer that holds the key, and the answer back."""

    __tablename__ = "witness_request"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)


class BundleSignature(Base):
    """A bundle's hashes, waiting to be signed by the sealer, the only holder of the key, and then the signed note."""

    __tablename__ = "bundle_signature"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    zip_sha256: Mapped[str] = mapped_column(String(64))
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)


class Disclosure(Base):
    """The clear value and salt behind one personal digest of a leaf. Deleting the row forgets the person."""

    __tablename__ = "disclosure"
    __table_args__ = (
        Index(
            "ix_disclosure_course",
            "value",
            sqlite_where=text("name = 'course_code'"),
            postgresql_where=text("name = 'course_code'"),
        ),
    )

    leaf_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(Text)


class Erasure(Base):
    """Leaves that an `erased` leaf (`leaf_id`) has taken the personal values of; `leaves` are ranges: `3-5,9`.

    `wiped_at`: since when their bytes are gone from the database's files, too.
    """

    __tablename__ = "erasure"

    leaf_id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), index=True)
    leaves: Mapped[str] = mapped_column(Text)
    ground: Mapped[str] = mapped_column(String(20))
    erased_at: Mapped[datetime]
    wiped_at: Mapped[datetime | None]
