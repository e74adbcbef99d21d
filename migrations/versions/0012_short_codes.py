"""An index of the short codes of receipts: without it each look-up by one reads every acceptance."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_acceptance_short_code", "acceptance", ["owner_id", sa.text("substr(receipt_code, 1, 8)"), "accepted_at"]
    )
