"""`[oidc]`: where staff sign in elsewhere (OpenID Connect), and what its claims make of them here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gateway.errors import UsageError
from gateway.settings.kinds import Line, Section

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
SECRET_MAX_BYTES = 4096

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
OidcRole = Literal["it", "auditor", "host"]


def is_safe_url(text: str) -> bool:
    """Whether secrets may be sent there: HTTPS, or plain HTTP that does not leave this machine. Without a fragment."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    plain = not parts.fragment and not parts.username and text.isascii() and text.isprintable() and " " not in text
    return bool(host) and plain and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS))


def _issuer(text: str) -> str:
    if text and (not is_safe_url(text) or urlsplit(text).query):
        raise ValueError(
            "write the issuer exactly as the provider does, beginning with https://, as in"
            " https://login.microsoftonline.com/TENANT/v2.0"
        )
    return text


class Oidc(Section):
    """Signing in to the console at an OpenID provider (authorization code with PKCE); off while `issuer` is empty.

    `name` stands on the button. `roles` says which values of the claim `roles_claim` make somebody IT, an auditor or a
    host, whose unit the claim `unit_claim` has to name; whoever has none of them gets in only where an account was
    linked to their `sub` by hand (`staff link`). `acr_values` are asked of the provider, and the ID token has to name
    one of them: for providers that tell how strongly a person was authenticated. `ca_file` (PEM) is for a provider with
    a certificate of an internal CA.
    """

    name: Line = ""
    issuer: Annotated[str, AfterValidator(_issuer)] = ""
    client_id: Line = ""
    client_secret_file: Path | None = None
    scopes: tuple[Line, ...] = ("openid", "profile", "email")
    roles_claim: Line = "roles"
    roles: dict[Line, OidcRole] = Field(default_factory=dict)
    unit_claim: Line = "department"
    username_claim: Line = "preferred_username"
    acr_values: tuple[Line, ...] = ()
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "PS256", "ES256", "EdDSA")
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _check_whole(self) -> Oidc:
        if self.issuer and not self.client_id:
            raise ValueError("client_id is missing; it stands where the console is registered with the provider")
        if "openid" not in self.scopes:
            raise ValueError("scopes lack openid, without which no provider says who somebody is")
        return self

    @property
    def enabled(self) -> bool:
        """Whether staff can sign in there."""
        return bool(self.issuer)

    @property
    def label(self) -> str:
        """What the button calls it."""
        return self.name or (urlsplit(self.issuer).hostname or "")

    @property
    def client_secret(self) -> str:
        """What the console proves itself by to the provider; "" for a public client. Raises: UsageError."""
        path = self.client_secret_file
        if path is None:
            return ""
        try:
            with path.open("rb") as file:
                secret = file.read(SECRET_MAX_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"oidc.client_secret_file can't be read: {error}; correct the path or its mode") from error
        if not secret:
            raise UsageError(f"oidc.client_secret_file {path} is empty; write the secret into it")
        return secret
