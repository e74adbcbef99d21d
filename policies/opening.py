"""When a forbidden name opens by itself: the first moment at which schedules and exemptions alone permit it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from policies.decide import decide
from policies.model import Decision, Group, Judged
from policies.snapshot import Snapshot

AHEAD = timedelta(days=15)
"""How far it is looked: a week of schedules repeats within this, even where the clock skipped its hours once."""
_STEPS_MAX = 500


def opens_at(
    decision: Decision, group: Group, now: datetime, snapshot: Snapshot, judged: Sequence[Judged] = ()
) -> datetime | None:
    """The first moment (UTC) after `now` at which a name that `decision` forbids is permitted; None: not in `AHEAD`.

    `decision` is that of `policies.decide` for the same group, moment, snapshot and verdicts of the judge.
    """
    for _ in range(_STEPS_MAX):
        moment = decision.valid_until
        if moment is None or moment > now + AHEAD:
            return None
        decision = decide(decision.name, group, moment, snapshot, judged)
        if decision.permitted:
            return moment
    return None
