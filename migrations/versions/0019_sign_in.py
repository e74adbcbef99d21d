"""Accounts that sign in at an OpenID provider, and signed-in browsers that a page can list and end one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("oidc_issuer", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("role_by_claim", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_staff_oidc", "staff", ["owner_id", "oidc_issuer", "oidc_subject"], unique=True)
    op.add_column("staff_session", sa.Column("id", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("staff_session", sa.Column("method", sa.String(length=20), server_default="password", nullable=False))
    op.add_column("staff_session", sa.Column("address", sa.Text(), server_default="", nullable=False))
    op.add_column("staff_session", sa.Column("browser", sa.Text(), server_default="", nullable=False))
    # who is signed in stays so; a name for the browser, of no use to whoever reads it
    op.execute("UPDATE staff_session SET id = substr(token_sha256, 1, 32)")
    op.create_index("ix_staff_session_id", "staff_session", ["id"], unique=True)
