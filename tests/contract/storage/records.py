"""Rows that many storage tests need: rules, devices, acceptances and grants; and a way to run things at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gateway.storage.engine import Database, Session
from gateway.storage.grants import lock_device
from gateway.storage.models import Acceptance, Grant, RulesText, RulesVersion, Visitor
from gateway.storage.places import Place, network_on
from gateway.storage.types import new_id

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
MAC = "02:00:00:00:00:01"

T = TypeVar("T")


def add_rules(
    session: Session, place: Place, label: str = "2026-1", at: datetime = NOW, *, group_key: str = ""
) -> RulesVersion:
    """A published version of the rules in bokmål and English."""
    texts = [
        RulesText(language=language, markdown="# R", html="<h1>R</h1>", text_sha256="a" * 64, html_sha256="b" * 64)
        for language in ("nb", "en")
    ]
    version = RulesVersion(
        owner_id=place.owner_id,
        label=label,
        group_key=group_key,
        binding_language="nb",
        published_at=at,
        texts=texts,
        adopted_on=at.date(),
    )
    session.add(version)
    session.flush()
    return version


def add_grant(
    session: Session,
    place: Place,
    rules: RulesVersion,
    *,
    mac: str = MAC,
    starts_at: datetime = NOW,
    ends_at: datetime = NOW + HOUR,
    revoked_at: datetime | None = None,
) -> Grant:
    """A visitor's acceptance on a device, and the grant that follows from it."""
    network = network_on(session, place.gateway_id, "lo")
    assert network is not None
    device = lock_device(session, place.owner_id, mac, starts_at)
    visitor = Visitor(owner_id=place.owner_id, name="Kari Nordmann", created_at=starts_at)
    acceptance = Acceptance(
        owner_id=place.owner_id,
        site_id=place.site_id,
        visitor=visitor,
        device=device,
        rules_version_id=rules.id,
        language="nb",
        text_sha256="a" * 64,
        identified_by="self_declared",
        accepted_at=starts_at,
        receipt_code=new_id(),
        leaf_id=new_id(),
    )
    grant = Grant(
        network_id=network.id,
        device=device,
        acceptance=acceptance,
        group_key="default",
        mark=1,
        starts_at=starts_at,
        ends_at=ends_at,
        revoked_at=revoked_at,
    )
    session.add(grant)
    session.flush()
    return grant


def at_once(workers: int, work: Callable[[int], T]) -> list[T]:
    """Run `work(0)` … `work(workers - 1)` in threads that set off together; re-raises what any of them raised."""
    barrier = threading.Barrier(workers, timeout=10)

    def run(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers), timeout=60))


def scalar(database: Database, statement: str) -> object:
    """The first value that a statement gives, outside any unit of work."""
    with database.engine.connect() as connection:
        return connection.exec_driver_sql(statement).scalar()
