"""Another installation, or any witness of c2sp.org/tlog-witness: it cosigns when our log has only grown since it last
did.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gateway.audit import note
from gateway.audit.cosignature import Cosigned, WitnessKey, cosignatures
from gateway.audit.errors import NoteError, ProofError
from gateway.audit.targets.https import post
from gateway.audit.targets.seam import Delivered, Package, TargetError
from gateway.audit.witness_text import PATH, AddCheckpoint, parse_answer, parse_size

_SAID = {
    403: "it does not know the key that signed our checkpoint: give its operator the new line of log.vkey",
    404: "it does not witness our log: its operator has to add our origin and key",
    422: "it finds that our log was rewritten since it last cosigned",
}


class WitnessTarget:
    """The witness at `url` with the public key `key`."""

    kind = "witness"

    def __init__(self, name: str, url: str, key: WitnessKey, ca_file: Path | None) -> None:
        self.name = name
        self._url, self._key, self._ca_file = url.rstrip("/") + PATH, key, ca_file

    def send(self, package: Package, now: datetime) -> Delivered:
        """As `Target.send`. A witness that stands elsewhere than we think is asked once more from where it stands."""
        old = min(package.cosigned_size, package.checkpoint.size)
        status, body = self._ask(package, old)
        if status == 409:
            standing = self._standing(body)
            if standing > package.checkpoint.size:
                raise TargetError(
                    f"it has cosigned {standing} entries, and this log has {package.checkpoint.size}: the database was"
                    " restored from a backup, or somebody else signs with our key"
                )  # its word alone: nothing that we signed, so it stops no sealing
            if standing != old:
                status, body = self._ask(package, standing)
            if status == 409:  # from where it stands itself
                raise TargetError(f"it has cosigned another history of {standing} entries: our log was rewritten")
        if status != 200:
            raise TargetError(_SAID.get(status, f"{self._url} answered {status}"))
        return Delivered(cosigned=self._cosigned(package, body))

    def _ask(self, package: Package, old: int) -> tuple[int, bytes]:
        try:
            request = AddCheckpoint(old, package.proof(old), package.note).encode()
        except (ProofError, NoteError) as error:
            raise TargetError(str(error)) from error
        return post(self._url, request, {"Content-Type": "text/plain; charset=utf-8"}, self._ca_file)

    def _standing(self, body: bytes) -> int:
        try:
            return parse_size(body)
        except NoteError as error:
            raise TargetError(f"{self._url}: {error}") from error

    def _cosigned(self, package: Package, body: bytes) -> tuple[Cosigned, ...]:
        try:
            text = note.parse(package.note).text
            cosigned = cosignatures(text, parse_answer(body), [self._key])
        except NoteError as error:
            raise TargetError(f"{self._url}: {error}") from error
        if not cosigned:
            raise TargetError(f"{self._url} answered without a cosignature by {self._key}")
        return cosigned
