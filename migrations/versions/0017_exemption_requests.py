"""Guests' requests for exemptions."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exemption_request",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("course_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=10), server_default="", nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("until", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('', 'granted', 'declined')", name=op.f("ck_exemption_request_decision")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_exemption_request_owner_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_exemption_request_site_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_exemption_request_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemption_request")),
    )
    op.create_index(op.f("ix_exemption_request_grant_id"), "exemption_request", ["grant_id"])
    op.create_index("ix_exemption_request_open", "exemption_request", ["owner_id", "decision", "asked_at"])
