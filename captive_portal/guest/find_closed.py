"""`/why/find`: for two minutes, the names that this device asks for and is refused, in memory only and shown only here.

DNS workers note them while they are asked to (`gateway.dns.refused_names`); the portal remembers that a device has
asked for it and under which random key, nothing else. The page loads itself again, and needs no script.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import guard
from captive_portal.guest.closed import name_of
from captive_portal.guest.site import Site, Visit, see_other
from captive_portal.guest.typed_name import readable
from captive_portal.i18n import Translator
from captive_portal.security import FORM_LIFETIME, Claims
from gateway.access.refused import refused_names
from gateway.dns.config import refused_folder
from gateway.dns.refused_names import LONGEST_S, WATCHES_MAX, Noted
from gateway.errors import GatewayError
from gateway.link.neighbours import Neighbour, NeighbourTable
from policies.categories import CATEGORIES

EVERY_S = 3
_LAST_S = 2 * EVERY_S
"""With less left than this the page is not loaded again: what was found stays on the guest's screen."""
AddressesOf = Callable[[Neighbour], Sequence[str]]


@dataclass(frozen=True)
class _Search:
    key: str
    until_s: float


class FindPages:
    """The endpoints, over one site. `addresses_of` are all addresses that the kernel knows of a device."""

    def __init__(
        self,
        site: Site,
        addresses_of: AddressesOf | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = site
        self._folder = refused_folder(site.services.settings)
        self._addresses_of = addresses_of or known_addresses
        self._monotonic = monotonic
        self._searches: OrderedDict[str, _Search] = OrderedDict()
        self._lock = Lock()

    def show(self, request: Request) -> Response:
        """`GET /why/find`: what was refused so far, or the button that begins."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        status = who.status()
        if status.state == "not_accepted":
            return see_other(who.link("/"))
        search = self._search(known.neighbour)
        left_s = 0.0 if search is None else search.until_s - self._monotonic()
        found = self._ask(who, search.key, left_s) if search is not None and left_s > 0 else None
        runs = search is not None and left_s > 0 and found is not None
        paused = "pause" in request.query_params
        again = runs and left_s > _LAST_S and not paused
        t = who.translator
        return who.page(
            "find_closed.html",
            headers={"Refresh": f"{EVERY_S}; url={who.link('/why/find')}"} if again else None,
            runs=runs,
            again=again,
            paused=paused and left_s > _LAST_S,
            silent=search is not None and left_s > 0 and found is None,
            left_s=max(0, int(left_s)),
            every_s=EVERY_S,
            names=[
                {"name": each.name, "shown": readable(each.name), "category": _category(t, each.category)}
                for each in found or ()
            ],
            token=self._site.signer.sign(
                "find", known.neighbour.mac, status.grant_id or "", t.language, who.now + FORM_LIFETIME
            ),
        )

    def begin_or_end(self, request: Request) -> Response:
        """`POST /why/find`: begin to note for two minutes, or, with `end`, stop and forget."""
        sent = guard.form(self._site, request)
        if isinstance(sent, Response):
            return sent
        who, fields = sent.who, sent.fields
        status = who.status()
        claims = self._site.signer.verify(fields.get("token", ""), "find", sent.neighbour.mac, who.now)
        if status.state == "not_accepted":
            return see_other(who.link("/"))
        if isinstance(claims, Claims) and claims.subject == status.grant_id:
            self._end(who)
            if "end" not in fields:
                self._begin(who)
        return see_other(who.link("/why/find"))

    def _begin(self, who: Visit) -> None:
        assert who.neighbour is not None
        search = _Search(secrets.token_hex(16), self._monotonic() + LONGEST_S)
        with self._lock:
            self._forget()
            if len(self._searches) >= WATCHES_MAX:
                return
            self._searches[who.neighbour.mac] = search
        self._ask(who, search.key, LONGEST_S)

    def _end(self, who: Visit) -> None:
        assert who.neighbour is not None
        with self._lock:
            search = self._searches.pop(who.neighbour.mac, None)
        if search is not None:
            self._ask(who, search.key, 0.0)

    def _search(self, neighbour: Neighbour) -> _Search | None:
        with self._lock:
            self._forget()
            return self._searches.get(neighbour.mac)

    def _forget(self) -> None:
        now_s = self._monotonic()
        for mac in [mac for mac, search in self._searches.items() if search.until_s <= now_s]:
            del self._searches[mac]

    def _ask(self, who: Visit, key: str, left_s: float) -> tuple[Noted, ...] | None:
        assert who.neighbour is not None
        addresses = dict.fromkeys((who.address.partition("%")[0], *self._addresses_of(who.neighbour)))
        return refused_names(self._folder, key, list(addresses), left_s)


def known_addresses(neighbour: Neighbour) -> list[str]:
    """What the kernel knows of a device; nothing where it can't say."""
    try:
        table = NeighbourTable()
        try:
            return [str(address) for address in table.addresses([neighbour])[neighbour]]
        finally:
            table.close()
    except (GatewayError, OSError):
        return []


def _category(t: Translator, key: str) -> str:
    category = CATEGORIES.get(key)
    return "" if category is None else name_of(category, t)
