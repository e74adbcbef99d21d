"""The console's certificate from elsewhere: a request to an internal CA, and taking in what comes back (PEM or PFX).

The key of a request is made here and never leaves the machine; it waits beside the key in use until its certificate
comes. What is taken in is checked whole before anything is replaced; a start finishes an import that was cut off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import NameOID

from captive_portal.auth.certificate import certificate_names, replace_file, same_key, tls_paths
from gateway.certificates import name_problem, time_problem
from gateway.errors import UsageError
from gateway.settings import Console

MAX_FILE_BYTES = 1024 * 1024
MIN_RSA_BITS = 2048
PEM_MARK = b"-----BEGIN "
_KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----\r?\n?", re.DOTALL)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Taken:
    """What an import has put in place: the fingerprint as browsers show it, and what a browser may dislike."""

    sha256: str
    ends_at: datetime
    warnings: Sequence[str]


def make_request(state: Path, console: Console, organisation: str, *, fresh: bool = False) -> bytes:
    """A request for a certificate with every name of the console (PKCS #10, PEM).

    The same key each time until its certificate has been taken in, unless `fresh`. Raises: UsageError.
    """
    path = request_key_path(state)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if fresh or not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            replace_file(path, _pem_of(key), 0o600)
        else:
            key = _ec_key(path)
    except OSError as error:
        raise UsageError(f"{path} can't be read or made: {error}; run this as the console's user or as root") from error
    names = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64] or "Kommunen"),
        x509.NameAttribute(NameOID.COMMON_NAME, console.hostname[:64]),
    ]
    wanted = [name for name in certificate_names(console) if not _is_loopback(name)]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(names))
        .add_extension(x509.SubjectAlternativeName(wanted or certificate_names(console)), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def take_in(
    state: Path, console: Console, content: bytes, password: bytes | None, now: datetime, key_pem: bytes | None = None
) -> Taken:
    """Put the certificate in `content` in place, with those between it and its CA: PEM in any order, or PFX (PKCS #12).

    Its key is the one in the file, else `key_pem`, else the one of the request. `password` opens PFX or the key.
    Raises: UsageError when it can't be used as it is; then nothing has changed.
    """
    if len(content) > MAX_FILE_BYTES:
        raise UsageError("the file is larger than 1 MB; it is no certificate")
    certificates, key = _read_pem(content, password) if PEM_MARK in content else _read_pfx(content, password)
    if key_pem is not None:
        key = _private_key(key_pem, password)
    if key is None:
        waiting = request_key_path(state)
        if not waiting.exists():
            raise UsageError("the file holds no private key, and no request is waiting; give the key with --key")
        key = _private_key(waiting.read_bytes(), None)
    chain = _ordered(certificates, key)
    own = chain[0]
    problem = time_problem(own, now)
    if now > own.not_valid_after_utc:
        raise UsageError(f"the certificate {problem}")
    warnings = [said for said in (problem, name_problem(own, console.hostname)) if said]
    _put_in_place(state, b"".join(one.public_bytes(Encoding.PEM) for one in chain), _pem_of(key))
    return Taken(own.fingerprint(hashes.SHA256()).hex(":").upper(), own.not_valid_after_utc, warnings)


def request_key_path(state: Path) -> Path:
    """Where the key of a request waits for its certificate."""
    return tls_paths(state)[1].with_name("console-request.key")


def _put_in_place(state: Path, chain: bytes, key: bytes) -> None:
    certificate_path, key_path = tls_paths(state)
    coming = certificate_path.with_name("console-next.pem")
    try:
        certificate_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(coming, chain, 0o644)  # whole and beside: from here on a start finishes what is cut off
        replace_file(key_path, key, 0o600)
        os.replace(coming, certificate_path)
    except OSError as error:
        raise UsageError(
            f"{certificate_path.parent} can't be written to: {error}; run this as the console's user or as root"
        ) from error
    waiting = request_key_path(state)
    if waiting.exists() and same_key(_private_key(waiting.read_bytes(), None), _private_key(key, None)):
        waiting.unlink()


def _read_pem(content: bytes, password: bytes | None) -> tuple[Sequence[x509.Certificate], PrivateKey | None]:
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise UsageError("the file holds no certificate in PEM format") from error
    block = _KEY_BLOCK.search(content)
    return certificates, None if block is None else _private_key(block[0], password)


def _read_pfx(content: bytes, password: bytes | None) -> tuple[Sequence[x509.Certificate], PrivateKey | None]:
    try:
        bag = load_pkcs12(content, password)
    except (ValueError, UnsupportedAlgorithm):
        try:
            return [x509.load_der_x509_certificate(content)], None
        except ValueError:
            raise UsageError(
                "the file is neither PEM nor PFX, or its password is another; give it with --password-file"
            ) from None
    if bag.cert is None:
        raise UsageError("the PFX file holds no certificate with its key; export it with the private key")
    return [bag.cert.certificate, *(one.certificate for one in bag.additional_certs)], _usable(bag.key)


def _private_key(content: bytes, password: bytes | None) -> PrivateKey:
    read = load_pem_private_key if PEM_MARK in content else load_der_private_key
    try:
        return _usable(read(content, password if b"ENCRYPTED" in content else None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError("the private key can't be read; is its password right? --password-file") from error


def _usable(key: object) -> PrivateKey:
    """Raises: UsageError."""
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise UsageError(f"an RSA key of {key.key_size} bits is too short; browsers want {MIN_RSA_BITS} at least")
    if not isinstance(key, PrivateKey):
        raise UsageError("the private key is of a kind that browsers can't use; RSA or ECDSA P-256 are right")
    return key


def _ordered(certificates: Sequence[x509.Certificate], key: PrivateKey) -> Sequence[x509.Certificate]:
    """The key's own certificate first, then each by whom the one before was issued. Raises: UsageError."""
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    wanted = key.public_key().public_bytes(*spki)
    own = next((one for one in certificates if one.public_key().public_bytes(*spki) == wanted), None)
    if own is None:
        raise UsageError(
            "the certificate is not for this key; was another request made since? Import it with its own --key"
        )
    chain, left = [own], [one for one in certificates if one is not own]
    while (issuer := next((one for one in left if _issued(one, chain[-1])), None)) is not None:
        left.remove(issuer)
        if issuer.issuer != issuer.subject:  # a root is with the browsers, or of no use
            chain.append(issuer)
    return chain


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, Exception):
        return False
    return True


def _is_loopback(name: x509.GeneralName) -> bool:
    """What no CA should sign: every machine is localhost."""
    if isinstance(name, x509.IPAddress):
        return bool(getattr(name.value, "is_loopback", False))
    return bool(name.value == "localhost")


def _ec_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = _private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError(f"{path} is not a key that this program made; remove it, or ask with --fresh")
    return key


def _pem_of(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
