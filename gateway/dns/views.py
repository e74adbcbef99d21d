"""Who is asking: the kernel's mark, else the source network, leads to a policy and to the answers finished under it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from ipaddress import ip_network

from gateway.dns.cache import Finished, FinishedAnswers
from gateway.dns.counters import NO_POLICY, NOT_ACCEPTED, Counters, Tally
from gateway.dns.errors import DnsSettingsError
from gateway.dns.plan import Accepted, Asker, NotAccepted, Site, spoken_of
from gateway.dns.shortcut import Shortcut
from gateway.dns.top_names import TopNames
from gateway.dns.unaccepted import DEVICE_MARK
from policies.model import Group
from policies.safe_search import safe_host
from policies.snapshot import Snapshot

log = logging.getLogger(__name__)

_DEFAULT_MARK = 1
_MEMO_MAX = 65536


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A policy as one asker meets it, the finished answers of level 1 under it, what counts them, and the shortcut to
    new ones.

    `top_names` is there only where IT has them collected for the group; then there is no shortcut, which knows no
    names.
    """

    asker: Asker
    answers: dict[bytes, Finished]
    tally: Tally
    shortcut: Shortcut | None = None
    top_names: TopNames | None = None
    token: tuple[str, str] = ("", "")
    """Which policy it is, for what is remembered of it: the snapshot's SHA-256 and the group's key."""


class Views:
    """All views of one snapshot. `by_mark` and `by_source` are read directly by the hot path; a miss asks `find`.

    `sources` are pairs of network and group key; the longest prefix wins.

    Raises: DnsSettingsError when a source is no network.
    """

    def __init__(
        self,
        sources: tuple[tuple[str, str], ...],
        finished: FinishedAnswers,
        site: Site | None = None,
        counters: Counters | None = None,
        top_names: TopNames | None = None,
    ) -> None:
        self._finished = finished
        self._site = site
        self._counters = counters or Counters()
        self._top_names = top_names
        self._networks: list[tuple[int, int, int, str]] = []
        for text, group in sources:
            try:
                network = ip_network(text, strict=False)
            except ValueError:
                raise DnsSettingsError(f"dns.sources: {text!r} is not a network: write it as 192.0.2.0/24") from None
            self._networks.append(
                (network.max_prefixlen // 8, int(network.network_address), int(network.netmask), group)
            )
        self._networks.sort(key=lambda each: -each[2])
        self._missing: frozenset[str] = frozenset()
        self.by_mark: dict[int, View] = {}
        self.by_source: dict[bytes, View] = {}
        self.adopt(None)

    def adopt(self, snapshot: Snapshot | None) -> None:
        """Answer under `snapshot` from now on; everything finished under the old one is forgotten."""
        self._finished.forget_tables()
        self.snapshot = snapshot
        self.by_mark.clear()
        self.by_source.clear()
        self._by_group: dict[str, View] = {}
        self._not_accepted = View(NotAccepted(), self._finished.table(), self._counters.tally(NOT_ACCEPTED))
        self._no_policy = View(Accepted(None, None), self._finished.table(), self._counters.tally(NO_POLICY))
        self._tell_missing(snapshot)
        if self._top_names is not None:
            groups = snapshot.policy.groups.values() if snapshot is not None else ()
            self._top_names.keep({group.key for group in groups if group.top_names})

    def _tell_missing(self, snapshot: Snapshot | None) -> None:
        """Log each group once that sources lead to and the policy has not: who asks from there is answered SERVFAIL."""
        if snapshot is None:
            return
        missing = frozenset(group for *_, group in self._networks if snapshot.group(group) is None)
        for group in sorted(missing - self._missing):
            log.warning("dns.sources: no group %r in the policy in force; its guests get no answers", group)
        self._missing = missing

    def find(self, mark: int, source: bytes) -> View:
        """The view for a mark (0, or one with `DEVICE_MARK`: the kernel knows no grant) and a packed source address."""
        return self._find_mark(mark) if 0 < mark < DEVICE_MARK else self._find_source(source)

    def _find_mark(self, mark: int) -> View:
        view = self.by_mark.get(mark)
        if view is None:
            # A mark that this snapshot does not know is an accepted device of a group still to come: the default
            # group's rules hold for it, never none.
            group = self.snapshot and (self.snapshot.group_by_mark(mark) or self.snapshot.group_by_mark(_DEFAULT_MARK))
            view = self._group_view(group.key) if group else self._no_policy
            if len(self.by_mark) < _MEMO_MAX:
                self.by_mark[mark] = view
        return view

    def _find_source(self, source: bytes) -> View:
        view = self.by_source.get(source)
        if view is None:
            key = self._source_group(source)
            view = self._not_accepted if key is None else self._group_view(key)
            if len(self.by_source) >= _MEMO_MAX:
                self.by_source.clear()
            self.by_source[source] = view
        return view

    def _group_view(self, key: str) -> View:
        view = self._by_group.get(key)
        if view is None:
            group = self.snapshot.group(key) if self.snapshot else None
            if self.snapshot is None or group is None:
                return self._no_policy
            view = self._by_group[key] = View(
                Accepted(self.snapshot, group),
                self._finished.table(),
                self._counters.tally(key),
                None if group.top_names else self._shortcut(self.snapshot, group),
                self._top_names if group.top_names else None,
                (self.snapshot.sha256, key),
            )
        return view

    def _shortcut(self, snapshot: Snapshot, group: Group) -> Shortcut | None:
        if self._site is None:
            return None
        engines = group.safe_search
        is_apart = (lambda name: safe_host(name, engines) is not None) if engines else None
        return Shortcut(snapshot.match, spoken_of(self._site, snapshot, group), is_apart)

    def _source_group(self, source: bytes) -> str | None:
        number = int.from_bytes(source, "big")
        for width, network, mask, group in self._networks:
            if width == len(source) and number & mask == network:
                return group
        return None
