"""Talking to the OpenID provider: its metadata, where to send the browser, a code for an ID token, and its signature.

The messages are Authlib's, over httpx; signatures are joserfc's. Nothing is asked before somebody wants to sign in, and
redirects are not followed: a provider answers where its metadata says.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from captive_portal.auth.oidc_attempt import Attempt
from captive_portal.auth.oidc_trust import provider_context
from gateway.errors import GatewayError
from gateway.settings.oidc import Oidc, is_safe_url

TIMEOUT_S = 8.0
METADATA_LIFE_S = 3600.0
KEYS_AGAIN_S = 30.0  # a key that we don't know may be new, but not more often than this
MAX_ANSWER_BYTES = 1024 * 1024
MAX_TOKEN_CHARS = 64 * 1024
AT_ONCE = 3  # of the console's threads; a provider that hangs must not take the others

OidcProblem = Literal["unreachable", "metadata", "code", "no_token", "signature"]


class OidcError(GatewayError):
    """The provider did not answer as it should; `problem` says in what, the message what to look at."""

    def __init__(self, problem: OidcProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


@dataclass(frozen=True)
class Metadata:
    """What we use of the provider's metadata (OpenID Connect Discovery §3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    names_itself: bool
    """Whether its responses carry `iss` (RFC 9207 §3)."""
    secret_in_header: bool
    """Whether the console proves itself by HTTP Basic; in the form, of which all have one idea, where that will do."""


