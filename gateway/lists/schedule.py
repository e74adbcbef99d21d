"""When a source is due: its own rhythm, moved a little so that not all ask at once; sooner after a failure."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

JITTER = 0.1
FIRST_RETRY_S = 300


def due_at(last_at: datetime | None, interval_s: int, failures: int, seed: str) -> datetime | None:
    """The next moment at which a source is due; None: at once, as it was never tried.

    `failures` counts the tries since the last that was fine: 5 minutes after the first, then twice as long each time,
    never longer than the rhythm. `seed` (gateway and source) moves it by at most a tenth, the same at every asking.
    """
    if last_at is None:
        return None
    wait_s = min(interval_s, FIRST_RETRY_S * 2 ** min(failures - 1, 20)) if failures else interval_s
    digest = sha256(f"{seed} {last_at.isoformat()}".encode()).digest()
    shift = int.from_bytes(digest[:4], "big") / 0xFFFFFFFF * 2 - 1
    return last_at + timedelta(seconds=wait_s * (1 + JITTER * shift))
