"""`/hvorfor`: whether a name is open or closed for this device's group now, by which rule, and asking for an exemption.

# INVARIANT: a name that is only looked at is not logged and not kept. One that is sent with a request is, and the guest
is told so beside the button.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.auth.throttle import Throttle
from captive_portal.guest import guard, guideline_words, troubles
from captive_portal.guest.closed import described, name_of
from captive_portal.guest.form import normalise, shown_again
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.site import Site, Visit, see_other, visit
from captive_portal.guest.typed_name import Problem, read_name, readable
from captive_portal.guest.why_words import PROBLEMS, WRONG, Wrong
from captive_portal.i18n import Translator
from captive_portal.security import FORM_LIFETIME, Claims
from gateway.access import exemption_requests as requests
from gateway.access.closed import Standing, stand
from gateway.access.exemption_requests import PURPOSE_MAX_CHARS, Wanted
from gateway.access.status import Status
from gateway.storage import exemption_requests, grants
from gateway.storage.exemption_models import ExemptionRequest
from policies.categories import CATEGORIES
from policies.model import NEVER_EXEMPT
from policies.names import PolicyError

SHOWN_MAX_CHARS = 300
FREE_LOOKS = 120
FIRST_S, LONGEST_S = 1.0, 10.0


class WhyPages:
    """The endpoints, over one site."""

    def __init__(
        self, site: Site, policy: PolicyReader | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._site = site
        self._database = site.services.database
        self._place = site.services.place
        settings = site.services.settings
        self._portal_name = settings.portal.hostname.lower().rstrip(".")
        self._private_zones = (*settings.dns.private_zones, *settings.dns.zones)
        self._guidelines = settings.owner.guidelines
        self._policy = policy or PolicyReader(settings)
        self._looks = Throttle(free=FREE_LOOKS, first_s=FIRST_S, longest_s=LONGEST_S)
        self._lock = Lock()
        self._monotonic = monotonic

    def show(self, request: Request) -> Response:
        """`GET /why?name=…`: how the name stands; without a name, the form to write one into."""
        who = visit(self._site, request)
        status = self._accepted(who)
        if isinstance(status, Response):
            return status
        typed = request.query_params.get("name")
        if typed is None:
            return self._page(who, status, sent=request.query_params.get("sent", ""))
        with self._lock:
            now_s, mac = self._monotonic(), who.neighbour.mac if who.neighbour else ""
            wait_s = math.ceil(self._looks.ahead_s(mac, now_s))
            if not wait_s:
                self._looks.take(mac, now_s)
        if wait_s:
            return troubles.too_many_names(who, wait_s)
        return self._page(who, status, typed=typed, sent=request.query_params.get("sent", ""))

    def ask(self, request: Request) -> Response:  # noqa: PLR0911 - each return is one way to be refused
        """`POST /why`: send a request for an exemption. The decision is made anew: what a form says is not believed."""
        who = visit(self._site, request)
        status = self._accepted(who)
        if isinstance(status, Response):
            return status
        fields = self._fields(who, status)
        if isinstance(fields, Response):
            return fields
        typed = fields.get("name", "")
        name, standing, problem = self._stand(who, status, typed)
        if problem or standing is None or not standing.can_be_exempted:
            return self._page(who, status, 422, typed=typed)  # it says how things stand now
        purpose = normalise(fields.get("purpose", ""))
        if len(purpose) > PURPOSE_MAX_CHARS or not purpose.isprintable() or not purpose:
            wrong: Wrong = "purpose" if purpose else "no_purpose"
            return self._page(who, status, 422, typed=typed, purpose=purpose, wrong=wrong)
        assert who.neighbour is not None
        with self._database.write() as session:
            wanted = Wanted(name, standing.categories, purpose)
            done = requests.ask(session, self._place, who.neighbour, wanted, who.now)
        if isinstance(done, requests.Asked):
            return see_other(who.link("/why", name=name, sent="1"))
        if done.reason == "no_access":
            return see_other(who.link("/"))
        if done.reason == "too_many":
            return self._page(who, status, 429, typed=typed, purpose=purpose, wrong="too_many")
        return self._page(who, status, 422, typed=typed, wrong="never")

    def withdraw(self, request: Request) -> Response:
        """`POST /why/withdraw`: take back a request that nobody has decided; nothing of it is kept."""
        who = visit(self._site, request)
        status = self._accepted(who)
        if isinstance(status, Response):
            return status
        fields = self._fields(who, status)
        if isinstance(fields, Response):
            return fields
        with self._database.write() as session:
            exemption_requests.withdraw(session, status.grant_id or "", fields.get("request", "")[:32])
        return see_other(who.link("/why"))

    def by_get(self, request: Request) -> Response:
        """A form's address, fetched: GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/why"))

    def _accepted(self, who: Visit) -> Status | Response:
        if who.neighbour is None:
            return troubles.unknown_device(who)
        status = who.status()
        return see_other(who.link("/")) if not status.has_access else status

    def _fields(self, who: Visit, status: Status) -> Mapping[str, str] | Response:
        """What a form of ours says; else why not. A form of an earlier grant, or one left open for long, is none."""
        fields = guard.fields_of(who)
        if isinstance(fields, Response):
            return fields
        assert who.neighbour is not None
        claims = self._site.signer.verify(fields.get("token", ""), "exemption", who.neighbour.mac, who.now)
        if isinstance(claims, Claims) and claims.subject == status.grant_id:
            return fields
        return self._page(who, status, 403, typed=fields.get("name"), purpose=fields.get("purpose", ""), wrong="stale")

    def _stand(self, who: Visit, status: Status, typed: str) -> tuple[str, Standing | None, Problem | None]:
        name, problem = read_name(typed)
        if problem:
            return "", None, problem
        mark = 0
        if status.state == "online" and status.grant_id is not None:
            with self._database.read() as session:
                grant = grants.owned_grant(session, self._place.owner_id, status.grant_id)
                mark = grant.mark if grant is not None else 0
        asker = self._policy.asker(mark, who.address)
        if asker is None:
            return name, None, None
        try:
            zones = self._private_zones
            return name, stand(name, asker, who.now, portal_name=self._portal_name, private_zones=zones), None
        except PolicyError:  # damaged after it was opened; jobs mends it
            return name, None, None

    def _page(
        self,
        who: Visit,
        status: Status,
        code: int = 200,
        *,
        typed: str | None = None,
        purpose: str = "",
        wrong: Wrong | None = None,
        sent: str = "",
    ) -> Response:
        t = who.translator
        name, standing, problem = self._stand(who, status, typed) if typed is not None else ("", None, None)
        with self._database.read() as session:
            asked = exemption_requests.of_grant(session, status.grant_id or "")
            ended = exemption_requests.ended_with_the_one_before(session, status.grant_id or "")
        assert who.neighbour is not None
        categories = standing.categories if standing is not None else ()
        waiting = next((each for each in asked if each.name == name and each.decision == ""), None)
        expires_at = who.now + FORM_LIFETIME
        if problem and code == 200:
            code = 422
        return who.page(
            "why.html",
            status=code,
            typed=shown_again({"name": typed or ""})["name"][:SHOWN_MAX_CHARS],
            problem=PROBLEMS[problem](t) if problem else "",
            name=name,
            shown=readable(name),
            standing=standing,
            unknown=typed is not None and not problem and standing is None,
            categories=[_category(t, self._guidelines, key) for key in categories],
            never=bool(NEVER_EXEMPT.intersection(categories)),
            can_ask=standing is not None and standing.can_be_exempted and waiting is None,
            waiting=waiting,
            sent=bool(sent) and waiting is not None,
            purpose=shown_again({"purpose": purpose})["purpose"][: 2 * PURPOSE_MAX_CHARS],
            purpose_max=PURPOSE_MAX_CHARS,
            at_course=status.course_ends_at is not None,
            kept_days=exemption_requests.KEPT_DAYS,
            wrong=WRONG[wrong](t) if wrong else "",
            purpose_wrong=wrong in ("no_purpose", "purpose"),
            requests=shown_requests(asked, ended),
            ended=ended,
            now=who.now,
            token=self._site.signer.sign("exemption", who.neighbour.mac, status.grant_id or "", t.language, expires_at),
        )


def shown_requests(asked: Sequence[ExemptionRequest], ended: Sequence[ExemptionRequest]) -> list[ExemptionRequest]:
    """The requests that a guest is shown: theirs now, and after them what ended with the access before."""
    return [*asked, *ended][:20]


def _category(t: Translator, guidelines: Mapping[str, str], key: str) -> Mapping[str, str]:
    category = CATEGORIES[key]
    return {
        "key": key,
        "name": name_of(category, t),
        "description": described(category, t),
        "rule": guideline_words.rule(t, key),
        "own_rule": guideline_words.own_rule(guidelines, key),
    }
