"""Indexes for the orders and filters of devices online."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_access_grant_open", "access_grant")
    op.create_index("ix_access_grant_open", "access_grant", ["network_id", "ends_at", "revoked_at", "starts_at"])
    op.create_index("ix_access_grant_since", "access_grant", ["network_id", "starts_at", "ends_at", "revoked_at"])
    op.create_index("ix_access_grant_group", "access_grant", ["group_key", "ends_at"])
    op.execute("CREATE INDEX ix_grant_traffic_octets ON grant_traffic ((sent + received))")
