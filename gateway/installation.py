"""The installation: its state directory, its place in the database, and what a first start brings.

A first start migrates the database, sets up the place, publishes the starter rules and policy and makes the keys.
Every later start finds them and changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from gateway import durable
from gateway.audit import erasure_file
from gateway.audit.cosignature import CosignerKey
from gateway.audit.custody import adopt_key, exclusively, propose_key, public_keys, reinstate_key
from gateway.audit.keyfile import open_cosigner, read_key_file
from gateway.audit.memory import Memory
from gateway.audit.note import SignerKey, VerifierKey, parse_verifier
from gateway.clock import Clock
from gateway.context import Services
from gateway.errors import GatewayError, UsageError
from gateway.lists import generations as policy
from gateway.settings import Settings, signing_key_path
from gateway.storage import generations, places, revision, rules
from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place
from gateway.terms import publish as terms

log = logging.getLogger(__name__)

LOOPBACK = "lo"
STARTER_LABEL = "1.0"


def prepare(settings: Settings, clock: Clock) -> Services:
    """Bring the installation to where every service can start. Raises: GatewayError saying what is in the way."""
    for folder in ("policy", "keys", "tls", "run"):
        _make_folder(settings.state / folder, private=folder in ("keys", "tls"))
    database = open_database(settings.database_url)
    try:
        return Services(settings, database, _set_up(settings, database, clock()), clock)
    except BaseException:
        database.close()
        raise


def _set_up(settings: Settings, database: Database, now: datetime) -> Place:
    from gateway.storage import schema  # noqa: PLC0415 - Alembic, which only a first start and `db` need

    schema.upgrade(database)
    key_path = signing_key_path(settings)
    with exclusively(key_path):
        with database.write() as session:
            place = places.add_place(
                session,
                owner_key=settings.owner.key,
                owner_name=settings.owner.name,
                log_origin=settings.owner.log_origin,
                site_key=settings.owner.site,
                gateway_key=settings.enforcement.gateway,
                interfaces=guest_interfaces(settings),
                now=now,
            )
            if rules.version_in_force(session, place.owner_id, now=now) is None:
                terms.publish(
                    session,
                    place,
                    terms.starter_texts(),
                    label=STARTER_LABEL,
                    adopting_body="",
                    adopted_on=None,
                    case_number="",
                    binding_language="nb",
                    next_review_on=date(now.year + 1, now.month, 1),
                    published_by="gjestenett",
                    now=now,
                )
            if generations.in_force(session, place.owner_id) is None:
                policy.publish(session, place, "gjestenett", "starter policy", now)
            propose_key(session, place, key_path)
            reinstate_key(session, place, key_path, now)
        with database.read() as session:
            adopt_key(session, place, key_path)
    write_public_keys(settings, database, place)
    _erase_again(settings, database, place, now)
    return place


def write_public_keys(settings: Settings, database: Database, place: Place) -> None:
    """Bring `log.vkey` up to the keys that the log has had. Raises: GatewayError when it can't be written."""
    path = public_key_path(settings)
    with database.read() as session:
        content = public_keys(session, place).encode()
    try:
        if not path.exists() or path.read_bytes() != content:
            durable.replace(path, content, 0o644)
    except OSError as error:
        raise GatewayError(f"{path} can't be written ({error.strerror}); check the state directory") from error


def open_services(settings: Settings, clock: Clock) -> Services:
    """The parts of an installation that has been prepared. Raises: GatewayError when it has not."""
    database = open_database(settings.database_url)
    if database.is_sqlite and not database.sqlite_path.exists():
        raise UsageError(
            f"no installation in {settings.state.absolute()}; name one with --state, or begin one: gjestenett up"
        )
    try:
        if not revision.is_current(database):
            raise GatewayError("the database is not at this version's schema; run: gjestenett db upgrade")
        place = find_place(settings, database)
        _erase_again(settings, database, place, clock())
        return Services(settings, database, place, clock)
    except BaseException:
        database.close()
        raise


def _erase_again(settings: Settings, database: Database, place: Place, now: datetime) -> None:
    """Before anything is served: who has been erased stays so, also in a database restored from before."""
    again = erasure_file.replay_pending(database, place, settings.state, now)
    if again:
        log.warning("the database was from before an erasure: %d entries of its log have been erased again", again)


def find_place(settings: Settings, database: Database) -> Place:
    """Where this machine stands. Raises: GatewayError when the settings name a place that was never set up."""
    with database.read() as session:
        place = places.find_place(session, settings.owner.key, settings.owner.site, settings.enforcement.gateway)
    if place is None:
        raise GatewayError("this owner, site and gateway are not in the database yet; run: gjestenett db upgrade")
    return place


def guest_interfaces(settings: Settings) -> tuple[str, ...]:
    """The interfaces that guests are on: the configured ones, else loopback."""
    return settings.enforcement.guest_interfaces or (LOOPBACK,)


def public_key_path(settings: Settings) -> Path:
    """Where the log's public keys lie, oldest first, for every service and for the auditor."""
    return settings.state / "log.vkey"


def read_signing_key(settings: Settings) -> SignerKey:
    """The log's key. Raises: AuditError when it is missing, damaged or readable by others."""
    return read_key_file(signing_key_path(settings))


def open_signing_key(services: Services) -> SignerKey:
    """The log's key for the sealer. Raises: AuditError when it is missing, damaged or another log's."""
    path = signing_key_path(services.settings)
    with exclusively(path):
        with services.database.write() as session:
            reinstate_key(session, services.place, path, services.clock())
        with services.database.read() as session:
            adopt_key(session, services.place, path)
        signer = read_signing_key(services.settings)
    write_public_keys(services.settings, services.database, services.place)
    return signer


def open_witness_key(settings: Settings) -> CosignerKey:
    """The key with which others' logs are witnessed, made when there is none: beside the log's key, for the sealer
    alone.

    Raises: AuditError when it is damaged, readable by others, or can't be made.
    """
    name = settings.audit.witness_name or f"{settings.owner.log_origin}/witness"
    return open_cosigner(signing_key_path(settings).with_name("witness.key"), name)


def known_logs(settings: Settings) -> Mapping[str, tuple[VerifierKey, ...]]:
    """The logs that are witnessed here, each with its trusted keys."""
    return {log.origin: tuple(map(parse_verifier, log.vkeys)) for log in settings.audit.witnessed}


def witnessed_memory(settings: Settings) -> Path:
    """Where the sealer remembers, outside the database, what it has cosigned last of others' logs."""
    return signing_key_path(settings).with_name("witness.memory")


def sealer_memory(settings: Settings) -> Memory:
    """What the sealer remembers outside the database, beside its key."""
    path = signing_key_path(settings)
    return Memory(path.with_name(path.name + ".memory"))


def _make_folder(path: Path, *, private: bool) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if private:
            path.chmod(0o700)
    except OSError as error:
        raise GatewayError(f"{path} can't be made ({error.strerror}); choose another --state directory") from error
