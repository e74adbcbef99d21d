"""Settings that IT changes while everything runs, and when an account was signed in to last."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operational_setting",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_operational_setting_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_operational_setting")),
    )
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("last_sign_in_at", UtcDateTime(timezone=True), nullable=True))
