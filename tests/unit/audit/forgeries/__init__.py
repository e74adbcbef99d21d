"""Bundles and receipts, honest and forged, that both verifiers must judge alike: Python and the browser."""

from __future__ import annotations

from functools import cache

from tests.unit.audit.forgeries.case import Case
from tests.unit.audit.forgeries.fitting_manifest import forged
from tests.unit.audit.forgeries.receipts import receipts
from tests.unit.audit.forgeries.restores import restore_cases
from tests.unit.audit.forgeries.rotations import rotation_cases
from tests.unit.audit.forgeries.selections import selections
from tests.unit.audit.forgeries.shapes import misshapen
from tests.unit.audit.forgeries.whole import mixed_up, other_checkpoints, whole_bundles
from tests.unit.audit.forgeries.zips import hostile_cases


@cache
def cases() -> tuple[Case, ...]:
    """All of them."""
    sources = (
        whole_bundles,
        forged,
        misshapen,
        hostile_cases,
        selections,
        rotation_cases,
        restore_cases,
        mixed_up,
        other_checkpoints,
        receipts,
    )
    return tuple(case for source in sources for case in source())
