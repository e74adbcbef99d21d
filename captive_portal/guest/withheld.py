"""What stands in place of the form: the network is closed, it is open to everybody, or staff keep this device out."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from captive_portal.guest import troubles
from captive_portal.guest.site import Visit, shown_rules
from gateway.access.status import Status
from gateway.storage import blocks, outages, rules

STATES = frozenset({"closed", "open", "opening", "blocked"})
AGAIN_S, SOON_S = 30, 1


def page(who: Visit, status: Status) -> Response:
    """The page of a device whose state is one of `STATES`. Raises: StorageUnavailableError."""
    assert who.neighbour is not None
    place, version = who.site.services.place, None
    told, notices = "", {}
    with who.site.services.database.read() as session:
        if status.state == "blocked":
            block = blocks.told(session, place.owner_id, who.neighbour.mac, who.now)
            told = block.told if block is not None else ""
        else:
            outage = outages.on(session, place.gateway_id, who.neighbour.interface, who.now)
            notices = dict(outage.notices) if outage is not None else {}
        if status.state in ("open", "opening"):
            version = rules.version_in_force(session, place.owner_id, status.group_key or "", now=who.now)
            if version is None:
                return troubles.not_ready(who)
    state = status.state
    if state == "opening" and not who.site.services.settings.enforcement.enabled:
        state = "open"  # nobody will ever say that it is
    language, notice = notice_in(notices, who.translator.language)
    waits = {"open": 0, "opening": SOON_S, "blocked": 0}.get(state, AGAIN_S)
    return who.page(
        "withheld.html",
        headers={"Refresh": f"{waits}; url={who.link('/')}"} if waits else None,
        state=state,
        told=told,
        notice=notice,
        notice_language=language,
        until=who.translator.moment(status.ends_at) if status.ends_at is not None else "",
        rules=shown_rules(version, who.translator.language) if version is not None else None,
    )


def notice_in(notices: Mapping[str, str], language: str) -> tuple[str, str]:
    """The language and text of what guests are told, in the guest's own where there is one, else in the first."""
    written = {key: text for key, text in notices.items() if text}
    chosen = language if language in written else next(iter(written), "")
    return chosen, written.get(chosen, "")
