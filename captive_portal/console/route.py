"""What a route declares: who may, in which kind of transaction, and how often; the gate and the API hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Protocol

from pydantic import BaseModel
from starlette.responses import Response

from captive_portal.console.forms import MAX_FIELDS
from captive_portal.console.permissions import Permission
from captive_portal.console.visit import Visit

Transaction = Literal["none", "read", "write"]


class Pace(Protocol):
    """Delays repeated attempts at a page. Called in the event loop only."""

    def wait_s(self, visit: Visit) -> float | None:
        """How long this attempt has to wait; None when it is refused outright."""

    def retry_s(self, visit: Visit) -> int:
        """After how many seconds a refused attempt may be made."""

    def succeeded(self, visit: Visit) -> None:
        """The attempt was a good one."""


@dataclass(frozen=True)
class Page:
    """A route: what it answers, to whom, and in which kind of transaction.

    Where `upload_max_bytes` is more than 0 a form may bring a file; its body is read only of those who may, and one
    that is larger is answered by `too_large`, in a transaction that reads. A page that `is_use` not
    is asked for by a browser on its own, and keeps nobody signed in. One that is asked for `by_script` is fetched by a
    page of ours only; who has none is turned away, and counts for nothing in its pace.
    """

    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    answer: Callable[[Visit], Response]
    transaction: Transaction
    pace: Pace | None = None
    upload_max_bytes: int = 0
    max_fields: int = MAX_FIELDS
    too_large: Callable[[Visit], Response] | None = None
    is_use: bool = True
    by_script: bool = False


@dataclass(frozen=True)
class Call:
    """A route of the JSON API: like a page, with models for what is asked and answered.

    `asks` is read from the query of a GET and from the JSON body of others, into `Visit.asked`. Calls carry no form
    token: with a browser's session what changes something has to be JSON or a method that no foreign page can send
    unasked, and must not come from one as browsers say; a program's token is sent by nobody else.

    `room` is the group of rooms that a token's scopes name, "" for what any token may; `changes` says that it takes the
    scope to write (None: unless it is a GET). `precondition` tells whether If-Match is read, or has to be there.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    permission: Literal["it", "auditor", "host", "staff"]
    answer: Callable[[Visit], Response]
    transaction: Transaction
    asks: type[BaseModel] | None
    answers: type[BaseModel] | None
    summary: str
    room: str = ""
    changes: bool | None = None
    status: HTTPStatus = HTTPStatus.OK
    precondition: Literal["", "optional", "required"] = ""
    media_type: str = "application/json"
    body_max_bytes: int = 2 << 20

    @property
    def scope(self) -> str:
        """The scope that a token needs, such as `policy:read`; "" where any token does."""
        changes = self.method != "GET" if self.changes is None else self.changes
        return f"{self.room}:{'write' if changes else 'read'}" if self.room else ""
