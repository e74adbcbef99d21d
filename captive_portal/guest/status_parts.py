"""What a guest can do from the status page: extend their access, add a device, end another one of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from captive_portal.guest.receipts import masked
from captive_portal.guest.site import Site, Visit
from gateway.access.extension import extension
from gateway.access.recognised import terms_of
from gateway.access.status import Status
from gateway.access.three_words import words_of
from gateway.storage import device_words, rules
from gateway.storage.engine import Session
from gateway.storage.models import RulesVersion


@dataclass(frozen=True)
class Other:
    """Another device of the same person that is let through, and the token of the button that ends that."""

    device: str
    since: datetime
    token: str


@dataclass(frozen=True)
class Words:
    """Three words that another device is to write at `address`, until when."""

    words: tuple[str, ...]
    until: datetime
    address: str


@dataclass(frozen=True)
class Parts:
    """What `status.html` shows besides: `same` for many guests, and the texts and tokens that are one guest's alone.

    `is_own`: `same` has something of one guest too, so that the page is not to be kept.
    """

    same: Mapping[str, object]
    gaps: Mapping[str, str]
    is_own: bool = False


class StatusParts:
    """What stands on the status page of one site, beside how the device stands."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database = site.services.database
        self._owner_id = site.services.place.owner_id
        self._terms = terms_of(site.services.settings)

    def extension(self, who: Visit, status: Status) -> datetime | None:
        """Until when the visitor may extend their access now; None: not. Raises: StorageUnavailableError."""
        if status.acceptance_id is None:
            return None
        with self._database.read() as session:
            version = self._version(session, who)
        return extension(status, version.id if version is not None else None, self._terms.durations, who.now)

    def of(self, who: Visit, status: Status) -> Parts:
        """For a device that has accepted, or was admitted. Raises: StorageUnavailableError."""
        if status.acceptance_id is None or status.grant_id is None or status.ends_at is None or who.neighbour is None:
            same = {"rules_changed": False, "words": None, "others": (), "room": True}
            return Parts(same, {"extend_until": "", "extend_token": "", "words_token": ""})
        with self._database.read() as session:
            version = self._version(session, who)
            words = device_words.shown(session, status.grant_id, who.now)
            theirs = device_words.company(session, status.grant_id, who.now)
        own = next((each.device_id for each in theirs if each.grant_id == status.grant_id), None)
        t, signer, mac, ends_at = who.translator, self._site.signer, who.neighbour.mac, status.ends_at
        others = tuple(
            Other(
                masked(each.mac),
                each.starts_at,
                signer.sign("end_device", mac, f"{status.grant_id}:{each.grant_id}", t.language, ends_at),
            )
            for each in theirs
            if each.device_id != own
        )
        shown = Words(tuple(words_of(words.number)), words.expires_at, self._address()) if words is not None else None
        until = extension(status, version.id if version is not None else None, self._terms.durations, who.now)
        return Parts(
            {
                "rules_changed": version is not None and version.id != status.version_id,
                "words": shown,
                "others": others,
                "room": len(others) + 1 < self._terms.devices,
            },
            {
                "extend_until": t.moment(until) if until is not None else "",
                "extend_token": signer.sign("extend", mac, status.grant_id, t.language, ends_at),
                "words_token": signer.sign("words", mac, status.grant_id, t.language, ends_at),
            },
            is_own=shown is not None or bool(others),
        )

    def _version(self, session: Session, who: Visit) -> RulesVersion | None:
        group_key = self._site.group_in(session, who.neighbour)
        return rules.version_in_force(session, self._owner_id, group_key, now=who.now)

    def _address(self) -> str:
        """Where the other device adds itself, as people type it."""
        return f"{self._site.services.settings.public_url.partition('://')[2]}/add"
