"""The tables of those who sign in to the console: accounts, codes, set-up links and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.storage.base import Base, Id
from gateway.storage.models import Owner
from gateway.storage.types import new_id


class Staff(Base):
    """An account of IT, an auditor, or a host, who makes courses for the `unit`.

    Without a password hash it waits for its set-up link to be used, unless it is signed in to at an OpenID provider,
    which knows it as `oidc_subject`.
    """

    __tablename__ = "staff"
    __table_args__ = (
        UniqueConstraint("owner_id", "username"),
        Index("ix_staff_oidc", "owner_id", "oidc_issuer", "oidc_subject", unique=True),
        CheckConstraint("role IN ('it', 'auditor', 'host')", name="role"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id))
    username: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(10))
    unit: Mapped[str] = mapped_column(Text, default="", server_default="")
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    scope: Mapped[dict[str, Any] | None]
    """What an auditor may see, as `gateway.audit.scope` writes it; None: everything."""
    totp_secret: Mapped[str | None] = mapped_column(Text)
    """Encrypted under a key outside the database (`captive_portal.auth.second_factor`)."""
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The newest 30-second step whose code was used: it and those before it are refused."""
    oidc_issuer: Mapped[str | None] = mapped_column(Text)
    oidc_subject: Mapped[str | None] = mapped_column(Text)
    role_by_claim: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the provider says the role at each sign-in; else it was given by hand."""
    last_sign_in_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that signs in once in place of the authenticator; only its SHA-256 is kept."""

    __tablename__ = "recovery_code"

    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id), primary_key=True)
    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)


class SetupLink(Base):
    """A one-time link that lets its bearer choose the account's password; only the token's SHA-256 is kept."""

    __tablename__ = "setup_link"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A signed-in browser; only the cookie's SHA-256 is kept. `id` is what pages name it by."""

    __tablename__ = "staff_session"
    __table_args__ = (
        Index("ix_staff_session_id", "id", unique=True),
        Index("ix_staff_session_seen", "seen_at", "id"),
    )

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    id: Mapped[str] = mapped_column(Id, default=new_id)
    method: Mapped[str] = mapped_column(String(20), default="password", server_default="password")
    address: Mapped[str] = mapped_column(Text, default="", server_default="")
    browser: Mapped[str] = mapped_column(Text, default="", server_default="")
    staff: Mapped[Staff] = relationship(lazy="raise")
