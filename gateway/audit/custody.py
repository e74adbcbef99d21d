"""Custody of the log's key: made once, before anything is signed, and replaced only with its own signature.

The database names the log's public key. A second machine on the same database has no private key and does not seal; a
key without its database, or a database with another key, is refused, since either would begin a second history.

To replace the key: the new one is written beside it (`.next`), the old one's note for it into `.rotations`, then one
transaction names the new key and stages the leaf, then the new key takes the old one's place, which is destroyed by
that. Whatever is cut off after the transaction is finished by the next who opens the key; before it, nothing happened.
All of it is done by one process at a time, under `exclusively`, which is taken before any transaction that writes.
`.rotations` outlives a database that is restored from before a replacement: the chain leads from its key to the file's.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from gateway import durable
from gateway.audit.errors import AuditError, NoteError
from gateway.audit.keyfile import create_key_file, read_key_file
from gateway.audit.note import VerifierKey, parse_verifier
from gateway.audit.record import record
from gateway.audit.rotation import chain_to, encode_rotations, parse_rotations, sign_rotation
from gateway.storage import leaves, places
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place


class CustodyError(AuditError):
    """The key and the database don't belong together."""


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Alone with the key at `path` among this machine's processes, for as long as it takes. Not twice in one thread.

    The lock is on the key's folder: a file made for it would be closed to whichever user did not make it.
    """
    if not path.parent.is_dir():  # no key either
        yield
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def propose_key(session: Session, place: Place, path: Path) -> None:
    """In the transaction that sets up the owner: make the key beside `path`, and name it in the database.

    `adopt_key` puts it in place once that transaction has committed. Does nothing when the log has a key. Call it, as
    the others here, under `exclusively`.
    Raises: CustodyError when a key stands at `path` though the database knows no log.
    """
    if places.log_key(session, place.owner_id) is not None:
        return
    check_key(None, place.log_origin, path)
    new = _beside(path, ".new")
    new.unlink(missing_ok=True)  # of a first start that did not come through; it never signed anything
    places.set_log_key(session, place.owner_id, str(create_key_file(new, place.log_origin).verifier))


def check_key(vkey: str | None, origin: str, path: Path) -> None:
    """Whether the key at `path` can be that of the log `origin`, whose public key is `vkey` (None: it has none yet).

    No key there is right, too: another machine seals, or it is made. Changes nothing.
    Raises: CustodyError saying what to do; AuditError when a file is damaged.
    """
    if not path.exists():
        return
    if vkey is None:
        raise CustodyError(
            f"{path} is the key of a log that this database does not hold: restore that database, or, to begin a new"
            " log, move the key away and choose another owner.log_origin"
        )
    held, following = read_key_file(path).verifier, _beside(path, ".next")
    if str(held) == vkey or (following.exists() and str(read_key_file(following).verifier) == vkey):
        return
    if not chain_to(_kept_rotations(path), origin, parse_verifier(vkey), held):
        raise _another_key(path, vkey)


def _another_key(path: Path, vkey: str) -> CustodyError:
    return CustodyError(f"{path} is not the key of this log ({vkey}); restore the right one from its backup")


def adopt_key(session: Session, place: Place, path: Path) -> str:
    """Put a proposed key in place and return the log's public key (vkey). Call it under `exclusively`.

    Raises: CustodyError when the key at `path` is not the log's; AuditError when it is damaged.
    """
    vkey = places.log_key(session, place.owner_id)
    if vkey is None:
        raise CustodyError("the log has no key; run: gjestenett db upgrade")
    first, following = _beside(path, ".new"), _beside(path, ".next")
    if not path.exists() and first.exists() and str(read_key_file(first).verifier) == vkey:
        first.rename(path)
    if path.exists() and str(read_key_file(path).verifier) != vkey:
        if not following.exists() or str(read_key_file(following).verifier) != vkey:
            raise _another_key(path, vkey)
        os.replace(following, path)
        durable.sync_folder(path.parent)
    return vkey


def public_keys(session: Session, place: Place) -> str:
    """Every public key that the log has had, oldest first, one a line: the content of `log.vkey`."""
    present = places.log_key(session, place.owner_id)
    return "".join(f"{vkey}\n" for vkey in (*leaves.earlier_keys(session, place.owner_id), present))


def rotate_key(database: Database, place: Place, path: Path, *, by: str, reason: str, now: datetime) -> VerifierKey:
    """Replace the log's key by a new one, signed by the old one, with a leaf. Returns the new public key.

    Only for the holder of the key, on the machine that seals. Raises: CustodyError, AuditError, OSError,
    StorageUnavailableError.
    """
    if not path.exists():
        raise CustodyError(f"{path} is missing: the key is replaced on the machine that holds it")
    with exclusively(path):
        with database.read() as session:
            adopt_key(session, place, path)
        old, following = read_key_file(path), _beside(path, ".next")
        following.unlink(missing_ok=True)  # of a replacement that was cut off before the database knew of it
        new = create_key_file(following, place.log_origin).verifier
        note = sign_rotation(old, new)
        durable.replace(_beside(path, ".rotations"), encode_rotations([*_kept_rotations(path), note]))
        with database.write() as session:
            leaves.lock_head(session, place.owner_id)
            _record(session, place, old.verifier, new, note, by=by, reason=reason, now=now)
        with database.read() as session:
            adopt_key(session, place, path)
        return new


def reinstate_key(session: Session, place: Place, path: Path, now: datetime) -> bool:
    """After a restore from before a replacement of the key: record the replacements again that the database has lost.

    Returns whether there were any. In a transaction that writes, under `exclusively`. Raises: AuditError when a file is
    damaged.
    """
    vkey = places.log_key(session, place.owner_id)
    if vkey is None or not path.exists():
        return False
    held = read_key_file(path).verifier
    steps = chain_to(_kept_rotations(path), place.log_origin, parse_verifier(vkey), held)
    if not steps:
        return False
    leaves.lock_head(session, place.owner_id)
    for old, new, note in steps:
        _record(session, place, old, new, note, by="gjestenett", reason="restored database", now=now)
    return True


def _record(
    session: Session,
    place: Place,
    old: VerifierKey,
    new: VerifierKey,
    note: bytes,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    if not places.replace_log_key(session, place.owner_id, str(old), str(new)):
        raise CustodyError("the log's key was replaced by somebody else just now; look with: gjestenett audit keys")
    text = note.decode()
    leaves.add_rotation(session, place.owner_id, old_vkey=str(old), new_vkey=str(new), note=text, now=now)
    fields = {"old_vkey": str(old), "new_vkey": str(new), "note": text}
    record(session, place, "key_rotated", fields, {"by": by, "reason": reason}, now)


def _kept_rotations(path: Path) -> tuple[bytes, ...]:
    kept = _beside(path, ".rotations")
    try:
        return parse_rotations(kept.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, NoteError) as error:
        raise CustodyError(f"{kept} can't be used ({error}); restore it from its backup") from error


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
