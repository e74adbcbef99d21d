"""The log beyond its own database: targets of checkpoints, witnesses both ways, restores found, keys replaced."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _refuse(table: str, operation: str) -> None:
    name = f"{table}_refuse_{operation.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is written once: {operation} refused'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION gjestenett_refuse_change()"
        )


def upgrade() -> None:
    op.create_table(
        "key_rotation",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("old_vkey", sa.Text(), nullable=False),
        sa.Column("new_vkey", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_key_rotation_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "number", name=op.f("pk_key_rotation")),
    )
    op.create_table(
        "log_restore",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("known_size", sa.BigInteger(), nullable=False),
        sa.Column("known_root", sa.Text(), nullable=False),
        sa.Column("known_from", sa.Text(), nullable=False),
        sa.Column("detected_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("leaf_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_log_restore_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_restore")),
    )
    op.create_index(op.f("ix_log_restore_owner_id"), "log_restore", ["owner_id"], unique=False)
    op.create_table(
        "log_target",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("served_request_id", sa.String(length=32), nullable=False),
        sa.Column("succeeded_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sent_sha256", sa.String(length=64), nullable=False),
        sa.Column("failed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("held_size", sa.BigInteger(), nullable=True),
        sa.Column("held_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_log_target_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "name", name=op.f("pk_log_target")),
    )
    op.create_table(
        "cosignature",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("cosigned_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_cosignature_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "size", "witness", name=op.f("pk_cosignature")),
    )
    op.create_table(
        "witnessed_log",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cosigned_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_witnessed_log_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "origin", name=op.f("pk_witnessed_log")),
    )
    op.create_table(
        "witness_request",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("requested_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_witness_request_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witness_request")),
    )
    _refuse("key_rotation", "UPDATE")
    _refuse("key_rotation", "DELETE")
    if op.get_bind().dialect.name == "postgresql":
        _refuse("key_rotation", "TRUNCATE")
