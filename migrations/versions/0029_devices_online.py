"""Indexes for the orders and filters of devices online, and for what was counted last longest ago.

Nothing is dropped here: to build an index keeps others from writing, to drop one from reading too, until the end of the
transaction.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_access_grant_online", "access_grant", ["network_id", "ends_at", "revoked_at", "starts_at"])
    op.create_index("ix_access_grant_since", "access_grant", ["network_id", "starts_at", "ends_at", "revoked_at"])
    op.create_index("ix_access_grant_group", "access_grant", ["group_key", "ends_at"])
    op.execute("CREATE INDEX ix_grant_traffic_octets ON grant_traffic ((sent + received))")
    op.create_index("ix_grant_traffic_counted", "grant_traffic", ["counted_at"])
