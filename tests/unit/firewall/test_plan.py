from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.firewall.plan import Admission, Change, Device, Entry, batches, make_plan, render_changes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B = Device("guest0", "02:00:00:00:00:01"), Device("guest0", "02:00:00:00:00:02")


def grant(device: Device = A, *, minutes: float = 60, mark: int = 1, grant_id: str = "g") -> Admission:
    return Admission(grant_id, device.interface, device.mac, mark, NOW + timedelta(minutes=minutes))


def entry(minutes: float = 60, mark: int = 1) -> Entry:
    return Entry(mark, NOW + timedelta(minutes=minutes))


def test_agreement_needs_no_change() -> None:
    seen = {A: Entry(1, NOW + timedelta(minutes=60, seconds=-1))}  # the kernel tells whole seconds
    assert make_plan([grant()], seen, NOW).changes == ()


def test_removals_come_first() -> None:
    plan = make_plan([grant(B)], {A: entry()}, NOW)
    assert plan.changes == (Change(A, entry(), None), Change(B, None, entry()))


@pytest.mark.parametrize("seen", [entry(minutes=50), entry(minutes=70), entry(mark=2)])
def test_another_end_or_mark_is_written_again(seen: Entry) -> None:
    assert make_plan([grant()], {A: seen}, NOW).changes == (Change(A, seen, entry()),)


def test_an_ended_grant_admits_nobody() -> None:
    assert make_plan([grant(minutes=0)], {}, NOW).changes == ()
    assert make_plan([grant(minutes=0)], {A: entry()}, NOW).changes == (Change(A, entry(), None),)


def test_of_several_grants_the_last_to_end_wins_in_any_order() -> None:
    several = [grant(minutes=10, mark=2, grant_id="x"), grant(minutes=20, mark=3, grant_id="a"), grant(minutes=5)]
    assert make_plan(several, {}, NOW).wanted == make_plan(several[::-1], {}, NOW).wanted == {A: entry(20, 3)}


@pytest.mark.parametrize(
    "wrong",
    [
        Admission("bad", "guest0", "02:00:00:00:00:0", 1, NOW + timedelta(hours=1)),
        Admission("bad", "guest0", "02:00:00:00:00:0A", 1, NOW + timedelta(hours=1)),
        Admission("bad", "guest0", "02:00:00:00:00:01\n", 1, NOW + timedelta(hours=1)),
        Admission("bad", 'g" }; flush ruleset #', "02:00:00:00:00:01", 1, NOW + timedelta(hours=1)),
        Admission("bad", "", "02:00:00:00:00:01", 1, NOW + timedelta(hours=1)),
        Admission("bad", "guest0", "02:00:00:00:00:01", 0, NOW + timedelta(hours=1)),
        Admission("bad", "guest0", "02:00:00:00:00:01", 1 << 32, NOW + timedelta(hours=1)),
    ],
)
def test_a_malformed_grant_is_named_and_left_out(wrong: Admission) -> None:
    plan = make_plan([wrong, grant(B)], {}, NOW)
    assert plan.malformed == ("bad",)
    assert set(plan.wanted) == {B}


def test_each_grant_is_add_delete_add_with_the_mark_that_was_seen_first() -> None:
    assert render_changes([Change(A, entry(5, 7), entry(60, 9))], NOW).splitlines() == [
        'add element inet gjestenett marks { "guest0" . 02:00:00:00:00:01 timeout 60s : 7 }',
        'delete element inet gjestenett marks { "guest0" . 02:00:00:00:00:01 }',
        'add element inet gjestenett marks { "guest0" . 02:00:00:00:00:01 timeout 3600000ms : 9 }',
    ]


def test_timeouts_are_rounded_down() -> None:
    text = render_changes([Change(A, None, Entry(1, NOW + timedelta(microseconds=1999)))], NOW)
    assert "timeout 1ms : 1" in text
    assert "ms" not in render_changes([Change(A, None, Entry(1, NOW + timedelta(microseconds=999)))], NOW)


def test_batches_hold_at_most_so_many() -> None:
    changes = [Change(A, None, entry())] * 4001
    assert [len(batch) for batch in batches(changes)] == [2000, 2000, 1]
    assert list(batches([])) == []
