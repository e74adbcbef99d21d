"""The section `sessions` of the settings: how long access lasts, and what a guest need not repeat to get it again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.settings.kinds import Key, Section

Hours = Annotated[float, Field(gt=0, le=24 * 31)]


class Sessions(Section):
    """`hours_by_group` is for how long an acceptance gives access in a group; others have `portal.grant_hours`.

    `longest_hours` after the acceptance nothing is extended any more; a seat in a course lasts until the course ends,
    but no longer than that. `return_days` after an acceptance the same device gets in with one tap, or another one with
    the receipt; 0: the form each time. `devices_per_person` may be online at once, counting those that were added from
    one another: who fills in the form anew is another person to us.
    """

    hours_by_group: dict[Key, Hours] = Field(default_factory=dict)
    longest_hours: Hours = 24.0
    return_days: Annotated[int, Field(ge=0, le=365)] = 30
    devices_per_person: Annotated[int, Field(ge=1, le=50)] = 5
