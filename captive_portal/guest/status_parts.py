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


@dataclass(frozen=True)
class Other:
    """Another device of the same person that is let through, and the token of the button that ends that."""

    device: str
    since: datetime
    token: str


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
            version = rules.version_in_force(session, self._owner_id)
        return extension(status, version.id if version is not None else None, self._terms.durations, who.now)

    def values(self, who: Visit, status: Status) -> Mapping[str, object]:
        """For `status.html`, of a device that has accepted. Raises: StorageUnavailableError."""
        nothing: Mapping[str, object] = {
            "extend_until": None,
            "rules_changed": False,
            "words": None,
            "others": (),
            "room": True,
            "tokens": {},
        }
        if status.acceptance_id is None or status.grant_id is None or status.ends_at is None or who.neighbour is None:
            return nothing
        with self._database.read() as session:
            version = rules.version_in_force(session, self._owner_id)
            words = device_words.shown(session, status.grant_id, who.now)
            own = device_words.accepted_grant(session, status.grant_id, who.now)
            visitor_id = own.acceptance.visitor_id if own is not None and own.acceptance is not None else ""
            theirs = device_words.grants_of_visitor(session, visitor_id, who.now)
        others = [grant for grant in theirs if own is not None and grant.device_id != own.device_id]
        until = extension(status, version.id if version is not None else None, self._terms.durations, who.now)
        language, signer, mac = who.translator.language, self._site.signer, who.neighbour.mac
        return {
            "extend_until": until,
            "rules_changed": version is not None and version.id != status.version_id,
            "words": None
            if words is None
            else {"words": words_of(words.number), "until": words.expires_at, "address": self._address()},
            "others": [
                Other(
                    masked(grant.device.mac),
                    grant.starts_at,
                    signer.sign("end_device", mac, f"{status.grant_id}:{grant.id}", language, status.ends_at),
                )
                for grant in others
            ],
            "room": len(others) + 1 < self._terms.devices,
            "tokens": {
                "extend": signer.sign("extend", mac, status.grant_id, language, status.ends_at),
                "words": signer.sign("words", mac, status.grant_id, language, status.ends_at),
            },
        }

    def _address(self) -> str:
        """Where the other device adds itself, as people type it."""
        return f"{self._site.services.settings.public_url.partition('://')[2]}/add"
