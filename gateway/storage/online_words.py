"""Which grants a word means: of a name, an organisation, a unit, a course or the end of a link-layer address.

Without regard to case, nor to whether it is a hyphen or a space that stands between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

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
_NORWEGIAN = str.maketrans("æøå", "ÆØÅ")


def is_word(text: str) -> bool:
    """Whether anything is written but hyphens and spaces, which would fit whatever there is."""
    return _wanted(text) != ""


def fits(of: Any, owner_id: str, query: OnlineQuery, now: datetime, *, of_few: bool) -> ColumnElement[bool]:
    """That a word means a grant, which has the columns `of`, in a statement that has its guest, and of few its unit."""
    pattern = _pattern(_wanted(query.word))
    found = [_VISITOR.c.name_key.like(pattern, escape="\\"), *_others(of, owner_id, query, now)]
    if of_few:
        found += [*_says(_VISITOR.c.organisation, query.word), *_says(_UNIT.c.value, query.word)]
    return or_(*found)


def candidates(
    session: Session, owner_id: str, query: OnlineQuery, now: datetime, most: int
) -> Sequence[ColumnElement[bool]]:
    """What a word can mean among many, each by an index; none where it is too short for that, or where more guests than
    `most` have its longest piece in their names.
    """
    piece = max(_wanted(query.word).split(" "), key=len)
    if len(piece) < names.MIN_NAME_CHARS:
        return ()
    own = select(Visitor.id).where(Visitor.owner_id == owner_id, names.has_name(piece))
    named: Any = names.candidates(piece) if names.is_sqlite(session) else own
    some = select(named.subquery().c[0]).limit(most + 1).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) > most:
        return ()
    accepted = select(_ACCEPTANCE.c.id).where(_ACCEPTANCE.c.visitor_id.in_(named))
    return [GRANT.c.acceptance_id.in_(accepted), *_others(GRANT.c, owner_id, query, now)]


_ACCEPTANCE, _VISITOR, _UNIT = table_of(Acceptance), table_of(Visitor), table_of(Disclosure)


def _others(of: Any, owner_id: str, query: OnlineQuery, now: datetime) -> Sequence[ColumnElement[bool]]:
    """By course, by the end of an address, and by the devices that fit whatever the word is."""
    said = [each for column in (Course.title, Course.code, Course.unit) for each in _says(column, query.word)]
    found: list[ColumnElement[bool]] = [
        of.course_id.in_(select(Course.id).where(Course.owner_id == owner_id, Course.ends_at > now, or_(*said)))
    ]
    digits = _SEPARATORS.sub("", query.word.lower())
    if _DIGITS.fullmatch(digits):
        found.append(of.device_id.in_(names.devices_ending(owner_id, digits)))
    if query.macs:
        found.append(of.device_id.in_(_devices(owner_id, query.macs)))
    return found


def _wanted(word: str) -> str:
    return _SPACES.sub(" ", fold(word)).strip()


def _says(column: Any, word: str) -> Sequence[ColumnElement[bool]]:
    """That a text has the word in it: databases know no other great letters than Latin ones, or not alike."""
    wanted = _wanted(word)
    spelt = dict.fromkeys((wanted, wanted.translate(_NORWEGIAN), wanted[:1].translate(_NORWEGIAN) + wanted[1:]))
    return [column.ilike(_pattern(each), escape="\\") for each in spelt]


def _pattern(wanted: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", wanted).replace(" ", "_") + "%"


def _devices(owner_id: str, macs: frozenset[str]) -> Select[str]:
    return select(Device.id).where(Device.owner_id == owner_id, Device.mac.in_(macs))
