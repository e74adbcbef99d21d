"""A service that takes checkpoints by HTTPS POST, as JSON: `origin`, `size`, `checkpoint`, `erasure_list`."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import httpx

from gateway.audit.targets.seam import TIMEOUT_S, Delivered, Package, TargetError, client_tls, read_secret


class HttpsTarget:
    """The service at `url`. Any 2xx is its yes; redirects are not followed, for they would get the token."""

    kind = "https"

    def __init__(self, name: str, url: str, token_file: Path | None, ca_file: Path | None) -> None:
        self.name = name
        self._url, self._token_file, self._ca_file = url, token_file, ca_file

    def send(self, package: Package, now: datetime) -> Delivered:
        """As `Target.send`."""
        document = {
            "origin": package.checkpoint.origin,
            "size": package.checkpoint.size,
            "checkpoint": package.note.decode(),
            "erasure_list": package.erasures.decode(),
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": package.name}
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {read_secret(self._token_file, 'token_file')}"
        body = json.dumps(document, ensure_ascii=False).encode()
        status, _ = post(self._url, body, headers, self._ca_file)
        if not 200 <= status < 300:
            raise TargetError(f"{self._url} answered {status}")
        return Delivered()


def post(url: str, body: bytes, headers: dict[str, str], ca_file: Path | None) -> tuple[int, bytes]:
    """Status and the first 64 KB of the answer to a POST. Raises: TargetError when there is none."""
    try:
        with (
            httpx.Client(verify=client_tls(ca_file), timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            found, deadline = bytearray(), time.monotonic() + TIMEOUT_S
            for piece in response.iter_raw():
                found += piece
                if len(found) > 64 * 1024 or time.monotonic() > deadline:
                    break
            return response.status_code, bytes(found)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise TargetError(f"{url} can't be reached: {error or type(error).__name__}") from error
