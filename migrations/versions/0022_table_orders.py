"""Indexes for the orders in which the console's tables are shown.

Names are in the order of their characters' numbers on both databases, with å after z, æ and ø.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    collation = "" if op.get_bind().dialect.name == "sqlite" else ' COLLATE "C"'
    op.execute(f"CREATE INDEX visitor_name_order ON visitor (owner_id, (replace(name_key, 'å', 'þ')){collation}, id)")
    op.create_index("ix_leaf_heading_number", "leaf_heading", ["owner_id", "type", "leaf_index"])
    op.create_index("ix_checkpoint_signed", "checkpoint", ["owner_id", "signed_at", "size"])
    op.create_index("ix_policy_generation_published", "policy_generation", ["owner_id", "published_at", "generation"])
    op.create_index("ix_rules_version_newest", "rules_version", ["owner_id", "published_at", "id"])
    op.create_index("ix_rules_version_group", "rules_version", ["owner_id", "group_key", "published_at", "id"])
    op.create_index("ix_exemption_request_decided", "exemption_request", ["owner_id", "decision", "decided_at", "id"])
    op.create_index("ix_course_ends", "course", ["owner_id", "ends_at", "id"])
    op.create_index("ix_course_unit", "course", ["owner_id", "unit", "ends_at", "id"])
    op.create_index("ix_staff_session_seen", "staff_session", ["seen_at", "id"])
    op.create_index("ix_dns_answers_hour", "dns_answers", ["owner_id", "hour"])
