"""The way between the rooms: one table of them, by group, from which every reader is shown those that they may use.

A new room is one line of `GROUPS`. The room that a page belongs to is the one with the longest path that the page's own
begins with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from captive_portal.console.look import N_
from captive_portal.console.permissions import Permission, may

# A property of `Visit` that counts what waits in a room.
Counter = Literal["", "requests_waiting"]


@dataclass(frozen=True)
class Room:
    """A room: where it is, what it is called (English), and who may use it.

    `besides` are paths of its pages that don't begin with its own. `waiting` counts what waits there for the reader.
    """

    path: str
    title: str
    permission: Permission
    besides: tuple[str, ...] = ()
    waiting: Counter = ""

    def holds(self, path: str) -> int:
        """How many characters of `path` name this room; 0 when it is not one of the room's pages."""
        paths = (each for each in (self.path, *self.besides) if path == each or path.startswith(f"{each}/"))
        return max(map(len, paths), default=0)


@dataclass(frozen=True)
class Group:
    """Rooms that belong together, in the order in which they are shown."""

    title: str
    rooms: tuple[Room, ...]


GROUPS = (
    Group(N_("Overview"), (Room("/", N_("Overview"), "auditor", besides=("/overview",)),)),
    Group(
        N_("Guests"),
        (
            Room("/devices", N_("Devices online"), "it"),
            Room("/helpdesk", N_("Help desk"), "it"),
            Room("/courses", N_("Courses"), "host"),
            Room("/exemptions", N_("Requests for exemptions"), "it", waiting="requests_waiting"),
        ),
    ),
    Group(
        N_("Content filter"),
        (
            Room("/policy", N_("Categories"), "it"),
            Room("/policy/groups", N_("Groups"), "it"),
            Room("/policy/exemptions", N_("Exemptions"), "it"),
            Room("/policy/hosts", N_("What hosts may open"), "it"),
            Room("/policy/judged", N_("Judged names"), "it"),
            Room("/policy/draft", N_("Draft"), "it"),
            Room("/policy/history", N_("History"), "it", besides=("/policy/compare", "/policy/rollback")),
            Room("/lists", N_("Lists"), "auditor"),
            Room("/try", N_("Try a name"), "it"),
            Room("/lookups", N_("Name lookups"), "it"),
        ),
    ),
    Group(N_("Rules"), (Room("/rules", N_("Rules"), "auditor"),)),
    Group(
        N_("Evidence"),
        (
            Room("/acceptances", N_("Acceptances"), "auditor"),
            Room("/log", N_("The log"), "auditor"),
            Room("/policy-then", N_("Filter then"), "auditor"),
            Room("/checkpoints", N_("Checkpoints"), "auditor"),
            Room("/exports", N_("Exports made"), "auditor"),
        ),
    ),
    Group(
        N_("System"),
        (
            Room("/network", N_("Network"), "it"),
            Room("/sessions", N_("Who is signed in"), "it"),
            Room("/staff", N_("Accounts"), "it"),
            Room("/settings", N_("Settings"), "it"),
            Room("/tokens", N_("Everybody’s access tokens"), "it"),
        ),
    ),
)


@dataclass(frozen=True)
class Shown:
    """The groups that a reader is shown, each with their own rooms only, and where they are: None outside all rooms."""

    groups: tuple[Group, ...]
    group: Group | None
    room: Room | None


def shown(role: str, path: str, groups: tuple[Group, ...] = GROUPS) -> Shown:
    """What a member of staff of `role` is shown on the page `path`.

    A group that has one room for them is called what the room is called.
    """
    theirs = tuple(each for each in (_for(group, role) for group in groups) if each.rooms)
    room = max((room for group in theirs for room in group.rooms), key=lambda each: each.holds(path), default=None)
    if room is None or not room.holds(path):
        return Shown(theirs, None, None)
    return Shown(theirs, next(group for group in theirs if room in group.rooms), room)


def _for(group: Group, role: str) -> Group:
    rooms = tuple(room for room in group.rooms if may(role, room.permission))
    return Group(rooms[0].title if len(rooms) == 1 else group.title, rooms)
