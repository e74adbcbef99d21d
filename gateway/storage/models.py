"""The tables.

An *owner* (municipality) has its own rules, log and staff; its *sites* have *gateways*, whose *networks* guests join.
Personal values stand in `visitor`, `device`, `disclosure` and `acceptance.receipt_code`, for a day at most in
`host_request`, and nowhere else.
`visitor.name_key` and `device.mac_tail` are for searching: they go, by triggers, when what they were made of changes.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from gateway.storage.base import Base, Id, Key
from gateway.storage.course_models import Course
from gateway.storage.log_models import Disclosure
from gateway.storage.types import new_id

HexTail = String(12).with_variant(String(12, collation="C"), "postgresql")  # in Norwegian order, aa comes last


def fold(text: str) -> str:
    """Text as searches compare it: without regard to case, in composed form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def mac_tail(mac: str) -> str:
    """A link-layer address as searches by its last digits need it: its hex digits from the last to the first."""
    return mac.replace(":", "").lower()[::-1]


class Owner(Base):
    """A municipality. `log_origin` names its log for ever (C2SP tlog-checkpoint: origin); `log_key` is its vkey.

    `name` is what the settings file said at the last start, for whoever reads the database; pages have the setting.
    """

    __tablename__ = "owner"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(Key, unique=True)
    name: Mapped[str] = mapped_column(Text)
    log_origin: Mapped[str] = mapped_column(Text, unique=True)
    log_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Site(Base):
    """A building or place of an owner."""

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("owner_id", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    key: Mapped[str] = mapped_column(Key)


class Gateway(Base):
    """One machine that enforces at a site."""

    __tablename__ = "gateway"
    __table_args__ = (UniqueConstraint("site_id", "key"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    key: Mapped[str] = mapped_column(Key)
    seen_at: Mapped[datetime | None]
    """Nobody reads it any more but gateways of the release before, on the same database: it goes in the one after."""


class Network(Base):
    """A guest network, as the interface of the gateway that serves it. `group_key` is the policy its guests get."""

    __tablename__ = "network"
    __table_args__ = (UniqueConstraint("gateway_id", "interface"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    gateway_id: Mapped[str] = mapped_column(ForeignKey("gateway.id"))
    interface: Mapped[str] = mapped_column(String(15))
    group_key: Mapped[str] = mapped_column(Key, default="default")


class Device(Base):
    """A guest's device, by the link-layer address that the kernel sees."""

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("owner_id", "mac"), Index("ix_device_mac_tail", "owner_id", "mac_tail"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    mac: Mapped[str] = mapped_column(String(17))
    mac_tail: Mapped[str] = mapped_column(HexTail, default="", server_default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

    @validates("mac")
    def _keep_tail(self, _key: str, mac: str) -> str:
        self.mac_tail = mac_tail(mac or "")
        return mac


class Visitor(Base):
    """A person as they presented themselves."""

    __tablename__ = "visitor"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    organisation: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    @validates("name")
    def _keep_key(self, _key: str, name: str) -> str:
        self.name_key = fold(name or "")
        return name


class RulesVersion(Base):
    """A published version of the rules. Immutable: triggers refuse UPDATE and DELETE."""

    __tablename__ = "rules_version"
    __table_args__ = (
        UniqueConstraint("owner_id", "label"),
        Index("ix_rules_version_newest", "owner_id", "published_at", "id"),
        Index("ix_rules_version_group", "owner_id", "group_key", "published_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    label: Mapped[str] = mapped_column(String(80))
    group_key: Mapped[str] = mapped_column(Key, default="", server_default="")
    """Whose rules they are: a group that has its own; "" is everybody else's."""
    adopting_body: Mapped[str] = mapped_column(Text, default="")
    adopted_on: Mapped[date | None] = mapped_column(Date)
    case_number: Mapped[str] = mapped_column(Text, default="")
    binding_language: Mapped[str] = mapped_column(String(10))
    next_review_on: Mapped[date | None] = mapped_column(Date)
    published_at: Mapped[datetime] = mapped_column(index=True)
    in_force_from: Mapped[datetime | None]
    """When it comes into force, where that was to be later than it was published; None: at once."""
    ask_again: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether those who are online then are asked to accept it before they go on."""
    texts: Mapped[list[RulesText]] = relationship(back_populates="version", lazy="selectin")


class RulesText(Base):
    """The exact text of a version in one language: Markdown as published and HTML as shown, each by its SHA-256."""

    __tablename__ = "rules_text"

    version_id: Mapped[str] = mapped_column(ForeignKey("rules_version.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(10), primary_key=True)
    markdown: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    html_sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[RulesVersion] = relationship(back_populates="texts", lazy="raise")


class Acceptance(Base):
    """That a visitor accepted a version of the rules on a device. Its evidence is the leaf named by `leaf_id`."""

    __tablename__ = "acceptance"
    __table_args__ = (
        Index("ix_acceptance_newest", "owner_id", "accepted_at", "id"),
        Index("ix_acceptance_site", "site_id", "accepted_at", "id"),
        Index("ix_acceptance_version", "rules_version_id", "accepted_at", "id"),
        Index("ix_acceptance_site_version", "site_id", "rules_version_id", "accepted_at", "id"),
        Index("ix_acceptance_visitor_id", "visitor_id"),
        Index("ix_acceptance_short_code", "owner_id", text("substr(receipt_code, 1, 8)"), "accepted_at"),
        CheckConstraint(
            "identified_by IN ('self_declared', 'course_code', 'host_approved', 'oidc', 'known_device',"
            " 'device_words', 'receipt_code')",
            name="identified_by",
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id"))
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"), index=True)
    rules_version_id: Mapped[str] = mapped_column(ForeignKey("rules_version.id"))
    language: Mapped[str] = mapped_column(String(10))
    text_sha256: Mapped[str] = mapped_column(String(64))
    identified_by: Mapped[str] = mapped_column(String(20))
    accepted_at: Mapped[datetime]
    receipt_code: Mapped[str] = mapped_column(String(32), unique=True)
    leaf_id: Mapped[str] = mapped_column(Id, unique=True)
    visitor: Mapped[Visitor] = relationship(lazy="raise")
    device: Mapped[Device] = relationship(lazy="raise")
    rules_version: Mapped[RulesVersion] = relationship(lazy="raise")


class Grant(Base):
    """A device may be online on a network, under a policy group, until `ends_at` or `revoked_at`.

    It stands on an acceptance; or, for a device without a browser, on an admission by staff, whose evidence is the leaf
    `admission_leaf_id`. What is known of who has such a device are that leaf's disclosures, and goes with them.
    """

    __tablename__ = "access_grant"
    __table_args__ = (
        Index("ix_access_grant_online", "network_id", "ends_at", "revoked_at", "starts_at"),
        Index("ix_access_grant_since", "network_id", "starts_at", "ends_at", "revoked_at"),
        Index("ix_access_grant_group", "group_key", "ends_at"),
        Index("ix_access_grant_course", "course_id", "ends_at"),
        CheckConstraint("(acceptance_id IS NULL) <> (admission_leaf_id IS NULL)", name="ground"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    network_id: Mapped[str] = mapped_column(ForeignKey("network.id"))
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"), index=True)
    acceptance_id: Mapped[str | None] = mapped_column(ForeignKey("acceptance.id"), unique=True)
    admission_leaf_id: Mapped[str | None] = mapped_column(Id, unique=True)
    course_id: Mapped[str | None] = mapped_column(ForeignKey("course.id"))
    """The course that it was given for, whose end is its own at the latest."""
    group_key: Mapped[str] = mapped_column(Key)
    mark: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(Text)
    network: Mapped[Network] = relationship(lazy="raise")
    device: Mapped[Device] = relationship(lazy="raise")
    acceptance: Mapped[Acceptance | None] = relationship(lazy="raise")
    course: Mapped[Course | None] = relationship(lazy="raise")
    unit: Mapped[Disclosure | None] = relationship(
        primaryjoin="and_(foreign(Grant.admission_leaf_id) == Disclosure.leaf_id, Disclosure.name == 'unit')",
        viewonly=True,
        lazy="raise",
    )

    @property
    def holder(self) -> str:
        """Who has the device: the visitor's name, or the unit it was admitted for; empty once that is erased."""
        if self.acceptance is not None:
            return self.acceptance.visitor.name
        return self.unit.value if self.unit is not None else ""


class AppliedGrant(Base):
    """What a gateway says its kernel holds: the enforcer alone writes it."""

    __tablename__ = "applied_grant"

    gateway_id: Mapped[str] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    grant_id: Mapped[str] = mapped_column(ForeignKey("access_grant.id"), primary_key=True, index=True)
    applied_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DeviceWords(Base):
    """Three words that a guest's device shows, so that another one can be added: the number that they stand for.

    One a grant; used once, and then gone.
    """

    __tablename__ = "device_words"
    __table_args__ = (UniqueConstraint("owner_id", "number"),)

    grant_id: Mapped[str] = mapped_column(ForeignKey("access_grant.id"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    number: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]


class Change(Base):
    """The change feed on SQLite: a counter a topic, raised in the transaction that changed something."""

    __tablename__ = "change"

    topic: Mapped[str] = mapped_column(String(20), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
