"""Whether the settings agree with what is installed already: the state directory, the log's name, and its key."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gateway.audit.custody import check_key
from gateway.errors import GatewayError
from gateway.installation import sealer_memory
from gateway.settings import Settings, signing_key_path
from gateway.storage import leaves, passkeys, places, revision
from gateway.storage.engine import open_database


def check_installed(settings: Settings) -> str:
    """What there is to tell besides that all agrees; "" when there is nothing. Changes nothing.

    Raises: GatewayError saying what does not agree, can't be written or can't be reached, and what to do.
    """
    _check_writable(settings.state)
    database = open_database(settings.database_url)
    try:
        if database.is_sqlite and not database.sqlite_path.exists():
            check_key(None, settings.owner.log_origin, signing_key_path(settings))
            return f"nothing is installed in {settings.state.absolute()} yet: `gjestenett up` begins there"
        if not revision.is_current(database):
            return "the database is empty or of another version: `gjestenett up` (or `db upgrade`) prepares it"
        with database.read() as session:
            problem = places.origin_problem(session, settings.owner.key, settings.owner.log_origin)
            if problem:
                raise GatewayError(problem)
            owner_id = places.find_owner(session, settings.owner.key)
            vkey = places.log_key(session, owner_id) if owner_id is not None else None
            head = leaves.find_head(session, owner_id) if owner_id is not None else None
            is_signed = head is not None and head.size > 0
            hostname = settings.console.hostname.lower()
            dead_keys = passkeys.count_elsewhere(session, owner_id, hostname) if owner_id is not None else 0
        check_key(vkey, settings.owner.log_origin, signing_key_path(settings))
        memory = sealer_memory(settings).path
        if is_signed and signing_key_path(settings).exists() and not memory.exists():
            return (
                f"{memory} is missing beside a log that has been signed: put it back before the sealer starts if you"
                " have it. Without it only a target that is a directory can tell whether the database was restored"
            )
        if dead_keys:
            return (
                f"passkeys that open nothing: {dead_keys}, as they were made at another name than console.hostname,"
                f" {hostname}. Who has no authenticator either gets in by a new link: `staff reset`"
            )
        return ""
    finally:
        database.close()


def _check_writable(state: Path) -> None:
    """As whoever runs this. Of a directory that is not there, where it would be made."""
    folder = next(each for each in (state.absolute(), *state.absolute().parents) if each.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise GatewayError(
            f"the state directory {state.absolute()} can't be written ({error.strerror}); run this as the user of the"
            " services, correct the directory's owner or mode, or choose another with --state"
        ) from error
