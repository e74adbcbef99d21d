"""The interface's languages: gettext catalogues read as text at start, and dates as each language writes them.

A catalogue is `locale/<language>/LC_MESSAGES/<domain>.po`; its msgid is the English text, so English needs no entries.
Values are put in with `{name}`, as by `str.format`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from gateway.errors import GatewayError

LOCALE = Path(__file__).parent / "locale"
LANGUAGE_NAMES = {
    "nb": "Bokmål",
    "nn": "Nynorsk",
    "en": "English",
    "se": "Davvisámegiella",
    "smj": "Julevsámegiella",
    "sma": "Åarjelsaemien gïele",
    "pl": "Polski",
    "uk": "Українська",
    "de": "Deutsch",
}
NORWEGIAN = ("nb", "nn")
SOURCE_LANGUAGE = "en"
MAX_RANGES = 20

# A day's number stands on the line of its month (no-break space), and a clock time beside its "kl."
_DAY = {
    **dict.fromkeys(("nb", "nn", "se", "de"), "d.\u00a0MMMM y"),
    **dict.fromkeys(("en", "pl"), "d\u00a0MMMM y"),
    "uk": "d\u00a0MMMM y\u00a0'р'.",
    **dict.fromkeys(("smj", "sma"), "d.M.y"),  # CLDR has no names of months in them
}
_NUMBERS_OF = {"smj": "nb", "sma": "nb"}  # CLDR has no numbers of theirs: as their neighbours write them
_CLOCK = {language: "HH:mm" if language in ("en", "de", "pl", "uk") else "HH.mm" for language in _DAY}
_AT = {
    **{language: f", {_CLOCK[language]}" for language in ("se", "smj", "sma", "pl")},
    **dict.fromkeys(("nb", "nn"), " 'kl.'\u00a0HH.mm"),
    "en": " 'at'\u00a0HH:mm",
    "de": " 'um'\u00a0HH:mm\u00a0'Uhr'",
    "uk": " 'о'\u00a0HH:mm",
}
_MOMENT = {language: day + _AT[language] for language, day in _DAY.items()}


class CatalogueError(GatewayError):
    """A catalogue can't be read; the message names the file and the line."""


@dataclass(frozen=True)
class Translator:
    """One language of one catalogue: call it with the English text."""

    language: str
    messages: Mapping[str, str] = field(repr=False)
    zone: tzinfo = field(default=UTC, repr=False)

    def __call__(self, message: str, /, **values: object) -> str:
        """The text in this language, with `values` filled in; the English text where none is translated."""
        text = self.messages.get(message) or message
        return text.format(**values) if values else text

    def count(self, number: int) -> str:
        """`12 345` with the language's own mark between thousands."""
        return format_decimal(number, locale=_NUMBERS_OF.get(self.language, self.language))

    def day(self, moment: date) -> str:
        """`22. november 2026`, in English `22 November 2026`, the first space unbreakable.

        An aware datetime is taken in the local time zone.
        """
        local = moment.astimezone(self.zone) if isinstance(moment, datetime) else moment
        return _date(date(local.year, local.month, local.day), _DAY[self.language], self.language)

    def short_day(self, moment: date) -> str:
        """`22.11.`, in English `22/11`: for the axis of a chart, where the year is told beside it."""
        local = moment.astimezone(self.zone) if isinstance(moment, datetime) else moment
        return f"{local.day}/{local.month}" if self.language == "en" else f"{local.day}.{local.month}."

    def clock(self, moment: datetime) -> str:
        """The time of day, local: `14.30`, in English `14:30`."""
        return _minute(_local_minute(moment, self.zone), _CLOCK[self.language], self.language)

    def moment(self, moment: datetime) -> str:
        """Day and time: `22. november 2026 kl. 14.30`, in English `22 November 2026 at 14:30`."""
        return _minute(_local_minute(moment, self.zone), _MOMENT[self.language], self.language)


# Babel takes longer over a date than the database over a guest, and one minute's guests have the same dates.
@lru_cache(maxsize=512)
def _date(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=language)


@lru_cache(maxsize=512)
def _minute(minute: datetime, pattern: str, language: str) -> str:
    return format_datetime(minute, pattern, locale=language)


def _local_minute(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)


def translators(domain: str, languages: Sequence[str], zone: str = "Europe/Oslo") -> dict[str, Translator]:
    """The catalogue `domain` in each of `languages`. Raises: CatalogueError."""
    local = _zone(zone)
    return {
        language: Translator(language, _catalogue(LOCALE / language / "LC_MESSAGES" / f"{domain}.po"), local)
        for language in languages
    }


def read_catalogue(path: Path) -> Mapping[str, str]:
    """msgid → msgstr of a `.po` file, without its header and without entries that are not translated.

    Raises: CatalogueError.
    """
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except (OSError, UnicodeDecodeError, PoFileError) as error:
        raise CatalogueError(f"{path.name} can't be read: {error}; reinstall the package") from error
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


@cache  # read once a process: ours change with the program only
def _catalogue(path: Path) -> Mapping[str, str]:
    return read_catalogue(path)


def negotiate(accept_language: str, wanted: str | None, available: Sequence[str]) -> str:
    """The language to answer in: the one asked for by link, else the best of `Accept-Language` (RFC 9110 §12.5.4).

    A device that asks for Norwegian (`no`, `nb`) gets the municipality's first Norwegian form, as phones say `nb` where
    nynorsk is official, too; one that asks for `nn` gets it where it is there. Where nothing fits, the first of
    `available`, which is the municipality's own order.
    """
    if wanted in available:
        return str(wanted)
    ranked: list[tuple[float, int, str]] = []
    for position, item in enumerate(accept_language[:1000].split(",")[:MAX_RANGES]):
        tag, _, parameters = item.strip().partition(";")
        primary = tag.split("-")[0].lower()
        language = _norwegian(primary, available) if primary in ("no", *NORWEGIAN) else primary
        quality = _quality(parameters)
        if language in available and quality > 0:
            ranked.append((-quality, position, language))
    return min(ranked)[2] if ranked else available[0]


def _norwegian(asked: str, available: Sequence[str]) -> str:
    forms = [language for language in available if language in NORWEGIAN]
    return asked if asked == "nn" and asked in forms else next(iter(forms), asked)


def _quality(parameters: str) -> float:
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", parameters)
    return float(match[1]) if match else 0.0 if parameters.strip() else 1.0


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return UTC
