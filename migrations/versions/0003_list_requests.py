"""What staff has asked of list sources in the console: a refresh, and files that were uploaded."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_request",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=60), nullable=False),
        sa.Column("requested_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("accept", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_list_request_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "source_key", name=op.f("pk_list_request")),
    )
    op.create_table(
        "list_upload",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_list_upload_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "source_key", name=op.f("pk_list_upload")),
    )
