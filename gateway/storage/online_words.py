"""Which grants a word means: of a name, an organisation, a unit, a course or a link-layer address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, text

from gateway.storage import acceptance_query as names
from gateway.storage.base import table_of
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, Device, Visitor, fold
from gateway.storage.online import GRANT, OnlineQuery

_SEPARATORS = re.compile(r"[:.\-\s]")
_DIGITS = re.compile(r"[0-9a-f]{4,12}")
_SPACES = re.compile(r"[-\s]+")


def fits(query: OnlineQuery) -> ColumnElement[bool]:
    """That the word is somewhere in what is known of a grant: without regard to case, or to hyphens and spaces. Of a
    statement that has its device, guest, unit and course.
    """
    wanted, digits = _wanted(query.word)
    said = (
        _VISITOR.c.name_key,
        folded(_VISITOR.c.organisation),
        folded(_UNIT.c.value),
        folded(_COURSE.c.title),
        folded(_COURSE.c.code),
        folded(_COURSE.c.unit),
    )
    found = [_spaced(each).contains(wanted, autoescape=True) for each in said]
    if digits:
        found.append(func.replace(_DEVICE.c.mac, text("':'"), text("''")).contains(digits))
    if query.macs:
        found.append(_DEVICE.c.mac.in_(query.macs))
    return or_(*found)


def candidates(session: Session, owner_id: str, query: OnlineQuery, now: datetime) -> Sequence[ColumnElement[bool]]:
    """What a word can mean, each by an index; none where it is too short for that. Of a name its first piece counts, of
    an address its end.
    """
    wanted, digits = _wanted(query.word)
    piece = max(wanted.split(" "), key=len)
    if len(piece) < names.MIN_NAME_CHARS:
        return ()
    guests: Any = (
        names.candidates(piece) if names.is_sqlite(session) else select(Visitor.id).where(names.has_name(piece))
    )
    accepted = select(_ACCEPTANCE.c.id).where(_ACCEPTANCE.c.visitor_id.in_(guests))
    held = select(_COURSE.c.id).where(_COURSE.c.owner_id == owner_id, _COURSE.c.ends_at > now)
    called = [_spaced(folded(each)).contains(wanted, autoescape=True) for each in _OF_COURSE]
    found: list[ColumnElement[bool]] = [
        GRANT.c.acceptance_id.in_(accepted),
        GRANT.c.course_id.in_(held.where(or_(*called))),
    ]
    if digits:
        found.append(GRANT.c.device_id.in_(names.devices_ending(owner_id, digits)))
    if query.macs:
        found.append(GRANT.c.device_id.in_(_devices(owner_id, query.macs)))
    return found


def folded(column: Any) -> Any:
    """In small letters, of the Latin alphabet and the Norwegian ones: databases know no others, or not alike."""
    found = func.lower(column)
    for great, small in ("Ææ", "Øø", "Åå"):
        found = func.replace(found, text(f"'{great}'"), text(f"'{small}'"))
    return found


_DEVICE, _ACCEPTANCE, _VISITOR, _UNIT = table_of(Device), table_of(Acceptance), table_of(Visitor), table_of(Disclosure)
_COURSE = table_of(Course)
_OF_COURSE = (_COURSE.c.title, _COURSE.c.code, _COURSE.c.unit)


def _wanted(word: str) -> tuple[str, str]:
    """A word as it is compared, and the digits of an address where it can be one."""
    digits = _SEPARATORS.sub("", word.lower())
    return _SPACES.sub(" ", fold(word)).strip(), digits if _DIGITS.fullmatch(digits) else ""


def _spaced(column: Any) -> Any:
    return func.replace(column, text("'-'"), text("' '"))


def _devices(owner_id: str, macs: frozenset[str]) -> Select[str]:
    return select(Device.id).where(Device.owner_id == owner_id, Device.mac.in_(macs))
