"""The installation: its state directory, its place in the database, and what a first start brings.

A first start migrates the database, sets up the place, publishes the starter rules and policy and makes the keys.
Every later start finds them and changes nothing.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from pathlib import Path

from gateway.audit import erasure_file
from gateway.audit.custody import adopt_key, propose_key
from gateway.audit.keyfile import read_key_file
from gateway.audit.note import SignerKey
from gateway.clock import Clock
from gateway.context import Services
from gateway.errors import GatewayError, UsageError
from gateway.lists import generations as policy
from gateway.settings import Settings, signing_key_path
from gateway.storage import generations, places, revision, rules
from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place
from gateway.terms import publish as terms
from gateway.whole_file import write_whole

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
        if rules.version_in_force(session, place.owner_id) is None:
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
    with database.read() as session:
        vkey = adopt_key(session, place, key_path)
    path = public_key_path(settings)
    try:
        write_whole(path, f"{vkey}\n", mode=0o644)  # for auditors, who are other users
    except OSError as error:
        raise GatewayError(f"{path} can't be written: {error.strerror}") from error
    _erase_again(settings, database, place, now)
    return place


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
    """Where the log's public key lies, for every service and for the auditor."""
    return settings.state / "log.vkey"


def read_signing_key(settings: Settings) -> SignerKey:
    """The log's key. Raises: AuditError when it is missing, damaged or readable by others."""
    return read_key_file(signing_key_path(settings))


def open_signing_key(services: Services) -> SignerKey:
    """The log's key for the sealer. Raises: AuditError when it is missing, damaged or another log's."""
    with services.database.read() as session:
        adopt_key(session, services.place, signing_key_path(services.settings))
    return read_signing_key(services.settings)


def _make_folder(path: Path, *, private: bool) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if private:
            path.chmod(0o700)
    except OSError as error:
        raise GatewayError(f"{path} can't be made ({error.strerror}); choose another --state directory") from error
