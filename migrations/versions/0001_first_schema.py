"""The first schema, with triggers that refuse to change what has been written to the log.

The triggers are a tripwire against accidents; the proof that nothing was changed is the tree and its checkpoints.
"""

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WRITTEN_ONCE = ("leaf", "tree_node", "checkpoint", "rules_version", "rules_text", "policy_generation")


def _refuse(table: str, operation: str) -> None:
    name = f"{table}_refuse_{operation.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is written once: {operation} refused'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION gjestenett_refuse_change()"
        )


def _refuse_shrinking() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER tree_head_refuse_shrinking BEFORE UPDATE ON tree_head WHEN NEW.size < OLD.size"
            " BEGIN SELECT RAISE(ABORT, 'a log never shrinks: UPDATE refused'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER tree_head_refuse_shrinking BEFORE UPDATE ON tree_head FOR EACH ROW"
            " WHEN (NEW.size < OLD.size) EXECUTE FUNCTION gjestenett_refuse_change()"
        )


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_change")),
    )
    op.create_table(
        "disclosure",
        sa.Column("leaf_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_id", "name", name=op.f("pk_disclosure")),
    )
    op.create_table(
        "owner",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("log_origin", sa.Text(), nullable=False),
        sa.Column("log_key", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
        sa.UniqueConstraint("key", name=op.f("uq_owner_key")),
        sa.UniqueConstraint("log_origin", name=op.f("uq_owner_log_origin")),
    )
    op.create_table(
        "bundle_signature",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("zip_sha256", sa.String(length=64), nullable=False),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_bundle_signature_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle_signature")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_checkpoint_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_device_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("owner_id", "mac", name=op.f("uq_device_owner_id")),
    )
    op.create_table(
        "leaf",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_leaf_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "leaf_index", name=op.f("pk_leaf")),
        sa.UniqueConstraint("leaf_id", name=op.f("uq_leaf_leaf_id")),
    )
    op.create_table(
        "policy_draft",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_policy_draft_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_policy_draft")),
    )
    op.create_table(
        "policy_generation",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_policy_generation_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "generation", name=op.f("pk_policy_generation")),
    )
    op.create_table(
        "rules_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("adopting_body", sa.Text(), nullable=False),
        sa.Column("adopted_on", sa.Date(), nullable=True),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("binding_language", sa.String(length=10), nullable=False),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("published_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_rules_version_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules_version")),
        sa.UniqueConstraint("owner_id", "label", name=op.f("uq_rules_version_owner_id")),
    )
    with op.batch_alter_table("rules_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rules_version_published_at"), ["published_at"], unique=False)

    op.create_table(
        "site",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_site_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("owner_id", "key", name=op.f("uq_site_owner_id")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('it', 'auditor')", name=op.f("ck_staff_role")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_staff_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("owner_id", "username", name=op.f("uq_staff_owner_id")),
    )
    op.create_table(
        "staged_leaf",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("leaf_id", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("staged_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_staged_leaf_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_leaf")),
        sa.UniqueConstraint("leaf_id", name=op.f("uq_staged_leaf_leaf_id")),
    )
    with op.batch_alter_table("staged_leaf", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staged_leaf_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "tree_head",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_tree_head_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_tree_head")),
    )
    op.create_table(
        "tree_node",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_tree_node_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "level", "node_index", name=op.f("pk_tree_node")),
    )
    op.create_table(
        "visitor",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_visitor_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor")),
    )
    op.create_table(
        "acceptance",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("visitor_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("rules_version_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("identified_by", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("receipt_code", sa.String(length=32), nullable=False),
        sa.Column("leaf_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "identified_by IN ('self_declared', 'course_code', 'host_approved', 'oidc')",
            name=op.f("ck_acceptance_identified_by"),
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_acceptance_device_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_acceptance_owner_id")),
        sa.ForeignKeyConstraint(
            ["rules_version_id"], ["rules_version.id"], name=op.f("fk_acceptance_rules_version_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_acceptance_site_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_acceptance_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("leaf_id", name=op.f("uq_acceptance_leaf_id")),
        sa.UniqueConstraint("receipt_code", name=op.f("uq_acceptance_receipt_code")),
    )
    with op.batch_alter_table("acceptance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acceptance_accepted_at"), ["accepted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_acceptance_device_id"), ["device_id"], unique=False)

    op.create_table(
        "gateway",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_gateway_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
        sa.UniqueConstraint("site_id", "key", name=op.f("uq_gateway_site_id")),
    )
    op.create_table(
        "rules_text",
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("html_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["rules_version.id"], name=op.f("fk_rules_text_version_id")),
        sa.PrimaryKeyConstraint("version_id", "language", name=op.f("pk_rules_text")),
    )
    op.create_table(
        "setup_link",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_setup_link_staff_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_setup_link")),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_staff_session")),
    )
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_session_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "network",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("gateway_id", sa.String(length=32), nullable=False),
        sa.Column("interface", sa.String(length=15), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_network_gateway_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network")),
        sa.UniqueConstraint("gateway_id", "interface", name=op.f("uq_network_gateway_id")),
    )
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("network_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("acceptance_id", sa.String(length=32), nullable=False),
        sa.Column("group_key", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_access_grant_acceptance_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_access_grant_device_id")),
        sa.ForeignKeyConstraint(["network_id"], ["network.id"], name=op.f("fk_access_grant_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("acceptance_id", name=op.f("uq_access_grant_acceptance_id")),
    )
    with op.batch_alter_table("access_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_grant_device_id"), ["device_id"], unique=False)
        batch_op.create_index("ix_access_grant_open", ["network_id", "ends_at", "revoked_at"], unique=False)

    op.create_table(
        "applied_grant",
        sa.Column("gateway_id", sa.String(length=32), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("applied_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_applied_grant_gateway_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_applied_grant_grant_id")),
        sa.PrimaryKeyConstraint("gateway_id", "grant_id", name=op.f("pk_applied_grant")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION gjestenett_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '% is written once: % refused', TG_TABLE_NAME, TG_OP"
            " USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in WRITTEN_ONCE:
        _refuse(table, "UPDATE")
        _refuse(table, "DELETE")
        if op.get_bind().dialect.name == "postgresql":
            _refuse(table, "TRUNCATE")
    _refuse("staged_leaf", "UPDATE")
    _refuse("tree_head", "DELETE")
    _refuse_shrinking()
