"""A draft of the policy tells which generation it began with, and who changed it last."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("policy_draft", sa.Column("base_generation", sa.Integer(), nullable=True))
    op.add_column("policy_draft", sa.Column("changed_by", sa.Text(), nullable=False, server_default=""))
