"""The index of acceptances by time alone goes: nothing needs it, and PostgreSQL walked it in place of better ones."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_acceptance_accepted_at", table_name="acceptance")
