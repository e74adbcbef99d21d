"""Who holds how many connections, and whether there is a place for one more."""

from __future__ import annotations

from collections import Counter

CONNECTIONS_MAX = 256
PER_DEVICE_MAX = 20


class Places:
    """So many of each kind, so that none uses up another's places, and so many of each device over all kinds."""

    def __init__(self, most: int = CONNECTIONS_MAX, per_device_max: int = PER_DEVICE_MAX) -> None:
        self._most = most
        self._per_device_max = per_device_max
        self._kinds: Counter[str] = Counter()
        self._devices: Counter[bytes] = Counter()

    def enter(self, kind: str, device: bytes) -> bool:
        """Whether there was a place; if so it is held until `leave`."""
        if self._kinds[kind] >= self._most or self._devices[device] >= self._per_device_max:
            return False
        self._kinds[kind] += 1
        self._devices[device] += 1
        return True

    def leave(self, kind: str, device: bytes) -> None:
        """One that was let in is gone, its descriptor too."""
        self._kinds[kind] -= 1
        self._devices[device] -= 1
        if not self._devices[device]:
            del self._devices[device]

    def held(self, kind: str) -> int:
        """How many connections of a kind there are."""
        return self._kinds[kind]
