"""Days that are over are counted once, until anything is erased; today, and the day that has just ended, each time."""

from __future__ import annotations

from datetime import timedelta

from captive_portal.console.overview.accepted import AcceptedDays
from gateway.storage import overview
from gateway.storage.log_models import Erasure
from tests.unit.console.conftest import START, World

DAY = timedelta(days=1)
BOUNDS = [START - DAY * 2, START - DAY, START, START + DAY]


def test_a_day_that_is_over_is_counted_once(world: World) -> None:
    world.publish_all()
    owner_id, days = world.services.place.owner_id, AcceptedDays()
    macs = (f"02:00:00:00:00:{number:02x}" for number in range(99))

    def accept(ago: timedelta) -> None:
        world.now = START - ago
        world.accepted("Kari", next(macs))

    def counted(now_after: timedelta) -> list[int]:
        with world.services.database.read() as session:
            found = days.count(session, owner_id, BOUNDS, START + now_after)
            assert sum(found) <= sum(overview.acceptances_between(session, owner_id, BOUNDS))
            return found

    soon, later = timedelta(minutes=30), timedelta(hours=2)
    accept(DAY + timedelta(hours=3))
    assert counted(soon) == [1, 0, 0]
    for ago in (DAY * 1.5, timedelta(hours=1), -soon):
        accept(ago)
    assert counted(soon) == [1, 1, 1], "yesterday ended just now, and is counted again; the day before is not"
    accept(timedelta(hours=2))
    assert counted(later) == [1, 2, 1]
    accept(timedelta(hours=3))
    assert counted(later) == [1, 2, 1]
    with world.services.database.write() as session:
        session.add(
            Erasure(
                leaf_id="e", owner_id=owner_id, leaves="1", ground="retention", erased_at=START + later, wiped_at=None
            )
        )
    assert counted(later) == [2, 3, 1], "somebody was erased: all is counted anew"
    with world.services.database.read() as session:
        assert days.count(session, "0" * 32, BOUNDS, START + later) == [0, 0, 0], "another owner's are not these"
