"""Requests to refresh a list have an identity, which the refreshes carry that saw them: no clocks are compared.

Requests from before have none, and are done with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("list_request", "list_refresh"):
        op.add_column(table, sa.Column("request_id", sa.String(length=32), server_default="", nullable=False))
