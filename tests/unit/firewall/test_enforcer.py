from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from gateway.firewall.enforcer import FAREWELL_S, FULL_EVERY_S, Enforcer
from gateway.firewall.errors import DesiredUnavailableError
from gateway.firewall.memory import MemoryFirewall
from gateway.firewall.meter import Octets
from gateway.firewall.plan import Admission, Device, Entry
from gateway.firewall.posture import Intent, Outage
from gateway.firewall.ruleset import FirewallConfig
from gateway.firewall.seam import Network

CONFIG = FirewallConfig(("guest0",), "up0", (ip_address("10.77.0.1"),), 5300, 8080, 8443, 8081)
A, B = Device("guest0", "02:00:00:00:00:01"), Device("guest0", "02:00:00:00:00:02")


class Scene:
    """A clock that only `wait` moves, intent that the test writes, and what was recorded."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.elapsed_s = 0.0
        self.intent: list[Admission] = []
        self.outages: list[Outage] = []
        self.blocked: dict[str, datetime] = {}
        self.switched: list[tuple[str, ...]] = []
        self.counted: list[dict[str, Octets]] = []
        self.changed = False
        self.away = False
        self.loads = 0
        self.said: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self.routes: list[Network] = []
        self.prepared: list[bool] = []
        self.firewall = MemoryFirewall()
        self.enforcer = self.another_enforcer()

    def another_enforcer(self) -> Enforcer:
        return Enforcer(
            self, self.firewall, CONFIG, routes=lambda: self.routes,
            prepare=lambda: self.prepared.append(self.firewall.config is not None),
            clock=lambda: self.now, monotonic=lambda: self.elapsed_s, pause=self.pass_time,
        )  # fmt: skip

    def load(self) -> Intent:
        self._fail_if_away()
        self.loads += 1
        return Intent(tuple(self.intent), tuple(self.outages), dict(self.blocked))

    def record(self, applied: Sequence[str], removed: Sequence[str]) -> None:
        self._fail_if_away()
        self.said.append((tuple(applied), tuple(removed)))

    def record_switched(self, network_ids: Sequence[str]) -> None:
        self._fail_if_away()
        self.switched.append(tuple(network_ids))

    def record_octets(self, counted: Mapping[str, Octets]) -> None:
        self._fail_if_away()
        self.counted.append(dict(counted))

    def wait(self, timeout_s: float) -> bool:
        self._fail_if_away()
        if self.changed:
            self.changed = False
            return True
        self.pass_time(timeout_s)
        return False

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.elapsed_s += seconds

    def step(self) -> None:
        self.enforcer.step()

    def want(self, *intent: Admission) -> None:
        self.intent, self.changed = list(intent), True
        self.step()

    def grant(self, name: str, device: Device = A, seconds: float = 3600, mark: int = 1) -> Admission:
        return Admission(name, device.interface, device.mac, mark, self.now + timedelta(seconds=seconds))

    def online(self) -> dict[Device, int]:
        return {device: entry.mark for device, entry in self.firewall.observe(self.now).items()}

    def _fail_if_away(self) -> None:
        if self.away:
            raise DesiredUnavailableError("the database is away")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_forwarding_is_turned_on_only_under_the_rules(scene: Scene) -> None:
    scene.enforcer.start()
    assert scene.prepared == [True]


def test_a_change_is_applied_and_reported_at_once(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    assert scene.online() == {A: 1}
    assert scene.said == [(("g1",), ())]
    assert scene.elapsed_s == 0
    scene.want(scene.grant("g1"), scene.grant("g2", B, mark=4))
    assert scene.online() == {A: 1, B: 4}
    assert scene.said[1:] == [(("g2",), ())]
    assert scene.enforcer.held == 2


def test_revocation_removes_then_cuts_then_reports(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"), scene.grant("g2", B))
    scene.want(scene.grant("g2", B))
    assert scene.online() == {B: 1}
    assert scene.firewall.was_cut == [A]
    assert scene.said[-1] == ((), ("g1",))


def test_the_end_of_a_grant_is_acted_on_without_intent(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1", seconds=1.5))
    loads = scene.loads
    scene.away = True
    for _ in range(3):
        scene.step()
    assert scene.firewall.was_cut == [A]
    assert scene.online() == {}
    scene.away = False
    scene.step()
    assert scene.loads > loads
    assert scene.said[-1] == ((), ("g1",))


def test_a_restart_keeps_who_is_wanted_and_removes_who_is_not(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"), scene.grant("g2", B))
    scene.intent = scene.intent[:1]
    scene.enforcer = scene.another_enforcer()
    scene.enforcer.start()
    assert scene.online() == {A: 1}
    assert scene.firewall.was_cut == [B]
    assert scene.said[-1] == (("g1",), ())


def test_a_restart_without_intent_leaves_the_kernel_alone_until_it_is_back(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    scene.away = True
    scene.enforcer = scene.another_enforcer()
    scene.enforcer.start()
    scene.step()
    assert scene.online() == {A: 1}
    scene.away, scene.intent = False, []
    scene.step()
    assert scene.online() == {}


def test_what_someone_else_did_is_undone_at_the_next_look(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    scene.firewall.meddle(A, None)
    scene.firewall.meddle(B, Entry(1, scene.now + timedelta(hours=1)))
    scene.firewall.config = None
    scene.step()
    assert scene.online() == {A: 1}
    assert scene.firewall.config == CONFIG


def test_everything_is_compared_every_half_minute(scene: Scene) -> None:
    scene.enforcer.start()
    loads = scene.loads
    while scene.elapsed_s < FULL_EVERY_S - 1:
        scene.step()
    assert scene.loads == loads
    scene.step()
    assert scene.loads == loads + 1


def test_a_refused_change_is_not_reported_and_is_tried_again(scene: Scene) -> None:
    scene.enforcer.start()
    quiet = scene.firewall
    quiet._entries[A] = Entry(9, scene.now + timedelta(hours=2))  # changed without being noticed
    scene.want(scene.grant("g1"))
    assert scene.said == []
    scene.step()
    assert scene.online() == {A: 1}
    assert scene.said == [(("g1",), ())]


def test_new_routes_are_protected_at_the_next_look(scene: Scene) -> None:
    scene.enforcer.start()
    scene.routes = [ip_network("192.0.2.0/24")]
    scene.step()
    assert scene.firewall.routes == (ip_network("192.0.2.0/24"),)


def test_a_report_that_failed_is_made_later(scene: Scene) -> None:
    scene.enforcer.start()
    scene.intent, scene.changed = [scene.grant("g1")], True
    record = scene.record

    def fail(applied: Sequence[str], removed: Sequence[str]) -> None:
        raise DesiredUnavailableError("locked")

    scene.record = fail  # type: ignore[method-assign]
    scene.step()
    assert scene.online() == {A: 1}
    scene.record = record  # type: ignore[method-assign]
    scene.step()
    assert scene.said == [(("g1",), ())]


def test_at_start_every_stranger_is_cut_and_no_one_admitted(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    scene.firewall.near = {A, B, Device("mgmt0", "02:00:00:00:00:03")}
    scene.enforcer = scene.another_enforcer()
    scene.enforcer.start()
    assert scene.firewall.was_cut == [B]
    scene.want(scene.grant("g1"))
    assert scene.firewall.was_cut == [B]  # at the start only


def test_strangers_are_cut_while_intent_is_away_too(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1", seconds=3))
    scene.firewall.near = {A, B}
    scene.away = True
    scene.enforcer = scene.another_enforcer()
    scene.enforcer.start()
    assert set(scene.firewall.was_cut) == {B}
    for _ in range(4):
        scene.step()
    assert set(scene.firewall.was_cut) == {A, B}


def test_a_revoked_device_has_a_moment_in_which_it_is_told(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    assert scene.elapsed_s == 0  # nobody waits for a grant
    scene.want()
    assert scene.elapsed_s == FAREWELL_S
    assert scene.firewall.was_cut == [A]


def test_a_trouble_is_said_when_it_comes_and_when_it_is_over(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    scene.enforcer.start()
    for away in (True, True, True, False, False):
        scene.away = away
        scene.step()
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "intent can't be read",
        "over: intent can't be read",
    ]


def outage(scene: Scene, mode: str = "closed", seconds: float = 3600, mark: int = 9) -> Outage:
    return Outage("net0", "guest0", mode, mark, scene.now + timedelta(seconds=seconds))  # type: ignore[arg-type]


def switch(scene: Scene, *outages: Outage, blocked: Sequence[str] = ()) -> None:
    scene.outages = list(outages)
    scene.blocked = {mac: scene.now + timedelta(hours=1) for mac in blocked}
    scene.changed = True
    scene.step()


def test_a_closed_network_is_closed_at_once_and_its_devices_cut_and_keep_their_grants(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    scene.firewall.near = {A, B}
    switch(scene, outage(scene))
    assert scene.firewall.posture.closed == {"guest0"}
    assert scene.firewall.was_cut == [A, B]
    assert scene.switched == [("net0",)]
    assert scene.online() == {A: 1}
    assert scene.said == [(("g1",), ())]
    switch(scene)
    assert scene.firewall.posture.closed == frozenset()
    assert scene.online() == {A: 1}


def test_an_open_network_lets_everybody_through_and_cuts_at_its_end_whom_nothing_else_lets_in(scene: Scene) -> None:
    scene.enforcer.start()
    scene.want(scene.grant("g1"))
    scene.firewall.near = {A, B}
    switch(scene, outage(scene, "rules_only", seconds=1.5))
    assert {name: entry.mark for name, entry in scene.firewall.posture.open.items()} == {"guest0": 9}
    assert scene.firewall.was_cut == []
    scene.away = True  # the end comes without the database
    for _ in range(3):
        scene.step()
    assert scene.firewall.posture.open == {}
    assert scene.firewall.was_cut == [B]
    assert scene.online() == {A: 1}


def test_a_closed_network_opens_at_its_end_and_not_before(scene: Scene) -> None:
    scene.enforcer.start()
    ends_at = scene.now + timedelta(seconds=5)
    switch(scene, outage(scene, seconds=5))
    while scene.firewall.posture.closed:
        scene.step()
        assert scene.elapsed_s < 10
    assert ends_at <= scene.now <= ends_at + timedelta(seconds=0.1)


def test_what_is_in_force_stays_without_the_database_and_is_reported_when_it_is_back(scene: Scene) -> None:
    scene.enforcer.start()
    switch(scene, outage(scene))
    scene.away = True
    scene.pass_time(FULL_EVERY_S + 1)
    scene.step()
    assert scene.firewall.posture.closed == {"guest0"}
    scene.away = False
    again = scene.another_enforcer()
    again.start()
    assert scene.firewall.posture.closed == {"guest0"}
    assert scene.switched == [("net0",), ("net0",)]


def test_an_enforcer_that_has_never_read_intent_leaves_what_is_closed_closed(scene: Scene) -> None:
    scene.enforcer.start()
    switch(scene, outage(scene))
    scene.away = True
    again = scene.another_enforcer()
    again.start()
    again.step()
    assert scene.firewall.posture.closed == {"guest0"}


def test_a_blocked_device_is_cut_on_a_network_that_is_open_to_everybody(scene: Scene) -> None:
    scene.enforcer.start()
    scene.firewall.near = {A, B}
    switch(scene, outage(scene, "rules_only"))
    assert scene.firewall.was_cut == []
    switch(scene, outage(scene, "rules_only"), blocked=[B.mac])
    assert scene.firewall.posture.blocked == {B.mac}
    assert scene.firewall.was_cut == [B]


def test_octets_are_told_every_thirty_seconds_and_add_up_while_they_cannot_be(scene: Scene) -> None:
    scene.firewall.octets = {A: Octets(700, 700)}
    scene.enforcer.start()
    scene.want(scene.grant("g1", seconds=9999))
    assert scene.counted == [{}]
    scene.firewall.octets = {A: Octets(710, 800)}
    scene.pass_time(FULL_EVERY_S)
    scene.step()
    assert scene.counted[1:] == [{"g1": Octets(10, 100)}]
    scene.away = True
    scene.firewall.octets = {A: Octets(711, 802)}
    scene.pass_time(FULL_EVERY_S)
    scene.step()
    scene.away = False
    scene.firewall.octets = {A: Octets(712, 804)}
    scene.pass_time(FULL_EVERY_S)
    scene.step()
    assert scene.counted[2:] == [{"g1": Octets(2, 4)}]
