"""The signing key on disk: one file of mode 0600, created once, read strictly."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from gateway import durable
from gateway.audit.cosignature import CosignerKey, parse_cosigner
from gateway.audit.errors import NoteError
from gateway.audit.note import SignerKey, parse_signer


def create_key_file(path: Path, name: str) -> SignerKey:
    """Generate a key for the log `name` and write it durably with mode 0600; an existing file is never replaced.

    Raises: NoteError when the file exists or the name can't name a key; OSError when the directory can't be written.
    """
    signer = SignerKey(name, secrets.token_bytes(32))
    _create(path, signer.key_file())
    return signer


def open_cosigner(path: Path, name: str) -> CosignerKey:
    """The cosigning key at `path`, generated for the witness `name` when there is none.

    Raises: NoteError when it is damaged, readable by others, or another's; OSError when it can't be written.
    """
    if not path.exists():
        _create(path, CosignerKey(name, secrets.token_bytes(32)).key_file())
    cosigner = parse_cosigner(_read(path))
    if cosigner.name != name:
        raise NoteError(f"{path} is the key of {cosigner.name}, not of {name}; set audit.witness_name to the former")
    return cosigner


def _create(path: Path, content: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NoteError(f"{path} exists; a signing key is never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    durable.sync_folder(path.parent)


def read_key_file(path: Path) -> SignerKey:
    """Read the signing key. Raises: NoteError when it is missing, damaged, or readable by others than its owner."""
    return parse_signer(_read(path))


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise NoteError(f"{path} has mode {mode:04o}; others can read the signing key: chmod 600 {path}")
            return file.read(4096)
    except FileNotFoundError:
        raise NoteError(f"{path} is missing; restore the signing key from its backup or create a new one") from None
    except UnicodeDecodeError:
        raise NoteError(f"{path} is not a signing key") from None
