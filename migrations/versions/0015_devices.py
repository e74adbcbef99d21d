"""Three words that let a guest add a device, and three more ways in which a person is identified."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME = "ck_acceptance_identified_by"
WAYS = (
    "identified_by IN ('self_declared', 'course_code', 'host_approved', 'oidc', 'known_device',"
    " 'device_words', 'receipt_code')"
)
SHORT_CODES = "ix_acceptance_short_code"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _copy_table()
    else:
        op.drop_constraint(op.f(NAME), "acceptance", type_="check")
        op.create_check_constraint(op.f(NAME), "acceptance", WAYS)
    op.create_table(
        "device_words",
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_device_words_grant_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_device_words_owner_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_device_words")),
        sa.UniqueConstraint("owner_id", "number", name=op.f("uq_device_words_owner_id")),
    )


def _copy_table() -> None:
    """SQLite changes no constraint in place, and drops no table while rows of another refer to it."""
    connection = op.get_bind()
    op.execute("PRAGMA defer_foreign_keys = ON")  # what is put back may refer to what comes after it
    held = _referring("acceptance")
    for table in reversed(held):
        op.execute(f"CREATE TEMPORARY TABLE held_{table} AS SELECT * FROM {table}")
        op.execute(f"DELETE FROM {table}")
    query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
    index = connection.execute(query, {"name": SHORT_CODES}).scalar_one()
    op.drop_index(SHORT_CODES, "acceptance")  # one of an expression, which is not copied with the table
    with op.batch_alter_table("acceptance") as copied:
        copied.drop_constraint(op.f(NAME), type_="check")
        copied.create_check_constraint(op.f(NAME), WAYS)
    op.execute(index)
    for table in held:
        op.execute(f"INSERT INTO {table} SELECT * FROM held_{table}")
        op.execute(f"DROP TABLE held_{table}")


def _referring(table: str) -> list[str]:
    """The tables whose rows refer to the table's, near ones first."""
    inspector = sa.inspect(op.get_bind())
    parents = {
        name: {key["referred_table"] for key in inspector.get_foreign_keys(name)}
        for name in inspector.get_table_names()
    }
    found = [table]
    for each in found:
        found += [name for name, its in sorted(parents.items()) if each in its and name not in found]
    return found[1:]
