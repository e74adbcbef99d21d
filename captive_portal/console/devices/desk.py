"""The help desk: any device by the last digits of its address or because it was heard lately, and what to say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.devices import desk_words
from captive_portal.console.evidence.search import CHARACTERS_PROBLEM, DEVICE_PROBLEM, MAX_CHARS
from captive_portal.console.forms import clean_line
from captive_portal.console.look import LANGUAGES
from captive_portal.console.visit import Visit
from gateway.access import desk
from gateway.installation import guest_interfaces
from gateway.link.heard import Heard, heard
from gateway.link.netlink import DumpInterruptedError, NetlinkError
from gateway.storage.search import MIN_MAC_DIGITS

log = logging.getLogger(__name__)
_HEX = frozenset("0123456789abcdef")
WHOLE = 12


def show(visit: Visit) -> Response:
    """GET /helpdesk"""
    typed, problem = clean_line(visit.query.get("device", ""), MAX_CHARS)
    digits = hex_digits(typed)
    problems = {} if problem is None else {"device": CHARACTERS_PROBLEM}
    if not problems and typed and digits is None:
        problems = {"device": DEVICE_PROBLEM}
    entries = heard_now(visit)
    callers = sought(visit, entries, digits or "") if not problems else ()
    single = callers if digits and (len(callers) == 1 or len(digits) == WHOLE) else ()
    return visit.page(
        "helpdesk.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        typed=typed,
        problems=problems,
        callers=callers,
        single=[(caller, sentences(visit, caller)) for caller in single],
        words=desk_words.WORDS,
        minutes=minutes,
        readable=entries is not None,
        most=desk.MOST,
    )


def sought(visit: Visit, entries: Sequence[Heard] | None, digits: str) -> Sequence[desk.Caller]:
    """The devices whose addresses end in these digits; without any, those heard in the last minutes."""
    return desk.find(
        visit.session,
        visit.services.place,
        entries or (),
        digits,
        enforced=visit.services.settings.enforcement.enabled,
        now=visit.now,
    )


def sentences(visit: Visit, caller: desk.Caller) -> list[tuple[str, str]]:
    """(language, sentence), the page's own language first."""
    portal = visit.services.settings.public_url
    ordered = sorted(LANGUAGES, key=lambda each: each != visit.language)
    return [(each, desk_words.aloud(visit.look.translator(each), caller, portal)) for each in ordered]


def hex_digits(text: str) -> str | None:
    """The hexadecimal digits of an address or of its end, however they are separated; None for anything else."""
    digits = "".join(each for each in text.lower() if each not in ":.- ")
    return digits if MIN_MAC_DIGITS <= len(digits) <= WHOLE and set(digits) <= _HEX else None


def minutes(ago: timedelta) -> int:
    """Whole minutes."""
    return int(ago.total_seconds() // 60)


def heard_now(visit: Visit) -> list[Heard] | None:
    """None where the kernel does not say."""
    try:
        return heard(guest_interfaces(visit.services.settings))
    except (NetlinkError, DumpInterruptedError, OSError) as error:
        log.warning("the neighbour table can't be read: %s", error)
        return None
