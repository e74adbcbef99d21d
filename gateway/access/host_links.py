"""The link that a host gets by mail: it names the request and is signed, so that the database holds no secret. Pure."""

from __future__ import annotations

import base64
import hmac

MAX_CHARS = 120


def sign(key: bytes, request_id: str) -> str:
    """The token of a request, in URL-safe characters."""
    return f"{request_id}.{_signature(key, request_id)}"


def read(key: bytes, token: str) -> str | None:
    """The request that a token names; None for one that we did not make."""
    request_id, _, signature = token.partition(".")
    if len(token) > MAX_CHARS or not request_id.isascii() or not request_id.isalnum():
        return None
    good = hmac.compare_digest(_signature(key, request_id).encode(), signature.encode("utf-8", "surrogatepass"))
    return request_id if good else None


def _signature(key: bytes, request_id: str) -> str:
    digest = hmac.digest(key, f"gjestenett host link v1\0{request_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
