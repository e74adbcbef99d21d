"""A grant stands on an acceptance, or on an admission: a device without a browser, let in by staff. Never on both."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

ONE_GROUND = "(acceptance_id IS NULL) <> (admission_leaf_id IS NULL)"


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if on_sqlite:  # it can only copy the table, and may not drop it while rows refer to it
        op.execute("CREATE TEMPORARY TABLE held AS SELECT * FROM applied_grant")
        op.execute("DELETE FROM applied_grant")
    with op.batch_alter_table("access_grant") as table:
        table.alter_column("acceptance_id", existing_type=sa.String(length=32), nullable=True)
        table.add_column(sa.Column("admission_leaf_id", sa.String(length=32), nullable=True))
        table.create_unique_constraint(op.f("uq_access_grant_admission_leaf_id"), ["admission_leaf_id"])
        table.create_check_constraint(op.f("ck_access_grant_ground"), ONE_GROUND)
    if on_sqlite:
        op.execute("INSERT INTO applied_grant SELECT * FROM held")
        op.execute("DROP TABLE held")
