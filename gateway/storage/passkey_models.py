"""The passkeys of staff: what was registered with an account, never what signs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id
from gateway.storage.staff_models import Staff
from gateway.storage.types import new_id


class Passkey(Base):
    """A credential record (WebAuthn Level 3 §4). `id` is what pages name it by, `name` what its bearer calls it.

    It works at the name `rp_id` alone, under which the console was reached when it was made. `transports` are words
    such as `usb`, between spaces. `sign_count` is 0 for ever where the authenticator counts nothing.
    """

    __tablename__ = "passkey"
    __table_args__ = (Index("ix_passkey_credential_id", "credential_id", unique=True),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id), index=True)
    name: Mapped[str] = mapped_column(Text)
    rp_id: Mapped[str] = mapped_column(Text)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    """As COSE writes it (RFC 9053)."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    backup_eligible: Mapped[bool]
    transports: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
