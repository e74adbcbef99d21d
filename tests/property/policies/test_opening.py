"""When a closed name opens by itself, against looking at every full hour."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import decide
from policies.model import DAYS
from policies.opening import AHEAD, opens_at
from policies.snapshot import NamedList, Snapshot, compile_snapshot, open_snapshot

STEP = timedelta(hours=1)
times = st.sampled_from(["00:00", "02:00", "08:00", "12:00", "16:00", "23:00"])
schedules = st.fixed_dictionaries(
    {
        "categories": st.sets(st.sampled_from(["gaming", "dating"]), min_size=1).map(sorted),
        "days": st.sets(st.sampled_from(DAYS), min_size=1, max_size=7).map(sorted),
        "from": times,
        "to": times | st.just("24:00"),
        "effect": st.sampled_from(["close", "open"]),
    }
).filter(lambda each: each["from"] != each["to"])
# the clock is set on 29 March and 25 October 2026
starts = st.sampled_from([datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)])
moments = st.builds(lambda day, minutes: day + timedelta(minutes=minutes), starts, st.integers(0, 3000))


def _snapshot(rows: list[dict[str, object]], exempt: tuple[datetime, datetime] | None) -> Snapshot | None:
    document = {
        "version": 2,
        "groups": {"default": {"mark": 1, "closed": ["gaming", "dating"], "schedules": rows}},
        "exemptions": [
            {
                "id": "e1",
                "group": "default",
                "categories": ["gaming", "dating"],
                "from": exempt[0].isoformat(),
                "until": exempt[1].isoformat(),
                "approved_by": "IT",
                "reason": "a test",
            }
        ]
        if exempt
        else [],
    }
    lists = [NamedList(f"test/{key}", key, "0" * 64, ("both.example",)) for key in ("gaming", "dating")]
    try:
        return open_snapshot(compile_snapshot(document, lists, 1))
    except ValueError:  # schedules of one category that overlap
        return None


@settings(max_examples=100, deadline=None)
@given(st.lists(schedules, max_size=3), moments, st.none() | st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_it_is_the_first_full_hour_at_which_the_name_is_open(
    rows: list[dict[str, object]], now: datetime, exempt: tuple[int, int] | None
) -> None:
    begins = now.replace(minute=0) + timedelta(hours=exempt[0]) if exempt else now
    snapshot = _snapshot(rows, (begins, begins + timedelta(hours=exempt[1])) if exempt else None)
    if snapshot is None:
        return
    group = snapshot.policy.groups["default"]
    decision = decide("both.example", group, now, snapshot)
    if decision.permitted:
        return
    found = opens_at(decision, group, now, snapshot)
    hour = now.replace(minute=0) + STEP
    while hour <= (found or now + timedelta(days=8)):
        permitted = decide("both.example", group, hour, snapshot).permitted
        assert permitted == (hour == found), hour
        hour += STEP
    assert found is None or now < found <= now + AHEAD
