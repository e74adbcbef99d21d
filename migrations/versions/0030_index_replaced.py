"""The index that `ix_access_grant_online` replaces goes, in a transaction of its own: that takes a moment."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_access_grant_open", "access_grant")
