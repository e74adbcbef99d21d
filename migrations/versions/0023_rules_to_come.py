"""Versions of the rules that come into force later, how their waiting ended, and proposals that another approves."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rules_version", sa.Column("in_force_from", UtcDateTime(timezone=True), nullable=True))
    op.add_column("rules_version", sa.Column("ask_again", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "rules_wait",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('in_force', 'withdrawn')", name=op.f("ck_rules_wait_outcome")),
        sa.ForeignKeyConstraint(["version_id"], ["rules_version.id"], name=op.f("fk_rules_wait_version_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_rules_wait")),
    )
    op.create_table(
        "rules_proposal",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.String(length=32), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("adopting_body", sa.Text(), nullable=False),
        sa.Column("adopted_on", sa.Date(), nullable=True),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("binding_language", sa.String(length=10), nullable=False),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("in_force_from", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ask_again", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_rules_proposal_owner_id")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["staff.id"], name=op.f("fk_rules_proposal_proposed_by_id")),
        sa.PrimaryKeyConstraint("owner_id", "group_key", name=op.f("pk_rules_proposal")),
    )
