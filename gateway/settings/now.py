"""The settings of a running service: those that it was started with, and over them what IT has changed since.

`SettingsNow` reads like `Settings` and always says what holds now. It follows the change feed in a thread of its own,
so that no page waits for it; while the database is away it says what held last.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from gateway.audit.record import record
from gateway.context import Services
from gateway.settings.boot import Settings
from gateway.settings.operational import OPERATIONAL, Operational, over, value_of, write
from gateway.storage import operational, places
from gateway.storage.engine import Database, Session, StorageUnavailableError
from gateway.storage.feed import announce, open_feed
from gateway.storage.places import Place

log = logging.getLogger(__name__)

AGAIN_S = 5.0
GIVEN_BACK = "given back to the settings file"
"""What the note of a leaf says where the settings file holds again: it may say nothing, as an emptied setting does."""


class SettingsNow:
    """Settings that change; what the service was started with is `boot`."""

    def __init__(self, boot: Settings) -> None:
        self.boot = boot
        self._now = boot

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._now, name)

    def refresh(self, session: Session, owner_id: str) -> None:
        """Take up what is stored."""
        self._now = over(self.boot, {key: row.value for key, row in operational.all_of(session, owner_id).items()})


def as_changed(services: Services) -> Services:
    """The services with the settings that hold now: for what is done once, as by a command."""
    now = SettingsNow(services.settings)
    _refresh(now, services.database, services.place.owner_id)
    return replace(services, settings=cast(Settings, now))


@contextlib.contextmanager
def following(services: Services) -> Iterator[Services]:
    """Services of `as_changed` whose settings follow what IT changes, until the context ends."""
    now, stopping = services.settings, threading.Event()
    assert isinstance(now, SettingsNow), "their settings don't change"
    follower = threading.Thread(target=_follow, args=(now, services, stopping), name="settings", daemon=True)
    follower.start()
    try:
        yield services
    finally:
        stopping.set()
        follower.join(2.0)


def _follow(now: SettingsNow, services: Services, stopping: threading.Event) -> None:
    feed = open_feed(services.database, ("settings",), stopping.is_set)
    try:
        while not stopping.is_set():
            _refresh(now, services.database, services.place.owner_id)
            feed.wait(AGAIN_S)
    finally:
        feed.close()


def _refresh(now: SettingsNow, database: Database, owner_id: str) -> None:
    try:
        with database.read() as session:
            now.refresh(session, owner_id)
    except StorageUnavailableError:
        log.warning("the settings changed in the console can't be read just now; those read last hold")


def boot_of(settings: Settings) -> Settings:
    """What the service was started with."""
    return settings.boot if isinstance(settings, SettingsNow) else settings


def change(
    session: Session, place: Place, boot: Settings, setting: Operational, value: Any, *, by: str, now: datetime
) -> bool:
    """Have a setting be `value`, which is sound, from now on; None: what the file says. With its leaf.

    False: it is so already, and nothing was done.
    """
    places.lock_owner(session, place.owner_id)
    stored = operational.all_of(session, place.owner_id)
    before = value_of(over(boot, {key: row.value for key, row in stored.items()}), setting)
    if value is None:
        if setting.key not in stored:
            return False
        operational.give_back(session, place.owner_id, setting.key)
        after = value_of(boot, setting)
    else:
        if write(value) == write(before):
            return False
        operational.put(session, place.owner_id, setting.key, value, by, now)
        after = value
    record(
        session,
        place,
        "setting_changed",
        {"setting": setting.key},
        {"by": by, "before": write(before), "after": write(after), "note": GIVEN_BACK if value is None else ""},
        now,
    )
    announce(session, "settings")
    return True


assert all(hasattr(getattr(Settings.model_construct(), each.section), each.name) for each in OPERATIONAL.values())
