"""A visit: one request after the gate, with who makes it, in which language, and the transaction it runs in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from captive_portal.auth.sessions import SignedIn
from captive_portal.auth.tokens import form_token
from captive_portal.console import navigation
from captive_portal.console.forms import NO_FORM, Form
from captive_portal.console.group_names import GroupNames
from captive_portal.console.look import Look
from gateway import heartbeat
from gateway.context import Services
from gateway.storage import beats, exemption_requests, log_restores, outages
from gateway.storage.engine import Session
from gateway.storage.log_models import LogRestore
from gateway.storage.outages import NetworkRow

SESSION_COOKIE = "__Host-console"
TICKET_COOKIE = "__Host-console-ticket"
OIDC_COOKIE = "__Host-console-oidc"
KNOWN_COOKIE = "__Host-console-known"
FORM_COOKIE = "__Host-console-form"
LANGUAGE_COOKIE = "__Host-console-lang"


@dataclass
class Attempt:
    """What came of the password in a form that asks for it again; "" where the page has not looked at one."""

    password: Literal["", "right", "wrong", "none"] = ""


@dataclass(frozen=True)
class Visit:
    """What a page is given. `cookie` is the browser's secret, to which the form token belongs."""

    services: Services
    look: Look
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    address: str
    language: str
    now: datetime
    bearer: str = field(default="", repr=False)
    user_agent: str = ""
    cookie: str = ""
    form: Form = NO_FORM
    staff: SignedIn | None = None
    transaction: Session | None = None
    asked: Any = None
    """What a call of the JSON API asks for: an instance of the model that it declares."""
    attempt: Attempt = field(default_factory=Attempt)
    """One for the whole request, also as it goes on in a transaction: the gate reads it when the page has answered."""
    if_match: str = ""
    """The edition that a call of the JSON API has seen, as it said in `If-Match`."""

    @property
    def session(self) -> Session:
        """The transaction of this request; the gate commits it."""
        assert self.transaction is not None, "this page has declared that it needs no transaction"
        return self.transaction

    @property
    def member(self) -> SignedIn:
        """Who is signed in, on pages that nobody else reaches."""
        assert self.staff is not None, "a public page has asked who is signed in"
        return self.staff

    @property
    def idle(self) -> timedelta:
        """How long a browser may be silent and still be signed in."""
        return timedelta(minutes=self.services.settings.console.idle_minutes)

    @property
    def restore(self) -> LogRestore | None:
        """The restored database that the sealer has found and nobody has acknowledged: every page says so."""
        if self.staff is None or self.transaction is None:
            return None
        return log_restores.open_restore(self.transaction, self.services.place.owner_id)

    @property
    def requests_waiting(self) -> int:
        """How many requests for exemptions wait for IT: the way to them says so."""
        if self.staff is None or self.staff.role != "it" or self.transaction is None:
            return 0
        return exemption_requests.count_waiting(self.transaction, self.services.place.owner_id)

    @cached_property
    def guests_requests(self) -> frozenset[str]:
        """The requests for exemptions that have a page still, for those who may open it."""
        if self.member.role != "it":
            return frozenset()
        return exemption_requests.kept(self.session, self.services.place.owner_id)

    @property
    def outages(self) -> Sequence[NetworkRow]:
        """The guest networks that are not as usual: every page says so, lest it is forgotten."""
        if self.staff is None or self.transaction is None:
            return ()
        rows = outages.networks(self.transaction, self.services.place.owner_id, self.now)
        return [row for row in rows if row.outage is not None]

    @property
    def drives_firewall(self) -> bool:
        """Whether an enforcer says that it works: else what is ordered here lets nobody in and keeps nobody out yet."""
        since = self.now - heartbeat.SILENT
        return beats.is_beating(self.session, self.services.place.owner_id, "enforcer", since)

    @property
    def rooms(self) -> navigation.Shown:
        """The rooms of whoever is signed in, on pages that nobody else reaches."""
        return navigation.shown(self.member.role, self.path)

    def room(self, path: str) -> str:
        """What the room of this path is called, in the language of the visit; "" where the reader may not use it."""
        found = navigation.shown(self.member.role, path.partition("#")[0]).room
        return "" if found is None else self.look.translator(self.language)(found.title)

    @cached_property
    def group_names(self) -> GroupNames:
        """What groups are called for people: one for the page, as it remembers the courses that it has looked up."""
        return GroupNames(self.transaction, self.services.place.owner_id, self.look.translator(self.language))

    def in_language(self, code: str) -> str:
        """This page in another language: what it was asked, too, once somebody is signed in."""
        asked = {name: value for name, value in self.query.items() if name != "lang"} if self.staff else {}
        return f"{self.path}?{urlencode(asked | {'lang': code})}"

    def within(self, session: Session) -> Visit:
        """This visit inside a transaction."""
        return replace(self, transaction=session)

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page of `templates/console`."""
        html = self.look.render(
            template,
            self.language,
            {
                "visit": self,
                "owner": self.services.settings.owner.name,
                "form_token": form_token(self.cookie) if self.cookie else "",
                **values,
            },
        )
        return HTMLResponse(html, status)

    def failed(self, status: HTTPStatus, template: str = "error.html", **values: Any) -> Response:
        """The page that says what went wrong and what to do."""
        return self.page(template, int(status), status=int(status), **values)

    def go(self, path: str) -> Response:
        """303: show `path` next."""
        return RedirectResponse(path, 303)
