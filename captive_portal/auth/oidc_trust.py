"""Which certificates an OpenID provider may show: by the machine's own CAs, or by those of `oidc.ca_file`."""

from __future__ import annotations

import ssl

from gateway.errors import UsageError
from gateway.settings.oidc import Oidc


def provider_context(chosen: Oidc) -> ssl.SSLContext:
    """How the provider is talked to over TLS. Raises: UsageError."""
    try:
        return ssl.create_default_context(cafile=None if chosen.ca_file is None else str(chosen.ca_file))
    except OSError as error:  # SSLError is an OSError
        raise UsageError(
            f"oidc.ca_file {chosen.ca_file} can't be used: {error}; it holds certificates in PEM format"
        ) from error
