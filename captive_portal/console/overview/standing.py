"""Gathers how everything stands, from the database, the files of this machine and what DNS workers report."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from captive_portal.auth.certificate import tls_paths
from captive_portal.console.first_steps import rules_are_example
from captive_portal.console.lists.view import Row, every_row
from captive_portal.console.overview.warnings import Facts
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.rules.room import Standing as RulesStanding
from captive_portal.console.rules.room import standings
from captive_portal.console.visit import Visit
from gateway.announcement import announcement
from gateway.audit.standing import LogStanding, log_standing
from gateway.certificates import ends_at
from gateway.heartbeat import SILENT
from gateway.settings import Settings, signing_key_path
from gateway.storage import beats, exemption_requests, generations, overview, rules
from gateway.telemetry import Standing as DnsStanding
from gateway.telemetry import Totals
from gateway.terms.drafting import norwegian_day
from gateway.terms.notice import blanks

REPORTED_WITHIN_S = 60.0
"""After so long, a console that has heard no DNS worker may say so."""
LET_IN_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Heard:
    """A service that belongs to this installation, and when it last said that it works; None: never."""

    name: str
    at: datetime | None
    is_silent: bool


@dataclass(frozen=True)
class Standing:
    """Everything that the first page shows beside its charts."""

    facts: Facts
    services: tuple[Heard, ...]
    gateways: tuple[Heard, ...]
    """Where there are several on one database: each with when anything of it was heard."""
    dns: DnsStanding
    lists: tuple[Row, ...]
    log: LogStanding


class Gatherer:
    """Knows since when DNS workers could have been heard by this process."""

    def __init__(self, snapshot: SnapshotReader, dns: Totals, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._snapshot, self._dns, self._monotonic = snapshot, dns, monotonic
        self._since_s = monotonic()

    def gather(self, visit: Visit) -> Standing:
        """How everything stands, in the transaction of the visit."""
        session, place, now = visit.session, visit.services.place, visit.now
        settings = visit.services.settings
        services = _services(visit)
        dns = self._dns.standing(self._monotonic())
        is_known = dns.workers > 0 or self._monotonic() - self._since_s > REPORTED_WITHIN_S
        lists = tuple(row for row in every_row(session, visit.services, now) if row.source.enabled)
        log = log_standing(session, place.owner_id, settings.audit.targets, now)
        published, compiled = generations.in_force(session, place.owner_id), self._snapshot.read()
        facts = Facts(
            now=now,
            enforced=settings.enforcement.enabled,
            is_driven=visit.drives_firewall,
            silent=frozenset(each.name for each in services if each.is_silent),
            dns_workers=dns.workers if is_known else None,
            upstreams=len(dns.upstreams),
            upstreams_down=tuple(each.server for each in dns.upstreams if not each.up),
            generation=published.generation if published is not None else 0,
            published_at=published.published_at if published is not None else None,
            compiled=compiled.generation if compiled is not None else None,
            has_rules=rules.version_in_force(session, place.owner_id, now=now) is not None,
            untold=() if rules_are_example(visit) else tuple(f"privacy.{key}" for key in blanks(settings.privacy)),
            review_due=tuple(_group(each) for each in standings(visit) if _is_due(each, now)),
            is_withheld=announcement(settings, now).withheld not in (None, "not_enforced"),
            portal_ends=ends_at(settings.portal.tls_certificate),
            console_ends=ends_at(tls_paths(settings.state)[0]),
            lists_on=len(lists),
            lists_troubled=tuple(row.source.key for row in lists if row.state in ("trouble", "damaged")),
            targets=len(log.targets),
            targets_alarmed=tuple(each.name for each in log.targets if each.alarm),
            staged_since=overview.oldest_staged(session, place.owner_id),
            held_up=overview.held_up(session, place.gateway_id, now - LET_IN_WITHIN, now),
            requests=exemption_requests.count_waiting(session, place.owner_id),
        )
        return Standing(facts, services, _gateways(visit), dns, lists, log)


def _services(visit: Visit) -> tuple[Heard, ...]:
    known = beats.beats(visit.session, visit.services.place.gateway_id)
    return tuple(
        Heard(name, known.get(name), name not in known or visit.now - known[name] > SILENT)
        for name in expected(visit.services.settings, known)
    )


def _gateways(visit: Visit) -> tuple[Heard, ...]:
    found = beats.gateways(visit.session, visit.services.place.owner_id)
    if len(found) < 2:
        return ()
    return tuple(
        Heard(f"{each.site}, {each.key}", each.at, each.at is None or visit.now - each.at > SILENT) for each in found
    )


def expected(settings: Settings, heard: Collection[str]) -> tuple[str, ...]:
    """The services with a heartbeat that belong to this installation, of which `heard` have ever been at work here. A
    console beside gateways of other machines may have no guests of its own, and then no portal.
    """
    enforcer = ("enforcer",) if settings.enforcement.enabled else ()
    portal = ("portal",) if "portal" in heard or settings.enforcement.guest_interfaces else ()
    sealer = ("sealer",) if _is_there(signing_key_path(settings)) else ()
    return (*enforcer, *portal, *sealer, "jobs")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # it is another service's
        return True


def _is_due(standing: RulesStanding, now: datetime) -> bool:
    version = standing.version
    if version is None or version.group_key != standing.room.key:  # else they are everybody's, who has them due already
        return False
    return version.next_review_on is not None and version.next_review_on <= norwegian_day(now)


def _group(standing: RulesStanding) -> str:
    label = standing.version.label if standing.version is not None else ""
    return standing.room.title or label
