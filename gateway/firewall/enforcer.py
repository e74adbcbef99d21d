"""The loop that keeps the kernel in agreement with who may be online.

It installs the rules, carries out each change of intent as soon as it is signalled, compares everything at start,
every 30 seconds and when someone else has touched the ruleset, and reports what is in force, and then how much devices
have sent and received. It holds no truth of its own: when it dies the kernel goes on and its timeouts close the doors;
when it returns nobody is thrown out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

from gateway.clock import Clock, utc_now
from gateway.firewall.errors import DesiredUnavailableError, FirewallError
from gateway.firewall.meter import Meter, Octets
from gateway.firewall.plan import Device, Entry, Plan, make_plan
from gateway.firewall.posture import Intent, Outage, Posture, make_posture, next_end
from gateway.firewall.ruleset import FirewallConfig
from gateway.firewall.seam import Firewall, Network

FULL_EVERY_S = 30.0
LOOK_EVERY_S = 1.0
FAREWELL_S = 0.15
_SHORTEST_WAIT_S = 0.005

_log = logging.getLogger(__name__)


class Desired(Protocol):
    """Where intent comes from. Every method may raise DesiredUnavailableError; the kernel then keeps what it holds."""

    def load(self) -> Intent:
        """All grants in force now, and what comes before them."""

    def record(self, applied: Sequence[str], removed: Sequence[str]) -> None:
        """Write back which grants have come into force and which no longer are, by grant id.

        After a start every grant in force is reported as applied again (writing it twice must be harmless); what ended
        or was revoked before the start is not named in `removed`, but is out of force all the same.
        """

    def record_switched(self, network_ids: Sequence[str]) -> None:
        """Write back which networks do what they are switched to. After a start every one is reported again."""

    def record_octets(self, counted: Mapping[str, Octets]) -> None:
        """Add these octets to what devices have sent and received, by grant id."""

    def wait(self, timeout_s: float) -> bool:
        """Block for at most `timeout_s`; true as soon as intent has changed since the last `load`."""


class Enforcer:
    """One gateway's enforcement.

    `routes` reads the non-default routes; `prepare` turns the machine into a router once the rules are in force;
    `pause` sleeps.
    """

    def __init__(
        self,
        desired: Desired,
        firewall: Firewall,
        config: FirewallConfig,
        *,
        routes: Callable[[], Sequence[Network]],
        prepare: Callable[[], object] = lambda: None,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._desired, self._firewall, self._config = desired, firewall, config
        self._read_routes, self._prepare = routes, prepare
        self._clock, self._monotonic, self._pause = clock, monotonic, pause
        self._routes: tuple[Network, ...] = ()
        self._intent: Intent | None = None
        self._posture: Posture | None = None
        self._switched: Mapping[str, Outage] = {}
        self._meter = Meter()
        self._grants: Mapping[Device, str] = {}
        self._held: dict[Device, Entry] = {}
        self._reported: set[str] = set()
        self._touched = 0
        self._full_at = 0.0
        self._compared = False  # whether the kernel's map has been read since the start
        self._stale = False  # intent changed but could not be read or reported yet
        self._failing: set[str] = set()

    @property
    def held(self) -> int:
        """How many devices are admitted."""
        return len(self._held)

    def run(self, stop: threading.Event) -> None:
        """Start, then step until `stop` is set.

        Raises: FirewallError, SysctlError: the supervisor starts it again; the kernel keeps its state meanwhile.
        """
        self._pause = stop.wait
        self.start()
        while not stop.is_set():
            self.step()

    def start(self) -> None:
        """Put the rules in force and compare everything once.

        Raises: FirewallError, SysctlError.
        """
        self._firewall.install(self._config, self._refresh_routes())  # first the rules, then forwarding
        self._prepare()
        self._touched = self._firewall.touched()
        self._reconcile(full=True, reload=True)
        self._count()

    def step(self) -> None:
        """Wait for a reason to act, for at most a second, and act on it.

        Raises: FirewallError.
        """
        changed = self._wait()
        touched = self._firewall.touched()
        if touched != self._touched:
            _log.warning("someone else changed the ruleset; installing it again")
            self._firewall.install(self._config, self._refresh_routes())
            self._touched = touched
            self._reconcile(full=True, reload=True)
            return
        before = self._routes
        if self._refresh_routes() != before:
            self._firewall.protect(self._config, self._routes)
        if self._monotonic() >= self._full_at:
            self._reconcile(full=True, reload=True)
            self._count()
        elif changed or self._stale or self._has_ended(self._clock()):
            self._reconcile(full=False, reload=changed or self._stale)

    def _wait(self) -> bool:
        now = self._clock()
        ends = min((entry.ends_at for entry in self._held.values()), default=None)
        turns = next_end(self._intent, now) if self._intent is not None else None
        ends = min((each for each in (ends, turns) if each is not None), default=None)
        left_s = LOOK_EVERY_S if ends is None else min(LOOK_EVERY_S, (ends - now).total_seconds())
        left_s = max(_SHORTEST_WAIT_S, left_s)
        try:
            return self._desired.wait(left_s)
        except DesiredUnavailableError:
            self._stale = True
            self._pause(left_s)
            return False

    def _reconcile(self, *, full: bool, reload: bool) -> None:
        """Make the kernel agree; against what it holds when `full`, else against what we know we put there."""
        if full:
            self._full_at = self._monotonic() + FULL_EVERY_S
        if reload:
            self._reload()
        now = self._clock()
        observed = self._firewall.observe(now) if full or not self._compared else self._held
        gone: Set[Device] = frozenset()
        if not self._compared:  # what ended while nobody watched is in neither `observed` nor `_held`
            gone = self._firewall.present(self._config) - observed.keys()
        if self._intent is None:
            self._firewall.cut(sorted(gone))
            return  # never read yet: leave the kernel as it is, its timeouts run
        self._compared = True
        shut = self._take_up(make_posture(self._intent, now), now, anew=full)
        plan = make_plan(self._intent.admissions, observed, now)
        refused = {change.device for change in self._firewall.apply(plan.changes, now)}
        leaving = (self._held.keys() | observed.keys()) - plan.wanted.keys() - refused
        if leaving or shut:
            self._pause(FAREWELL_S)  # what they send now is answered with a reset; once cut, they would hear nothing
        self._held = {device: entry for device, entry in plan.wanted.items() if device not in refused}
        self._grants = plan.grants
        self._firewall.cut(sorted(gone | leaving | self._without_access(shut)))
        if refused:
            _log.warning("the kernel refused %d changes; comparing everything again", len(refused))
            self._full_at = self._monotonic() + LOOK_EVERY_S
        self._report(plan, refused, now)
        self._report_switched()

    def _take_up(self, posture: Posture, now: datetime, *, anew: bool) -> Set[str]:
        """Have the kernel hold `posture`; returns the interfaces on which somebody may have lost access by that."""
        before, self._posture = self._posture, posture
        if anew or posture != before:
            self._firewall.take_up(posture, now)
        if before is None or posture == before:
            return frozenset()
        lost = {one for one, how in before.networks.items() if how == "rules_only" and one not in posture.open}
        lost |= posture.closed - before.closed
        return lost | (set(posture.open) if posture.blocked - before.blocked else set())

    def _without_access(self, interfaces: Set[str]) -> Set[Device]:
        """The devices there that are not let through now."""
        assert self._posture is not None
        if not interfaces:
            return frozenset()
        return {
            device
            for device in self._firewall.present(self._config)
            if device.interface in interfaces
            and (
                device.interface in self._posture.closed
                or device.mac in self._posture.blocked
                or (device not in self._held and device.interface not in self._posture.open)
            )
        }

    def _report_switched(self) -> None:
        assert self._posture is not None
        assert self._intent is not None
        networks = self._posture.networks
        now = {one.network_id: one for one in self._intent.outages if networks.get(one.interface) == one.mode}
        fresh = sorted(network_id for network_id, one in now.items() if self._switched.get(network_id) != one)
        try:
            if fresh:
                self._desired.record_switched(fresh)
            self._switched = now
        except DesiredUnavailableError as error:
            self._stale = True
            self._say("what is in force can't be reported yet", error)

    def _count(self) -> None:
        """Tell what devices have sent and received; while that is impossible it adds up."""
        try:
            self._meter.read(self._firewall.counted(), self._grants)
            self._say("octets can't be counted", None)
        except FirewallError as error:
            self._say("octets can't be counted", error)
        due = self._meter.due
        try:
            self._desired.record_octets(due)
            self._meter.taken(due)
        except DesiredUnavailableError as error:
            self._say("what is in force can't be reported yet", error)

    def _reload(self) -> None:
        try:
            self._intent = self._desired.load()
            self._stale = False
            self._say("intent can't be read; what is admitted stays until it ends", None)
        except DesiredUnavailableError as error:
            self._stale = True
            self._say("intent can't be read; what is admitted stays until it ends", error)

    def _report(self, plan: Plan, refused: set[Device], now: datetime) -> None:
        if plan.malformed:
            _log.error("%d grants have an impossible interface, address or mark", len(plan.malformed))
        in_force = {
            one.grant_id
            for one in (self._intent.admissions if self._intent is not None else ())
            if one.grant_id not in plan.malformed
            and one.ends_at > now
            and Device(one.interface, one.mac) not in refused
        }
        applied, removed = sorted(in_force - self._reported), sorted(self._reported - in_force)
        if not applied and not removed:
            return
        try:
            self._desired.record(applied, removed)
            self._reported = in_force
            self._say("what is in force can't be reported yet", None)
        except DesiredUnavailableError as error:
            self._stale = True
            self._say("what is in force can't be reported yet", error)

    def _say(self, trouble: str, error: Exception | None) -> None:
        """Log that a trouble has come (`error`) or gone (None), not that it lasts."""
        if error is not None and trouble not in self._failing:
            self._failing.add(trouble)
            _log.warning("%s: %s", trouble, error)
        elif error is None and trouble in self._failing:
            self._failing.remove(trouble)
            _log.warning("over: %s", trouble)

    def _has_ended(self, now: datetime) -> bool:
        """Whether a grant, an outage or a block that the kernel still holds is over."""
        if any(entry.ends_at <= now for entry in self._held.values()):
            return True
        return self._intent is not None and self._posture != make_posture(self._intent, now)

    def _refresh_routes(self) -> tuple[Network, ...]:
        self._routes = tuple(self._read_routes())
        return self._routes
