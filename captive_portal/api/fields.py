"""The kinds of values that calls share: moments, days, lines and octets, checked and written as on the pages."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from captive_portal.console.evidence.periods import EARLIEST, LATEST
from captive_portal.console.forms import clean_line
from gateway.clock import MUNICIPAL_ZONE
from policies.categories import CATEGORIES


def _moment(at: datetime) -> datetime:
    if not EARLIEST.year < at.year < LATEST.year:
        raise ValueError(f"the year is outside {EARLIEST.year + 1} to {LATEST.year - 1}")
    return (at if at.tzinfo else at.replace(tzinfo=MUNICIPAL_ZONE)).astimezone(UTC)


def _day(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"the year is outside {EARLIEST.year} to {LATEST.year}")
    return day


def _category(key: str) -> str:
    if key not in CATEGORIES:
        raise ValueError(f"there is no category {key!r}")
    return key


Moment = Annotated[datetime, AfterValidator(_moment), Field(description="Local time without an offset.")]
Day = Annotated[date, AfterValidator(_day)]
Key = Annotated[str, Field(max_length=60)]
Category = Annotated[str, AfterValidator(_category), Field(examples=["gaming"])]


def line(most: int, *, required: bool = False) -> AfterValidator:
    """What makes a text one line of at most `most` characters, as `clean_line` reads it."""

    def check(text: str) -> str:
        said, problem = clean_line(text, most, required=required)
        if problem is not None:
            raise ValueError(
                {
                    "missing": "write something",
                    "too_long": f"at most {most} characters",
                    "characters": "it has characters that can't be used, such as control characters",
                }[problem]
            )
        return said

    return AfterValidator(check)


def day_text(day: date | None) -> str:
    """A day as the pages' forms write it; "" for none."""
    return "" if day is None else day.isoformat()


def b64(value: bytes) -> str:
    """Octets as base64 (RFC 4648 §4)."""
    return base64.b64encode(value).decode("ascii")
