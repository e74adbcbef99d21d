"""What `config check` warns of: groups that the policy in force has not, and a console without a name of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.checks import check
from gateway.lists.publish import publish
from gateway.settings import Console, Courses, Dns, Enforcement, Settings
from gateway.settings.sessions import Sessions
from policies.document import default_document
from policies.snapshot import compile_snapshot

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_groups_that_the_policy_has_not_are_warned_of_by_setting(tmp_path: Path) -> None:
    known = Settings(
        state=tmp_path,
        sessions=Sessions(hours_by_group={"default": 2.0, "libary": 2.0}),
        courses=Courses(host_groups=("default", "kurs")),
        dns=Dns(sources={"10.0.0.0/8": "default", "10.1.0.0/16": "staff"}),
    )
    assert not any("no group" in line for line in check(known, NOW)), "before there is a policy nothing is known"
    publish(tmp_path, compile_snapshot(default_document(), [], 1))
    assert [line for line in check(known, NOW) if "no group" in line] == [
        "dns.sources: no group 'staff' in the policy in force; its guests get no answers",
        "sessions.hours_by_group: no group 'libary' in the policy in force; its hours apply to nobody",
        "courses.host_groups: no group 'kurs' in the policy in force; hosts can't choose it",
    ]
    assert not any("no group" in line for line in check(Settings(state=tmp_path), NOW)), "as delivered"


@pytest.mark.parametrize(
    ("console", "is_enforced", "warned"),
    [
        (Console(), False, False),
        (Console(host="::1"), False, False),
        (Console(host="10.0.0.1"), False, True),
        (Console(), True, True),
        (Console(hostname="LocalHost"), True, True),
        (Console(hostname="gjestenett.storvik.no"), True, False),
        (Console(host="10.0.0.1", hostname="10.0.0.1"), True, False),
    ],
)
def test_a_console_that_others_reach_and_has_no_name_is_warned_of(
    tmp_path: Path, console: Console, is_enforced: bool, warned: bool
) -> None:
    settings = Settings(state=tmp_path, console=console)
    if is_enforced:
        enforced = Enforcement(enabled=True, guest_interfaces=("lan0",), guest_addresses=("10.0.0.1",), uplink="wan0")
        settings = settings.model_copy(update={"enforcement": enforced})
    found = [line for line in check(settings, NOW) if line.startswith("console.hostname: ")]
    assert bool(found) == warned
    assert all("passkeys" in line for line in found)