class Provider:
    """The provider of the settings, for the console whose `redirect_uri` this is. Safe to share between threads.

    Raises: UsageError when the secret or the CA's certificates can't be read.
    """

    def __init__(self, chosen: Oidc, redirect_uri: str) -> None:
        self._chosen = chosen
        self._redirect_uri = redirect_uri
        self._secret = chosen.client_secret
        self._tls = provider_context(chosen)
        self._lock = Lock()
        self._seats = BoundedSemaphore(AT_ONCE)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def authorization_url(self, attempt: Attempt) -> str:
        """Where the browser goes to sign in. Raises: OidcError."""
        extra = {"acr_values": " ".join(self._chosen.acr_values)} if self._chosen.acr_values else {}
        uri: str = prepare_grant_uri(
            self.metadata().authorization_endpoint,
            client_id=self._chosen.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=list(self._chosen.scopes),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            **extra,
        )
        return uri

    def is_issuer(self, said: str | None) -> bool:
        """Whether a response with this `iss`, or with none, is the provider's (RFC 9207 §2.4). Raises: OidcError."""
        return said == self._chosen.issuer if said is not None else not self.metadata().names_itself

    def claims_for(self, attempt: Attempt, code: str) -> Mapping[str, Any]:
        """Redeem the code; the claims of the ID token, whose signature is right and which are to be checked yet.

        Raises: OidcError.
        """
        metadata = self.metadata()
        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=self._redirect_uri, code_verifier=attempt.verifier
        )
        name, secret, method = self._chosen.client_id, self._secret, "client_secret_post" if self._secret else "none"
        if secret and metadata.secret_in_header:
            name, secret, method = quote_plus(name), quote_plus(secret), "client_secret_basic"  # RFC 6749 §2.3.1
        uri, headers, body = ClientAuth(name, secret, auth_method=method).prepare(
            "POST",
            metadata.token_endpoint,
            {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            body,
        )
        status, answer = self._ask("POST", uri, headers, body)
        if status != httpx.codes.OK:
            raise OidcError("code", f"the provider did not take the code ({_error_of(answer, status)})")
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS:
            raise OidcError("no_token", "the provider gave no ID token; is `openid` among the scopes it allows?")
        return self._signed_claims(token)

    def end_session_url(self, back: str) -> str:
        """Where the browser signs out of the provider too; "" where it has no such page. Never asks the provider.

        `back` is where it may come back to afterwards (OpenID Connect RP-Initiated Logout §2).
        """
        kept = self._metadata
        if kept is None or not kept[1].end_session_endpoint:
            return ""
        asked = urlencode({"client_id": self._chosen.client_id, "post_logout_redirect_uri": back})
        mark = "&" if "?" in kept[1].end_session_endpoint else "?"
        return f"{kept[1].end_session_endpoint}{mark}{asked}"

    def metadata(self) -> Metadata:
        """The provider's metadata, at most an hour old. Raises: OidcError."""
        kept, at_s = self._metadata, time.monotonic()
        if kept is not None and at_s - kept[0] < METADATA_LIFE_S:
            return kept[1]
        uri = f"{self._chosen.issuer.rstrip('/')}/.well-known/openid-configuration"
        status, answer = self._ask("GET", uri, {"Accept": "application/json"}, "")
        if status != httpx.codes.OK:
            raise OidcError("metadata", f"{uri} answers {status}; is oidc.issuer right?")
        found = _metadata(answer, self._chosen.issuer)
        with self._lock:
            self._metadata = (at_s, found)
        return found

    def _signed_claims(self, token: str) -> Mapping[str, Any]:
        """Raises: OidcError."""
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError) as error:
            raise OidcError("signature", "the ID token can't be read") from error
        if header.get("alg") not in self._chosen.algorithms:
            raise OidcError("signature", "the ID token is signed by an algorithm that oidc.algorithms does not name")
        problem: Exception | None = None
        for again in (False, True):
            keys = self._key_set(again)
            fitting = [key for key in keys.keys if "kid" not in header or key.kid == header["kid"]]
            for key in fitting:
                try:
                    claims = jwt.decode(token, key, algorithms=list(self._chosen.algorithms)).claims
                except (JoseError, ValueError, TypeError) as error:
                    problem = error
                else:
                    return claims
            if fitting and "kid" in header:
                break
        raise OidcError("signature", "the ID token is not signed by a key of the provider") from problem

    def _key_set(self, again: bool) -> KeySet:
        kept, at_s = self._keys, time.monotonic()
        if kept is not None and at_s - kept[0] < (KEYS_AGAIN_S if again else METADATA_LIFE_S):
            return kept[1]
        status, answer = self._ask("GET", self.metadata().jwks_uri, {"Accept": "application/json"}, "")
        listed = answer.get("keys")
        if status != httpx.codes.OK or not isinstance(listed, list):
            raise OidcError("metadata", f"the provider's keys can't be had (status {status})")
        keys = []
        for item in listed[:100]:
            try:
                if item.get("kty") in ("RSA", "EC", "OKP") and item.get("use", "sig") == "sig":
                    keys += KeySet.import_key_set({"keys": [item]}).keys
            except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                continue  # a kind of key that we don't know is one that we don't use
        found = KeySet(keys)
        with self._lock:
            self._keys = (at_s, found)
        return found

    def _ask(self, method: str, uri: str, headers: Mapping[str, str], body: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of an answer; an answer that is none has no members. Raises: OidcError."""
        if not self._seats.acquire(timeout=TIMEOUT_S):
            raise OidcError("unreachable", "too many are signing in at once, and the provider is slow")
        try:
            with (
                httpx.Client(verify=self._tls, timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, uri, headers=dict(headers), content=body.encode() or None) as response,
            ):
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise OidcError("metadata", f"{uri} answers with more than {MAX_ANSWER_BYTES} bytes")
                answer = httpx.Response(response.status_code, content=bytes(content))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise OidcError("unreachable", f"the provider can't be reached: {error}") from error
        finally:
            self._seats.release()
        try:
            found = answer.json()
        except ValueError:
            found = {}
        return answer.status_code, found if isinstance(found, dict) else {}


def _metadata(answer: Mapping[str, Any], issuer: str) -> Metadata:
    """Raises: OidcError."""
    if answer.get("issuer") != issuer:  # Discovery §4.3: else another could speak for it
        raise OidcError("metadata", f"the provider calls itself {answer.get('issuer')!r}, not {issuer!r}: oidc.issuer")
    ends = {name: answer.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    for name, uri in ends.items():
        if not isinstance(uri, str) or not is_safe_url(uri):
            raise OidcError("metadata", f"the provider's {name} is no https address")
    leaving = answer.get("end_session_endpoint")
    methods = answer.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        **{name: str(uri) for name, uri in ends.items()},
        end_session_endpoint=leaving if isinstance(leaving, str) and is_safe_url(leaving) else "",
        names_itself=answer.get("authorization_response_iss_parameter_supported") is True,
        secret_in_header="client_secret_post" not in methods,
    )


def _error_of(answer: Mapping[str, Any], status: int) -> str:
    said = answer.get("error")
    return said[:100] if isinstance(said, str) and said.isprintable() else f"status {status}"
