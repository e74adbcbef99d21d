"""Drafts of the rules, one for each group and one for everybody."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rules_draft",
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
        sa.Column("begun_from", sa.String(length=32), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_rules_draft_owner_id")),
        sa.ForeignKeyConstraint(["begun_from"], ["rules_version.id"], name=op.f("fk_rules_draft_begun_from")),
        sa.PrimaryKeyConstraint("owner_id", "group_key", name=op.f("pk_rules_draft")),
    )
