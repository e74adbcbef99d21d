"""Which leaves have been erased, and staff names that can be: a policy's publisher and note may be emptied.

A published policy stays written once in everything else.
"""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEPT = ("owner_id", "generation", "sha256", "published_at")


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("leaf_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("leaves", sa.Text(), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("erased_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("wiped_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_erasure_owner_id")),
        sa.PrimaryKeyConstraint("leaf_id", name=op.f("pk_erasure")),
    )
    with op.batch_alter_table("erasure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_owner_id"), ["owner_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in (*KEPT, "document"))
        op.execute("DROP TRIGGER policy_generation_refuse_update")
        op.execute(
            "CREATE TRIGGER policy_generation_refuse_update BEFORE UPDATE ON policy_generation"
            f" WHEN NOT ({same} AND NEW.published_by IN ('', OLD.published_by) AND NEW.note IN ('', OLD.note))"
            " BEGIN SELECT RAISE(ABORT, 'policy_generation is written once: UPDATE refused'); END"
        )
        op.execute(
            "CREATE TRIGGER erasure_refuse_delete BEFORE DELETE ON erasure"
            " BEGIN SELECT RAISE(ABORT, 'erasure is written once: DELETE refused'); END"
        )
        op.execute(
            "CREATE TRIGGER erasure_refuse_update BEFORE UPDATE ON erasure WHEN NEW.leaves IS NOT OLD.leaves"
            " BEGIN SELECT RAISE(ABORT, 'erasure is written once: UPDATE refused'); END"
        )
        return
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in KEPT)
    op.execute("DROP TRIGGER policy_generation_refuse_update ON policy_generation")
    op.execute(
        "CREATE TRIGGER policy_generation_refuse_update BEFORE UPDATE ON policy_generation FOR EACH ROW"
        f" WHEN (NOT ({same} AND NEW.document::text = OLD.document::text"
        " AND NEW.published_by IN ('', OLD.published_by) AND NEW.note IN ('', OLD.note)))"
        " EXECUTE FUNCTION gjestenett_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER erasure_refuse_delete BEFORE DELETE ON erasure"
        " FOR EACH STATEMENT EXECUTE FUNCTION gjestenett_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER erasure_refuse_update BEFORE UPDATE ON erasure FOR EACH ROW"
        " WHEN (NEW.leaves IS DISTINCT FROM OLD.leaves) EXECUTE FUNCTION gjestenett_refuse_change()"
    )
