"""How many names of one domain a device that has not accepted may ask for in a minute. The clock is a parameter.

A tunnel through DNS needs a name of its own for each message, all under a domain of its own; a phone that looks for
the login window needs a few names of many domains.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.dns.registrable import registrable

NAMES_MAX = 10
WINDOW_S = 60.0
PAIRS_MAX = 8192


class NamesBudget:
    """Admits a question when at most `NAMES_MAX` names of its domain, itself included, were admitted to the device in
    the last `WINDOW_S`. A name refused does not count; one admitted again counts from then.

    Only hashes are kept, so nothing here tells who asked for what.

    # INVARIANT: at most `pairs_max` (device, domain) pairs are held, each with at most `NAMES_MAX` names: 9 MB at the
    # worst. Beyond, the pair that was asked for longest ago is forgotten. It takes 27 devices, each with five new
    # domains a second, to bring that about within a minute.
    """

    def __init__(self, pairs_max: int = PAIRS_MAX) -> None:
        self._pairs_max = pairs_max
        self._pairs: OrderedDict[int, dict[int, float]] = OrderedDict()

    def admits(self, device: int | bytes, name: str, now_s: float) -> bool:
        """Whether `device` may ask for `name` (in normal form) at the monotonic moment `now_s`."""
        pair, asked = hash((device, registrable(name))), hash(name)
        names = self._pairs.get(pair)
        if names is None:
            if len(self._pairs) >= self._pairs_max:
                self._pairs.popitem(last=False)
            names = self._pairs[pair] = {}
        else:
            self._pairs.move_to_end(pair)
        if asked not in names and len(names) >= NAMES_MAX:
            for old in [each for each, at_s in names.items() if now_s - at_s >= WINDOW_S]:
                del names[old]
            if len(names) >= NAMES_MAX:
                return False
        names[asked] = now_s
        return True

    def __len__(self) -> int:
        return len(self._pairs)
