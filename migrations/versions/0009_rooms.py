"""What the auditor's rooms need: scope, end and second factor of accounts, and indexes for searching a large log.

Names are searched by fragment through trigrams: FTS5 on SQLite (without the text itself), pg_trgm on PostgreSQL.
Triggers keep the former in step, so that a name that is erased is no longer found.
"""

import json
import unicodedata
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from gateway.storage.types import UtcDateTime

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

BATCH = 1000
HEX_TAIL = sa.String(length=12).with_variant(sa.String(length=12, collation="C"), "postgresql")
COURSES = sa.text("name = 'course_code'")


def upgrade() -> None:
    _accounts()
    op.add_column("visitor", sa.Column("name_key", sa.Text(), server_default="", nullable=False))
    op.add_column("device", sa.Column("mac_tail", HEX_TAIL, server_default="", nullable=False))
    _fill("visitor", "name", "name_key", _fold)
    _fill("device", "mac", "mac_tail", lambda mac: mac.replace(":", "").lower()[::-1])
    for table, source, key in (("visitor", "name", "name_key"), ("device", "mac", "mac_tail")):
        _key_goes_with_its_source(table, source, key)
    op.create_index("ix_device_mac_tail", "device", ["owner_id", "mac_tail"])
    op.create_index("ix_acceptance_newest", "acceptance", ["owner_id", "accepted_at", "id"])
    op.create_index("ix_acceptance_site", "acceptance", ["site_id", "accepted_at", "id"])
    op.create_index("ix_acceptance_version", "acceptance", ["rules_version_id", "accepted_at", "id"])
    op.create_index("ix_acceptance_site_version", "acceptance", ["site_id", "rules_version_id", "accepted_at", "id"])
    op.create_index("ix_acceptance_visitor_id", "acceptance", ["visitor_id"])
    op.create_index("ix_disclosure_course", "disclosure", ["value"], sqlite_where=COURSES, postgresql_where=COURSES)
    if op.get_bind().dialect.name == "sqlite":
        _trigrams_on_sqlite()
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE INDEX visitor_trigram ON visitor USING gin (name_key gin_trgm_ops)")
    _headings()


def _accounts() -> None:
    op.add_column("staff", sa.Column("ends_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("scope", sa.JSON(), nullable=True))
    op.add_column("staff", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "recovery_code",
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "code_sha256", name=op.f("pk_recovery_code")),
    )


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _fill(table: str, source: str, target: str, made_of: Callable[[str], str]) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(f"SELECT id, {source} FROM {table}")).all()
    for start in range(0, len(rows), BATCH):
        connection.execute(
            sa.text(f"UPDATE {table} SET {target} = :value WHERE id = :id"),
            [{"id": key, "value": made_of(value or "")} for key, value in rows[start : start + BATCH]],
        )


def _key_goes_with_its_source(table: str, source: str, key: str) -> None:
    """Whoever changes a value without its search key, as by erasing it, leaves an empty key."""
    stale = f"NEW.{source} IS DISTINCT FROM OLD.{source} AND NEW.{key} = OLD.{key} AND NEW.{key} <> ''"
    if op.get_bind().dialect.name == "sqlite":
        stale = stale.replace("IS DISTINCT FROM", "IS NOT")
        op.execute(
            f"CREATE TRIGGER {table}_{key}_goes AFTER UPDATE OF {source} ON {table} WHEN {stale}"
            f" BEGIN UPDATE {table} SET {key} = '' WHERE id = NEW.id; END"
        )
        return
    op.execute(
        f"CREATE FUNCTION gjestenett_empty_{key}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN NEW.{key} := ''; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_{key}_goes BEFORE UPDATE OF {source} ON {table} FOR EACH ROW WHEN ({stale})"
        f" EXECUTE FUNCTION gjestenett_empty_{key}()"
    )


def _trigrams_on_sqlite() -> None:
    """Rowids of a table without an INTEGER PRIMARY KEY may change with VACUUM: so visitors have their own numbers."""
    op.execute(
        "CREATE TABLE visitor_trigram_number (number INTEGER PRIMARY KEY, visitor_id VARCHAR(32) NOT NULL UNIQUE)"
    )
    op.execute(
        "CREATE VIRTUAL TABLE visitor_trigram USING fts5(name_key, content='', detail=none, columnsize=0,"
        " tokenize='trigram')"
    )
    op.execute("INSERT INTO visitor_trigram_number (visitor_id) SELECT id FROM visitor ORDER BY created_at")
    op.execute(
        "INSERT INTO visitor_trigram (rowid, name_key) SELECT number, name_key FROM visitor_trigram_number"
        " JOIN visitor ON id = visitor_id ORDER BY number"
    )
    forget = (
        "INSERT INTO visitor_trigram (visitor_trigram, rowid, name_key) SELECT 'delete', number, OLD.name_key"
        " FROM visitor_trigram_number WHERE visitor_id = OLD.id;"
    )
    op.execute(
        "CREATE TRIGGER visitor_trigram_insert AFTER INSERT ON visitor BEGIN"
        " INSERT INTO visitor_trigram_number (visitor_id) VALUES (NEW.id);"
        " INSERT INTO visitor_trigram (rowid, name_key) SELECT number, NEW.name_key FROM visitor_trigram_number"
        " WHERE visitor_id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER visitor_trigram_update AFTER UPDATE OF name_key ON visitor"
        f" WHEN NEW.name_key <> OLD.name_key BEGIN {forget}"
        " INSERT INTO visitor_trigram (rowid, name_key) SELECT number, NEW.name_key FROM visitor_trigram_number"
        " WHERE visitor_id = NEW.id; END"
    )
    op.execute(
        f"CREATE TRIGGER visitor_trigram_delete AFTER DELETE ON visitor BEGIN {forget}"
        " DELETE FROM visitor_trigram_number WHERE visitor_id = OLD.id; END"
    )


def _headings() -> None:
    op.create_table(
        "leaf_heading",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_leaf_heading_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "leaf_index", name=op.f("pk_leaf_heading")),
    )
    op.create_index("ix_leaf_heading_at", "leaf_heading", ["owner_id", "at", "leaf_index"])
    op.create_index("ix_leaf_heading_type", "leaf_heading", ["owner_id", "type", "at", "leaf_index"])
    connection = op.get_bind()
    heading = sa.table(
        "leaf_heading",
        *(sa.column(name) for name in ("owner_id", "leaf_index", "type")),
        sa.column("at", UtcDateTime(timezone=True)),
        sa.column("site"),
    )
    owners = connection.execute(sa.text("SELECT DISTINCT owner_id FROM leaf")).scalars().all()
    for owner_id in owners:
        start = 0
        while rows := connection.execute(
            sa.text(
                "SELECT leaf_index, entry FROM leaf WHERE owner_id = :owner AND leaf_index >= :start"
                " ORDER BY leaf_index LIMIT :limit"
            ),
            {"owner": owner_id, "start": start, "limit": BATCH},
        ).all():
            connection.execute(
                heading.insert(), [{"owner_id": owner_id, "leaf_index": row[0], **_heading(row[1])} for row in rows]
            )
            start = rows[-1][0] + 1


def _heading(entry: bytes) -> dict[str, object]:
    document = json.loads(bytes(entry))
    return {"type": document["type"], "at": datetime.fromisoformat(document["at"]), "site": document["site"]}
