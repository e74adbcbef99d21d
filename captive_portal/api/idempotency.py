"""Calls that are sent twice are done once: the answer is kept with the change, and given again for the same key.

After draft-ietf-httpapi-idempotency-key-header. The key belongs to the account; the answer is kept for 24 hours, in the
transaction of the change itself, so that neither is there without the other.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.api.problems import problem
from captive_portal.console.visit import Visit
from gateway.storage import kept_answers
from gateway.storage.api_models import KeptAnswer
from gateway.storage.engine import Session

HEADER = "idempotency-key"
_KEY = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
_KEPT_HEADERS = ("content-type", "etag", "location", "link")
MALFORMED = "write the key as 1 to 255 printable characters, between quotation marks"
REUSED = "this key was sent with another call in the last 24 hours: choose a new one for each call"
IN_USE = "a call with this key is being answered: wait, and send it again"


def read_key(header: str) -> str | None:
    """The key of a header; None when it can't be one. Programs that leave the quotation marks out are understood."""
    found = _KEY.fullmatch(header.strip())
    key = (found[1] if found[1] is not None else found[2]) if found else None
    return key if key is None or len(key) <= 255 else None


def digest(method: str, path: str, query: str, if_match: str, body: bytes) -> str:
    """What tells one call from another."""
    asked = json.dumps([method, path, query, if_match]).encode()
    return sha256(sha256(asked).digest() + body).hexdigest()


class InFlight:
    """The keys of calls that this process is answering just now."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, staff_id: str, key: str) -> Iterator[bool]:
        """Hold a key; False when another thread does."""
        with self._lock:
            mine = (staff_id, key) not in self._held
            self._held.add((staff_id, key))
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    self._held.discard((staff_id, key))


class ToldOnce(Response):
    """An answer with something that is told once and kept nowhere in clear, such as a link to set a password. `again`
    is what a repeated call is answered: the same without it.
    """

    def __init__(self, answer: Response, again: Response) -> None:
        super().__init__(answer.body, answer.status_code)
        self.raw_headers = answer.raw_headers
        self.again = bytes(again.body)


PASSING = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals that say "not now": nothing was done, and the same call may be answered otherwise a moment later."""


def once(visit: Visit, session: Session, key: str, asked_sha256: str, do: Callable[[], Response]) -> Response:
    """The kept answer, else that of `do`, which is kept unless it only refuses for the moment.

    Its session is that of a writing transaction.
    """
    staff_id = visit.member.staff_id
    if not kept_answers.take(session, staff_id, key):
        return in_use()
    kept = kept_answers.find(session, staff_id, key, visit.now)
    if kept is not None:
        return _again(kept, asked_sha256)
    answer = do()
    if answer.status_code in PASSING or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer
    headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    kept_answers.keep(
        session,
        staff_id,
        key,
        asked_sha256=asked_sha256,
        status=answer.status_code,
        headers=json.dumps(headers),
        body=answer.again if isinstance(answer, ToldOnce) else bytes(answer.body),
        now=visit.now,
    )
    return answer


def in_use() -> Response:
    """409: the first call has not been answered."""
    answer = problem(HTTPStatus.CONFLICT, IN_USE, kind="key-in-use")
    answer.headers["Retry-After"] = "1"
    return answer


def _again(kept: KeptAnswer, asked_sha256: str) -> Response:
    if kept.asked_sha256 != asked_sha256:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, REUSED, kind="key-reused")
    return Response(kept.body, kept.status, headers={**json.loads(kept.headers), "Idempotent-Replayed": "true"})
