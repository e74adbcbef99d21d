"""What stands on top of the first page: what is wrong, what to do, and the room in which one does it. Pure.

Each warning is a row of `RULES`: who is told, when it applies, what it says. One that another explains is left out: a
silent service is the reason why its work waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from captive_portal.console.look import N_
from captive_portal.console.permissions import may

SOON = timedelta(days=14)
COMPILING = timedelta(minutes=2)
"""For so long a policy that was published may be on its way into DNS."""
SEALING = timedelta(minutes=1)
"""For so long an entry of the log may wait to be sealed."""

Told = Literal["it", "auditor"]


@dataclass(frozen=True)
class Facts:
    """How everything stands at `now`. What is not known, or does not apply here, is None or empty and warned of by
    nobody.
    """

    now: datetime
    enforced: bool = True
    is_driven: bool = True
    """Whether some gateway of the municipality drives a firewall now."""
    silent: frozenset[str] = frozenset()
    """Services that belong here and have not been heard of."""
    dns_workers: int | None = None
    upstreams: int = 0
    upstreams_down: tuple[str, ...] = ()
    generation: int = 0
    published_at: datetime | None = None
    compiled: int | None = None
    """The generation in front of DNS."""
    has_rules: bool = False
    untold: tuple[str, ...] = ()
    """The settings that the notice to guests lacks, while rules of the municipality's own are in force."""
    review_due: tuple[str, ...] = ()
    """The groups whose rules should have been reviewed."""
    is_withheld: bool = False
    """Whether devices are not told where the portal is."""
    portal_ends: datetime | None = None
    console_ends: datetime | None = None
    lists_on: int = 0
    lists_troubled: tuple[str, ...] = ()
    targets: int = 0
    targets_alarmed: tuple[str, ...] = ()
    staged_since: datetime | None = None
    held_up: int = 0
    requests: int = 0


@dataclass(frozen=True)
class Warned:
    """A warning: what is wrong and what to do (English; the first with its values), and the path of the room."""

    key: str
    is_grave: bool
    text: str
    remedy: str
    path: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """When something is warned of, and how."""

    key: str
    told: Told
    is_grave: bool
    applies: Callable[[Facts], bool]
    text: str
    remedy: str
    path: str
    values: Callable[[Facts], Mapping[str, object]] = lambda _facts: {}


def _is_soon(ends: datetime | None, now: datetime) -> bool:
    return ends is not None and now < ends <= now + SOON


def _is_over(ends: datetime | None, now: datetime) -> bool:
    return ends is not None and ends <= now


