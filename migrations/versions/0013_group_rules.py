"""A version of the rules may be those of one group; until now each was everybody's."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rules_version", sa.Column("group_key", sa.String(length=40), server_default="", nullable=False))
