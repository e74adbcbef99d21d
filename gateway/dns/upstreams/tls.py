"""Who an encrypted upstream must be: a name in a certificate that this machine trusts, a pinned key, or both.

There is no opportunistic mode: what cannot be verified is not asked (RFC 7858 §4.2, RFC 8310 §5 "strict").
"""

from __future__ import annotations

import base64
import hashlib
import ssl

from gateway.dns.errors import DnsError, DnsSettingsError
from gateway.dns.upstreams.address import ServerAddress


class PinError(DnsError):
    """The server has none of the pinned keys."""


def client_context(address: ServerAddress, ca_file: str) -> ssl.SSLContext:
    """The context for connections to one server. `ca_file`: a PEM file of authorities trusted beside the machine's own.

    Raises: DnsSettingsError when that file cannot be used.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not address.name:  # the pin alone says who it is
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as problem:  # ssl.SSLError too
            raise DnsSettingsError(
                f"dns.upstream_ca: {ca_file} cannot be used ({problem.strerror or problem}); "
                "give a PEM file of certificates"
            ) from problem
    return context


def check_pins(address: ServerAddress, tls: ssl.SSLObject) -> None:
    """Whether the key that the server has shown is one of the pinned ones; without pins every key is.

    Raises: PinError.
    """
    if not address.pins:
        return
    shown = tls.getpeercert(binary_form=True)
    if shown is None or key_pin(shown) not in address.pins:
        raise PinError("its public key is not pinned")


def key_pin(certificate: bytes) -> str:
    """The pin of a certificate in DER: base64 of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4)."""
    # Only workers that pin need it.
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    key = load_der_x509_certificate(certificate).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode("ascii")
