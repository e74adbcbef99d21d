"""DNS answers by hour, group and category; and names that many devices asked for, where IT has them kept."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dns_answers",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("gateway_id", sa.String(length=32), nullable=False),
        sa.Column("hour", UtcDateTime(timezone=True), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_dns_answers_gateway_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_dns_answers_owner_id")),
        sa.PrimaryKeyConstraint(
            "owner_id", "gateway_id", "hour", "group_key", "outcome", "category", name=op.f("pk_dns_answers")
        ),
    )
    op.create_table(
        "dns_top_name",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("gateway_id", sa.String(length=32), nullable=False),
        sa.Column("hour", UtcDateTime(timezone=True), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_dns_top_name_gateway_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_dns_top_name_owner_id")),
        sa.PrimaryKeyConstraint(
            "owner_id", "gateway_id", "hour", "group_key", "outcome", "category", "name", name=op.f("pk_dns_top_name")
        ),
    )
