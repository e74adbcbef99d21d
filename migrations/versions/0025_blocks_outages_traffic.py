"""Devices that are kept out, networks that are switched, and octets counted under a grant."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_block",
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.Column("blocked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("blocked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_block_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_block")),
    )
    op.create_table(
        "network_outage",
        sa.Column("network_id", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("began_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("applied_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('closed', 'rules_only')", name=op.f("ck_network_outage_mode")),
        sa.ForeignKeyConstraint(["network_id"], ["network.id"], name=op.f("fk_network_outage_network_id")),
        sa.PrimaryKeyConstraint("network_id", name=op.f("pk_network_outage")),
    )
    op.create_table(
        "grant_traffic",
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_grant_traffic_grant_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grant_traffic")),
    )
    op.create_index(op.f("ix_applied_grant_grant_id"), "applied_grant", ["grant_id"])
