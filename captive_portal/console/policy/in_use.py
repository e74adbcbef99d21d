"""What uses groups that a policy lacks, said before it is published."""

from __future__ import annotations

from collections.abc import Sequence

from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.lists import group_users
from policies.model import Policy

SENTENCES = {
    "network": N_("The guest network {name} uses the group {group}, which is missing here: its guests can’t get in."),
    "source": N_("By dns.sources {name} uses the group {group}, which is missing here: no name is answered there."),
}


def missed(visit: Visit, policy: Policy) -> Sequence[str]:
    """A sentence for each, in the reader's language."""
    services, translate = visit.services, visit.look.translator(visit.language)
    sources = services.settings.dns.sources
    found = group_users.missed(visit.session, services.place, sources, policy.groups)
    return [translate(SENTENCES[each.user], name=each.name, group=visit.group_names(each.group)) for each in found]
