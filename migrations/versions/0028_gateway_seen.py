"""When a gateway was last seen is told by the heartbeats of its services; the column that nobody read goes."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("gateway", "seen_at")
