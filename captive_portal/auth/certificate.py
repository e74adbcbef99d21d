"""The console's own certificate: self-signed ECDSA P-256, made at first start, known by its printed fingerprint."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.certificates import held_names
from gateway.errors import UsageError
from gateway.settings import Console

ORGANISATION = "gjestenett console"
VALIDITY = timedelta(days=825)  # what browsers accept at most
RENEW_BEFORE = timedelta(days=30)
CLOCK_SLACK = timedelta(days=1)  # a management PC's clock may be behind ours
LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


class _WithPublicKey(Protocol):
    def public_key(self) -> Any: ...


@dataclass(frozen=True)
class ConsoleCertificate:
    """Where the certificate and its key are; `sha256` is its fingerprint as browsers show it: `AB:CD:…`."""

    certificate: Path
    key: Path
    sha256: str
    ends_at: datetime


@dataclass(frozen=True)
class Description:
    """What can be said of the certificate. `issuer` is the CA's common name."""

    path: Path
    issuer: str
    is_ours: bool
    names: tuple[str, ...]
    sha256: str
    ends_at: datetime


def ensure_certificate(state: Path, console: Console, now: datetime) -> ConsoleCertificate:
    """The console's certificate in `state/tls`, made where there is none, or where ours runs out or lacks a name.

    A certificate that somebody else put there is left alone.
    Raises: UsageError when what is there can't be read or the two files don't belong together.
    """
    certificate_path, key_path = tls_paths(state)
    folder = certificate_path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _finish_import(certificate_path, key_path)
        found = _read(certificate_path, key_path)
        if found is None or (_is_ours(found) and _is_outdated(found, console, now)):
            key = ec.generate_private_key(ec.SECP256R1())
            found = _make(key, console, now)
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            replace_file(key_path, pem, 0o600)
            replace_file(certificate_path, found.public_bytes(Encoding.PEM), 0o644)
    except OSError as error:
        raise _unusable(folder, error) from error
    return ConsoleCertificate(
        certificate_path, key_path, found.fingerprint(hashes.SHA256()).hex(":").upper(), found.not_valid_after_utc
    )


def foreign_certificate(state: Path) -> tuple[Path, Path] | None:
    """The certificate and key in `state/tls` that somebody else put there; None where there is none, or ours.

    Raises: UsageError as `ensure_certificate`.
    """
    certificate_path, key_path = tls_paths(state)
    try:
        found = _read(certificate_path, key_path)
    except OSError as error:
        raise _unusable(certificate_path.parent, error) from error
    return None if found is None or _is_ours(found) else (certificate_path, key_path)


def describe(state: Path) -> Description:
    """What is served, or will be. Raises: UsageError, also when there is none yet."""
    certificate_path, key_path = tls_paths(state)
    try:
        found = _read(certificate_path, key_path)
    except OSError as error:
        raise _unusable(certificate_path.parent, error) from error
    if found is None:
        raise UsageError(f"there is no certificate in {certificate_path.parent} yet; the console makes one at start")
    issuers = found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Description(
        certificate_path,
        str(issuers[0].value) if issuers else found.issuer.rfc4514_string(),
        _is_ours(found),
        tuple(held_names(found)),
        found.fingerprint(hashes.SHA256()).hex(":").upper(),
        found.not_valid_after_utc,
    )


def tls_paths(state: Path) -> tuple[Path, Path]:
    """Where the certificate and its key are kept."""
    return state / "tls" / "console.pem", state / "tls" / "console.key"


def _unusable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the console's certificate in {folder} can't be used: {error}; correct its mode")


def _read(certificate_path: Path, key_path: Path) -> x509.Certificate | None:
    """What stands there; None when nothing does, or when a start was cut off between the two files."""
    if not key_path.exists():
        if certificate_path.exists():
            raise UsageError(f"{certificate_path} has no {key_path.name} beside it; add the key, or remove it")
        return None
    if not certificate_path.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{certificate_path} or its key is damaged; remove both to have new ones made") from error
    if same_key(key, certificate):
        return certificate
    if _is_ours(certificate):
        return None  # a renewal was cut off between the two files
    raise UsageError(f"{key_path} is not the key of {certificate_path}; put the right one there, or remove both")


def same_key(one: _WithPublicKey, other: _WithPublicKey) -> bool:
    """Whether two keys, or a key and a certificate, are a pair."""
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bool(one.public_key().public_bytes(*spki) == other.public_key().public_bytes(*spki))


def _finish_import(certificate_path: Path, key_path: Path) -> None:
    """Finish an import that was cut off after its key was put in place; one that was cut off before is forgotten."""
    coming = certificate_path.with_name("console-next.pem")
    if not coming.exists():
        return
    try:
        certificate = x509.load_pem_x509_certificate(coming.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError, FileNotFoundError):
        coming.unlink()
        return
    if same_key(key, certificate):
        coming.replace(certificate_path)
    else:
        coming.unlink()


def _is_ours(certificate: x509.Certificate) -> bool:
    names = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return certificate.issuer == certificate.subject and [name.value for name in names] == [ORGANISATION]


def _is_outdated(certificate: x509.Certificate, console: Console, now: datetime) -> bool:
    if certificate.not_valid_after_utc - now < RENEW_BEFORE or certificate.not_valid_before_utc > now:
        return True
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(held) != set(certificate_names(console))


def certificate_names(console: Console) -> list[x509.GeneralName]:
    """Every name by which a browser may reach the console."""
    hosts: list[str] = [console.hostname, "localhost", *map(str, LOOPBACK)]
    if console.host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        hosts.append(console.host)
    return [_name(host) for host in _distinct(hosts)]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _distinct(hosts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(host.lower() for host in hosts if host))


def _make(key: ec.EllipticCurvePrivateKey, console: Console, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, console.hostname[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, crl_sign=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now - CLOCK_SLACK + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(certificate_names(console)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole, by rename, never readable by more than `mode` says, not even for a moment."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        if os.geteuid() == 0:  # for the service, whose folder it is
            folder = path.parent.stat()
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