def _is_long(since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since > SEALING


def _is_uncompiled(facts: Facts) -> bool:
    published = facts.published_at
    return published is not None and facts.compiled != facts.generation and facts.now - published > COMPILING


def days_left(ends: datetime | None, now: datetime) -> int:
    """Whole days until then; 0 on the last, and after it."""
    return 0 if ends is None else max(0, (ends - now).days)


def _names(names: Sequence[str]) -> Mapping[str, object]:
    return {"names": ", ".join(names)}


def _minutes(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else int((now - since).total_seconds() // 60)


HERE = "/#services"
LOOK = N_("Look at what it says on the machine, and start it again.")
RULES: tuple[Rule, ...] = (
    Rule(
        "enforcer", "it", True, lambda facts: facts.enforced and "enforcer" in facts.silent,
        N_("The enforcer is silent: nobody new is let through."), LOOK, HERE,
    ),
    Rule(
        "dns", "it", True, lambda facts: facts.dns_workers == 0,
        N_("DNS is silent: guests may find no pages at all."), LOOK, HERE,
    ),
    Rule(
        "portal", "it", True, lambda facts: "portal" in facts.silent,
        N_("The portal is silent: guests find no page on which to accept the rules."), LOOK, HERE,
    ),
    Rule(
        "upstreams", "it", True,
        lambda facts: facts.dns_workers != 0 and 0 < facts.upstreams == len(facts.upstreams_down),
        N_("No name server that DNS asks answers, so guests find no pages."),
        N_("Check the line to the internet, and dns.upstreams in the settings."), "/#upstreams",
    ),
    Rule(
        "upstream", "it", False,
        lambda facts: facts.dns_workers != 0 and 0 < len(facts.upstreams_down) < facts.upstreams,
        N_("A name server that DNS asks does not answer: {names}. The others are asked in its place."),
        N_("Check it, or take it out of dns.upstreams in the settings."), "/#upstreams",
        lambda facts: _names(facts.upstreams_down),
    ),
    Rule(
        "sealer", "auditor", True, lambda facts: "sealer" in facts.silent,
        N_("The sealer is silent: guests are let in, but nothing is signed, and receipts stay without proof."),
        N_("IT looks at what it says on the machine, and starts it again."), HERE,
    ),
    Rule(
        "unsealed", "auditor", True,
        lambda facts: "sealer" not in facts.silent and _is_long(facts.staged_since, facts.now),
        N_("The sealer works, but entries of the log have waited for {minutes} minutes to be sealed."),
        N_("IT looks at what the sealer says on the machine."), "/log",
        lambda facts: {"minutes": _minutes(facts.staged_since, facts.now)},
    ),
    Rule(
        "jobs", "it", True, lambda facts: "jobs" in facts.silent,
        N_("The jobs service is silent: what is published does not reach DNS, and nothing is erased in time."),
        LOOK, HERE,
    ),
    Rule(
        "no_rules", "it", True, lambda facts: not facts.has_rules,
        N_("There are no rules for guests to accept, so nobody can get online."),
        N_("Write the rules, and publish them."), "/rules",
    ),
    Rule(
        "untold", "it", True, lambda facts: bool(facts.untold),
        N_(
            "Your rules are in force, but guests are not told who keeps what they write, and why. Still empty: {names}."
        ),
        N_("Fill them in, or give back to the settings file what was changed there."), "/settings",
        lambda facts: _names(facts.untold),
    ),
    Rule(
        "no_policy", "it", True, lambda facts: facts.generation == 0,
        N_("No content filter is published, so nothing is closed."),
        N_("Look at the draft, and publish it."), "/policy/draft",
    ),
    Rule(
        "uncompiled", "it", True, lambda facts: "jobs" not in facts.silent and _is_uncompiled(facts),
        N_("The content filter that was published does not reach DNS; the one before it still applies."),
        N_("A list may be damaged: look at the lists, and at what the jobs service says on the machine."), "/lists",
    ),
    Rule(
        "held_up", "it", True, lambda facts: facts.enforced and "enforcer" not in facts.silent and facts.held_up > 0,
        N_("Devices that have access but are still not let through: {count}."),
        N_("See which, and look at what the enforcer says on the machine."), "/devices",
        lambda facts: {"count": facts.held_up},
    ),
    Rule(
        "portal_over", "it", True, lambda facts: _is_over(facts.portal_ends, facts.now),
        N_("The certificate of the guest pages has expired, and phones warn of them."),
        N_("Renew it; nothing has to be restarted."), "/network",
    ),
    Rule(
        "console_over", "it", True, lambda facts: _is_over(facts.console_ends, facts.now),
        N_("The certificate of this console has expired."),
        N_("Start the console again if it has made the certificate itself; else import a new one."), "/#certificates",
    ),
    Rule(
        "portal_soon", "it", False, lambda facts: _is_soon(facts.portal_ends, facts.now),
        N_("The certificate of the guest pages expires soon. Days left: {days}."),
        N_("Renew it; nothing has to be restarted."), "/network",
        lambda facts: {"days": days_left(facts.portal_ends, facts.now)},
    ),
    Rule(
        "console_soon", "it", False, lambda facts: _is_soon(facts.console_ends, facts.now),
        N_("The certificate of this console expires soon. Days left: {days}."),
        N_("Start the console again if it has made the certificate itself; else import a new one."), "/#certificates",
        lambda facts: {"days": days_left(facts.console_ends, facts.now)},
    ),
    Rule(
        "withheld", "it", False,
        lambda facts: facts.enforced and facts.is_withheld and not _is_over(facts.portal_ends, facts.now),
        N_("Phones find the guest pages late, as they can’t be told where these are."),
        N_("The page on the network says why, and what to do."), "/network",
    ),
    Rule(
        "targets_alarmed", "auditor", False, lambda facts: bool(facts.targets_alarmed),
        N_("Copies of the log’s checkpoints do not get through to {names}."),
        N_("See what each answers. IT corrects it there, or under audit.targets in the settings."), "/checkpoints",
        lambda facts: _names(facts.targets_alarmed),
    ),
    Rule(
        "no_targets", "auditor", False, lambda facts: facts.targets == 0,
        N_("No copy of the log’s checkpoints leaves this machine, so whoever runs it could rewrite the log unseen."),
        N_("IT names a place under audit.targets in the settings."), "/checkpoints",
    ),
    Rule(
        "lists_troubled", "it", False, lambda facts: bool(facts.lists_troubled),
        N_("Lists that could not be refreshed: {names}. What was fetched before still applies."),
        N_("See why, and try again."), "/lists",
        lambda facts: _names(facts.lists_troubled),
    ),
    Rule(
        "no_lists", "it", False, lambda facts: facts.lists_on == 0,
        N_("No list is on, so closed categories stop little more than the best-known sites."),
        N_("Switch lists on."), "/lists",
    ),
    Rule(
        "review_due", "auditor", False, lambda facts: bool(facts.review_due),
        N_("Rules that should have been reviewed by now: {names}."),
        N_("IT publishes them anew, with the day of the next review."), "/rules",
        lambda facts: _names(facts.review_due),
    ),
    Rule(
        "requests", "it", False, lambda facts: facts.requests > 0,
        N_("Guests who wait for an answer to a request for an exemption: {count}."),
        N_("Grant the exemption, or say why not."), "/exemptions",
        lambda facts: {"count": facts.requests},
    ),
    Rule(
        "unenforced", "it", False, lambda facts: not (facts.enforced or facts.is_driven),
        N_("This installation does not control the network: nobody is let in or kept out by it."),
        N_("Set enforcement.enabled in the settings before guests come."), "/network",
    ),
)  # fmt: skip


def warnings(facts: Facts, role: str, said: frozenset[str] = frozenset()) -> tuple[Warned, ...]:
    """What a reader of `role` is warned of, but for what is `said` elsewhere on the page; the gravest first and else in
    the order of the table.
    """
    found = [
        Warned(rule.key, rule.is_grave, rule.text, rule.remedy, rule.path, rule.values(facts))
        for rule in RULES
        if may(role, rule.told) and rule.key not in said and rule.applies(facts)
    ]
    return tuple(sorted(found, key=lambda each: not each.is_grave))
