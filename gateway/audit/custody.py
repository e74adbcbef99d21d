"""Custody of the log's key: made once, before anything is signed, and never replaced by another in silence.

The database names the log's public key. A second machine on the same database has no private key and does not seal; a
key without its database, or a database with another key, is refused, since either would begin a second history.
"""

from __future__ import annotations

from pathlib import Path

from gateway.audit.errors import AuditError
from gateway.audit.keyfile import create_key_file, read_key_file
from gateway.storage import places
from gateway.storage.engine import Session
from gateway.storage.places import Place


class CustodyError(AuditError):
    """The key and the database don't belong together."""


def propose_key(session: Session, place: Place, path: Path) -> None:
    """In the transaction that sets up the owner: make the key beside `path`, and name it in the database.

    `adopt_key` puts it in place once that transaction has committed. Does nothing when the log has a key.
    Raises: CustodyError when a key stands at `path` though the database knows no log.
    """
    if places.log_key(session, place.owner_id) is not None:
        return
    if path.exists():
        raise CustodyError(
            f"{path} is the key of a log that this database does not hold: restore that database, or, to begin a new"
            " log, move the key away and choose another owner.log_origin"
        )
    new = _proposed(path)
    new.unlink(missing_ok=True)  # of a first start that did not come through; it never signed anything
    places.set_log_key(session, place.owner_id, str(create_key_file(new, place.log_origin).verifier))


def adopt_key(session: Session, place: Place, path: Path) -> str:
    """Put a proposed key in place and return the log's public key (vkey).

    Raises: CustodyError when the key at `path` is not the log's; AuditError when it is damaged.
    """
    vkey = places.log_key(session, place.owner_id)
    if vkey is None:
        raise CustodyError("the log has no key; run: gjestenett db upgrade")
    new = _proposed(path)
    if not path.exists() and new.exists() and str(read_key_file(new).verifier) == vkey:
        new.rename(path)
    if path.exists() and str(read_key_file(path).verifier) != vkey:
        raise CustodyError(f"{path} is not the key of this log ({vkey}); restore the right one from its backup")
    return vkey


def _proposed(path: Path) -> Path:
    return path.with_name(path.name + ".new")
