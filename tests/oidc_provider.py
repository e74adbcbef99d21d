"""A small OpenID provider, a process of its own: it refuses what a provider has to refuse, and misbehaves on order.

`python -m tests.oidc_provider [REDIRECT]` prints its issuer and serves until its standard input ends. Whoever
comes is signed in at once as the person that `POST /control` has set; the same says how its next answers are wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "gjestenett-console", "a-secret~of.the_tests:&+%=/"
REDIRECT = sys.argv[1] if __name__ == "__main__" and sys.argv[1:] else "https://localhost:8081/sign-in/oidc/done"


@dataclass
class State:
    """What the provider knows; `control` holds what a test has ordered."""

    issuer: str = ""
    control: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = {
            "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
            "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
            "wrong": RSAKey.generate_key(2048, {"kid": "rsa"}),
        }


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """The endpoints."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        STATE.asked.append(parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, self._metadata())
        elif parts.path == "/jwks":
            public = [STATE.keys[name].as_dict(private=False) for name in ("RS256", "ES256")]
            self._json(200, {"keys": [{"kty": "strange"}, *public]})
        elif parts.path == "/authorize":
            self._authorize(query)
        elif parts.path == "/asked":
            self._json(200, {"paths": STATE.asked})
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = urlsplit(self.path).path
        STATE.asked.append(path)
        if path == "/control":
            STATE.control = json.loads(body)
            self._json(200, {})
        elif path == "/token":
            self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        else:
            self._json(404, {})

    def _metadata(self) -> dict[str, Any]:
        there = STATE.issuer
        return {
            "issuer": there,
            "authorization_endpoint": f"{there}/authorize",
            "token_endpoint": f"{there}/token",
            "jwks_uri": f"{there}/jwks",
            "end_session_endpoint": f"{there}/end",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": STATE.control.get("auth", ["client_secret_basic"]),
            "authorization_response_iss_parameter_supported": True,
        } | STATE.control.get("metadata", {})

    def _authorize(self, query: dict[str, str]) -> None:
        wrong = (
            query.get("client_id") != CLIENT
            or query.get("redirect_uri") != REDIRECT
            or query.get("response_type") != "code"
            or "openid" not in query.get("scope", "").split()
            or query.get("code_challenge_method") != "S256"
            or len(query.get("code_challenge", "")) != 43
        )
        if wrong:
            self._json(400, {"error": "invalid_request"})
            return
        code = secrets.token_urlsafe(24)
        STATE.codes[code] = {"challenge": query["code_challenge"], "nonce": query.get("nonce", "")}
        said: dict[str, str] = {"code": code, "state": query.get("state", ""), "iss": STATE.issuer}
        said |= STATE.control.get("response", {})
        self.send_response(302)
        self.send_header("Location", f"{REDIRECT}?{urlencode({k: v for k, v in said.items() if v is not None})}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        if not self._client_is_right(form):
            self._json(401, {"error": "invalid_client"})
            return
        known = STATE.codes.pop(form.get("code", ""), None)  # each code once
        verifier = form.get("code_verifier", "").encode()
        challenge = _b64(hashlib.sha256(verifier).digest())
        if known is None or challenge != known["challenge"] or form.get("redirect_uri") != REDIRECT:
            self._json(400, {"error": "invalid_grant"})
            return
        self._json(200, {"access_token": "x", "token_type": "Bearer", "id_token": self._id_token(known["nonce"])})

    def _client_is_right(self, form: dict[str, str]) -> bool:
        if "client_secret_post" in STATE.control.get("auth", []):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        scheme, _, given = self.headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        return scheme == "Basic" and (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)  # RFC 6749 §2.3.1

    def _id_token(self, nonce: str) -> str:
        control = STATE.control
        now = int(control.get("now", time.time()))
        claims = {"iss": STATE.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= control.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        how = control.get("sign", "RS256")
        if how == "none":
            return f"{_unsigned('none', claims)}."
        if how == "HS256":  # with the public key as the secret, as in the attack
            said = _unsigned("HS256", claims)
            return f"{said}.{_b64(hmac.digest(STATE.keys['RS256'].as_pem(private=False), said.encode(), 'sha256'))}"
        key = STATE.keys[how]
        alg = "ES256" if how == "ES256" else "RS256"
        header = {"alg": alg} if control.get("no_kid") else {"alg": alg, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[alg])

    def _json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _unsigned(alg: str, claims: dict[str, Any]) -> str:
    return ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": alg, "kid": "rsa"}, claims))


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def main() -> None:
    """Serve on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    STATE.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(STATE.issuer, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
