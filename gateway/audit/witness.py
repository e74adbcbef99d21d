"""As witness of other logs: the sealer, which alone holds the witness's key, answers what the console hands it.

The console lets only requests signed by a known log come this far, but is not trusted: everything is checked again
here. What is
cosigned is written down, before anybody sees the answer, in the database under the head's lock and in a file beside the
key; the larger of the two counts, so that a restored database can't make us cosign a second history.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from gateway import durable
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.cosignature import CosignerKey
from gateway.audit.errors import NoteError
from gateway.audit.memory import ForgottenError
from gateway.audit.witness_text import encode_answer, encode_size, parse_request
from gateway.audit.witnessing import Cosign, KnownLogs, Refused, judge
from gateway.storage import leaves, log_witness
from gateway.storage.engine import Database, Session

log = logging.getLogger(__name__)

KEPT = timedelta(minutes=10)


class Witness:
    """The answering of requests for one owner. `open_key` is called when the first one comes."""

    def __init__(
        self, database: Database, owner_id: str, logs: KnownLogs, open_key: Callable[[], CosignerKey], memory: Path
    ) -> None:
        self._database = database
        self._owner_id = owner_id
        self._logs = logs
        self._open_key = open_key
        self._memory = memory

    def answer(self, now: datetime) -> int:
        """Answer what waits; returns how many. Raises: StorageUnavailableError; ForgottenError when the file fails."""
        with self._database.read() as session:
            if not log_witness.waiting(session, self._owner_id):
                return 0
        key = self._open_key()
        with self._database.write() as session:
            leaves.lock_head(session, self._owner_id)
            waiting = log_witness.waiting(session, self._owner_id)
            for row in waiting:
                row.status, row.answer = self._answer(session, row.body, key, now)
            session.flush()
            log_witness.forget_before(session, self._owner_id, now - KEPT)
            return len(waiting)

    def _answer(self, session: Session, body: bytes, key: CosignerKey, now: datetime) -> tuple[int, str]:
        try:
            request = parse_request(body)
        except NoteError as error:
            return 400, f"{error}\n"
        origin = parse_checkpoint(request.checkpoint)[0].origin
        verdict = judge(request, self._logs, self._last(session, origin))
        if isinstance(verdict, Refused):
            log.warning("as witness of %s: refused (%d): %s", origin, verdict.status, verdict.reason)
            return verdict.status, told(verdict)
        self._write_down(session, verdict, request.checkpoint.decode(), now)
        return 200, encode_answer([key.cosign(verdict.text, int(now.timestamp()))]).decode()

    def _last(self, session: Session, origin: str) -> Checkpoint | None:
        notes = (log_witness.cosigned_last(session, self._owner_id, origin), self._remembered().get(origin))
        known = [parse_checkpoint(note.encode())[0] for note in notes if note]
        return max(known, key=lambda each: each.size, default=None)

    def _write_down(self, session: Session, verdict: Cosign, note: str, now: datetime) -> None:
        origin = verdict.checkpoint.origin
        content = json.dumps({**self._remembered(), origin: note}, ensure_ascii=False, indent=1).encode()
        try:
            durable.replace(self._memory, content)
        except OSError as error:
            raise ForgottenError(f"{self._memory} can't be written ({error.strerror}); nothing is cosigned") from error
        log_witness.cosigned(session, self._owner_id, origin, note, now)

    def _remembered(self) -> dict[str, str]:
        try:
            found = json.loads(self._memory.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
                raise ValueError("no table of checkpoints")
            for note in found.values():
                parse_checkpoint(note.encode())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, NoteError) as error:
            raise ForgottenError(f"{self._memory} can't be used ({error}); restore it from its backup") from error
        return found


def told(refused: Refused) -> str:
    """The body of a refusal: a 409's is the size, as the specification has it."""
    return f"{refused.reason}\n" if refused.size is None else encode_size(refused.size).decode()
