"""An authenticator in software, with the browser round it: it answers as told to, also as none may."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

UP, UV, BE, AT = 0x01, 0x04, 0x08, 0x40


class SoftKey:
    """One discoverable ES256 credential. `count` is what its next signature says; None: it counts nothing."""

    def __init__(self, *, counts: bool = True, backup_eligible: bool = False) -> None:
        self.credential_id = secrets.token_bytes(32)
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.count = 1 if counts else None
        self.flags = BE if backup_eligible else 0
        self.handle = b""

    def create(self, options: str, origin: str, *, uv: bool = True, rp_id: str = "", **said: Any) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        asked = json.loads(options)
        self.handle = base64url_to_bytes(asked["user"]["id"])
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        data = self._data(rp_id or asked["rp"]["id"], AT | (UV if uv else 0), 0) + attested
        client = _client("webauthn.create", asked["challenge"], origin, said)
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=client, attestationObject=made, transports=["usb", "internal", "else"])

    def get(self, options: str, origin: str, *, uv: bool = True, rp_id: str = "", **said: Any) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        asked = json.loads(options)
        data = self._data(rp_id or asked["rpId"], UV if uv else 0, self.count or 0)
        if self.count is not None:
            self.count += 1
        client = _client("webauthn.get", asked["challenge"], origin, said)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.handle or None
        )

    def _data(self, rp_id: str, flags: int, count: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([UP | self.flags | flags]) + count.to_bytes(4, "big")

    def _answer(self, **response: Any) -> str:
        name = bytes_to_base64url(self.credential_id)
        said = {
            key: bytes_to_base64url(value) if isinstance(value, bytes) else value for key, value in response.items()
        }
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": said})


def _client(kind: str, challenge: str, origin: str, said: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False} | said).encode()
