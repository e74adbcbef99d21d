"""Whether a certificate and its key can serve guests, known before anything starts.

What can't be loaded is refused, as a portal that has none to show ends at once. What merely displeases a browser is a
warning: with an expired certificate a gateway still lets people in, with none it doesn't.
"""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509

from gateway.errors import UsageError

SOON = timedelta(days=14)


def check_certificate(certificate: Path, key: Path, names: str, host: str, now: datetime) -> list[str]:
    """What is to be warned of in a certificate (a PEM file, the server's own first) that is to be shown as `host`.

    `names` are the settings that name the two files. Raises: UsageError when they can't be used as they are.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except FileNotFoundError as error:
            raise UsageError(f"{path} is not there; correct {names}") from error
        except OSError as error:
            raise UsageError(f"{path} can't be read ({error.strerror}); correct {names} or its mode") from error
    own = _read(certificate, names)
    _load(certificate, key, names)
    return [f"{certificate}: {problem}" for problem in (time_problem(own, now), name_problem(own, host)) if problem]


Trouble = Literal["none", "unreadable", "expired", "not_yet", "other_name", "self_signed"]


def trouble_with(certificate: Path | None, host: str, now: datetime) -> Trouble | None:
    """Why devices would not believe a certificate shown as `host` now; None: nothing that can be seen from here.

    Whether the devices know its authority is not seen from here; only that nobody knows one that vouches for itself.
    """
    if certificate is None:
        return "none"
    try:
        own = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return "unreadable"
    if now > own.not_valid_after_utc:
        return "expired"
    if now < own.not_valid_before_utc:
        return "not_yet"
    if name_problem(own, host) is not None:
        return "other_name"
    return "self_signed" if own.issuer == own.subject else None


def ends_at(certificate: Path | None) -> datetime | None:
    """When it expires; None where there is none that can be read."""
    try:
        read = None if certificate is None else x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return None
    return None if read is None else read.not_valid_after_utc


def _read(path: Path, names: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise UsageError(f"{path} holds no certificate in PEM format; correct {names}") from error


def _load(certificate: Path, key: Path, names: str) -> None:
    """Load both as the portal will. Raises: UsageError."""
    asked: list[bool] = []

    def no_password() -> str:  # else the terminal is asked, which a service has not
        asked.append(True)
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        if asked:
            raise UsageError(
                f"{key} is locked with a password; write it without one, readable by the services"
            ) from error
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(
                f"{key} is not the key of {certificate}; correct {names}"
                " (in a file of several certificates the server's own stands first)"
            ) from error
        reason = getattr(error, "reason", None)
        said = f" ({reason.replace('_', ' ').lower()})" if reason else ""
        raise UsageError(f"{certificate} with the key {key} can't be used{said}; correct {names}") from error


def time_problem(certificate: x509.Certificate, now: datetime) -> str | None:
    """What is wrong, or soon will be, with when the certificate is valid."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > ends:
        return f"expired on {ends:%Y-%m-%d}; devices will warn of it or refuse it: renew it"
    if now < begins:
        return f"is not valid before {begins:%Y-%m-%d %H:%M} UTC; check this machine's clock"
    if ends - now < min(SOON, (ends - begins) / 3):
        return f"expires on {ends:%Y-%m-%d}; renew it"
    return None


def name_problem(certificate: x509.Certificate, host: str) -> str | None:
    """What is wrong with whom the certificate is for, when it is shown as `host`."""
    held = held_names(certificate)
    if any(_matches(name, host) for name in held):
        return None
    others = ", ".join(held) or "no name"
    return f"is not for {host} but for {others}; devices will warn of it or refuse it: get one that is"


def held_names(certificate: x509.Certificate) -> list[str]:
    """The names that count: browsers look at nothing but the subjectAltName (RFC 9110 §4.3.4)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _matches(pattern: str, host: str) -> bool:
    """Whether a name of a certificate is this host's; `*` stands for one whole first label (RFC 9525 §6.3)."""
    try:
        return ip_address(pattern) == ip_address(host)
    except ValueError:
        pass
    pattern, host = pattern.lower(), host.lower().rstrip(".")
    return pattern == host or (pattern.startswith("*.") and pattern[2:] == host.partition(".")[2])
