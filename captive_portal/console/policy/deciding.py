"""Deciding on a guest's request, as IT's room and a host's do it: finding it, what closes the site, what was typed."""

from __future__ import annotations

from datetime import datetime

from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.closed import Standing, stand
from gateway.access.exemption_requests import ANSWER_MAX_CHARS
from gateway.clock import MUNICIPAL_ZONE
from gateway.dns.plan import Accepted
from gateway.storage import exemption_requests
from gateway.storage.exemption_requests import Asked
from policies.names import PolicyError

WRITTEN = "%Y-%m-%dT%H:%M"  # as <input type="datetime-local"> writes a moment
PROBLEMS = {
    "decided": N_("Somebody else has decided this request already."),
    "passed_on": N_("This request has been left to IT, who decides it."),
    "ended": N_("The guest’s access has ended, so an exemption for the guest alone would open nothing."),
    "never": N_("Sites that harm devices or trick people are never opened by an exemption."),
    "no_group": N_("The guest’s group is not in the content filter any more. Move the device to another group first."),
    "answer": N_("The answer may have at most 300 characters, in one line."),
    "no_answer": N_("Write a sentence to the guest: why not, or what to do instead."),
    "until": N_("Write a moment that lies ahead, at most 400 days."),
    "policy": N_("The content filter in force can’t be changed. Look at the page of the content filter."),
}


def find(visit: Visit) -> Asked | None:
    """The request that the address names."""
    text = visit.params["request"]
    usable = len(text) <= 32 and text.isascii() and text.isalnum()  # PostgreSQL refuses to compare with NUL
    return exemption_requests.find(visit.session, visit.services.place.owner_id, text) if usable else None


def standing_of(snapshot: SnapshotReader, visit: Visit, found: Asked) -> Standing | None:
    """How the name stands for the guest's group now, by the policy that DNS serves; None while there is none."""
    compiled = snapshot.read()
    if compiled is None:
        return None
    group = compiled.snapshot.group(found.grant.group_key)
    hostname = visit.services.settings.portal.hostname.lower().rstrip(".")
    try:
        return stand(found.request.name, Accepted(compiled.snapshot, group), visit.now, portal_name=hostname)
    except PolicyError:
        return None


def to_open(standing: Standing | None, found: Asked) -> tuple[str, ...]:
    """The categories that would have to be opened: those that close the name now, else those that did when asked."""
    return standing.categories if standing is not None and standing.categories else tuple(found.request.categories)


def granted(
    snapshot: SnapshotReader, visit: Visit, found: Asked, answer: str, scope: requests.Scope, until: datetime
) -> requests.Decided | requests.NotDecided:
    """Publish the exemption that a guest asked for, for what closes the name now. Raises: UsageError."""
    return requests.grant(
        visit.session,
        visit.services.place,
        found.request.id,
        visit.member.username,
        answer,
        scope=scope,
        categories=to_open(standing_of(snapshot, visit, found), found),
        until=until,
        now=visit.now,
        by_host=is_host(visit),
    )


def declined(visit: Visit, found: Asked, answer: str) -> requests.Decided | requests.NotDecided:
    """Tell the guest why not."""
    place, by = visit.services.place, visit.member.username
    return requests.decline(visit.session, place, found.request.id, by, answer, visit.now, by_host=is_host(visit))


def is_host(visit: Visit) -> bool:
    """Whether a host decides, and not IT."""
    return visit.member.role == "host"


def answer_to_grant(visit: Visit) -> tuple[str, str]:
    """What was written to the guest with a yes, and what is wrong with it ("": nothing)."""
    answer, problem = clean_line(visit.form.get("answer"), ANSWER_MAX_CHARS)
    return answer, PROBLEMS["answer"] if problem is not None else ""


def answer_to_decline(visit: Visit) -> tuple[str, str]:
    """What was written to the guest with a no, which needs a sentence, and what is wrong with it ("": nothing)."""
    answer, problem = clean_line(visit.form.get("answer"), ANSWER_MAX_CHARS, required=True)
    if problem is None:
        return answer, ""
    return answer, PROBLEMS["no_answer" if problem == "missing" else "answer"]


def typed_moment(visit: Visit) -> datetime | None:
    """The field `until`, by the municipality's clock."""
    try:
        return datetime.strptime(visit.form.get("until")[:16], WRITTEN).replace(tzinfo=MUNICIPAL_ZONE)
    except ValueError:
        return None


def shown_moment(moment: datetime) -> str:
    """A moment as the field `until` has it, by the municipality's clock."""
    return moment.astimezone(MUNICIPAL_ZONE).strftime(WRITTEN)
