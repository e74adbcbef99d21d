"""Courses whose guests get in by a code, hosts who make them for their unit, and guests who wait for a host's yes."""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

Id = sa.String(length=32)
ROLES = "role IN ('it', 'auditor', 'host')"
OF_STAFF = ("recovery_code", "setup_link", "staff_session")


def upgrade() -> None:
    op.create_table(
        "course",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("code_key", sa.String(length=60), nullable=False),
        sa.Column("starts_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("max_devices", sa.Integer(), nullable=False),
        sa.Column("offered", sa.String(length=10), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("offered IN ('code', 'title', 'hidden')", name=op.f("ck_course_offered")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_course_owner_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_course_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("owner_id", "code_key", name=op.f("uq_course_owner_id")),
    )
    op.create_index("ix_course_site", "course", ["site_id", "ends_at"])
    _requests()
    # one form for both databases: SQLite can add a column with a reference, but no constraint afterwards
    op.execute(
        "ALTER TABLE access_grant ADD COLUMN course_id VARCHAR(32) CONSTRAINT fk_access_grant_course_id"
        " REFERENCES course (id)"
    )
    op.create_index("ix_access_grant_course", "access_grant", ["course_id", "ends_at"])
    op.add_column("staff", sa.Column("unit", sa.Text(), server_default="", nullable=False))
    _roles()


def _requests() -> None:
    op.create_table(
        "host_request",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("gateway_id", Id, nullable=False),
        sa.Column("interface", sa.String(length=15), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("rules_version_id", Id, nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("host_email", sa.Text(), nullable=False),
        sa.Column("host_name", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("mailed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("mail_tries", sa.Integer(), nullable=False),
        sa.Column("mail_error", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("answered_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('', 'approved', 'denied')", name=op.f("ck_host_request_answer")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_host_request_owner_id")),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_host_request_gateway_id")),
        sa.ForeignKeyConstraint(
            ["rules_version_id"], ["rules_version.id"], name=op.f("fk_host_request_rules_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_request")),
    )
    op.create_index("ix_host_request_device", "host_request", ["owner_id", "mac", "asked_at"])
    op.create_index("ix_host_request_open", "host_request", ["owner_id", "answer", "expires_at"])


def _roles() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_staff_role"), "staff", type_="check")
        op.create_check_constraint(op.f("ck_staff_role"), "staff", ROLES)
        return
    for table in OF_STAFF:  # it can only copy the table, and may not drop it while rows refer to it
        op.execute(f"CREATE TEMPORARY TABLE held_{table} AS SELECT * FROM {table}")
        op.execute(f"DELETE FROM {table}")
    with op.batch_alter_table("staff") as staff:
        staff.create_check_constraint(op.f("ck_staff_role"), ROLES)
    for table in OF_STAFF:
        op.execute(f"INSERT INTO {table} SELECT * FROM held_{table}")
        op.execute(f"DROP TABLE held_{table}")
