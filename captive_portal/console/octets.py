"""Amounts of data as people read them."""

from __future__ import annotations

from babel.numbers import format_decimal

from captive_portal.i18n import Translator

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def amount(translate: Translator, octets: int) -> str:
    """Octets in the largest unit that leaves at least 1, with one decimal below 10; by thousands."""
    value, unit = float(octets), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    shown = round(value, 1) if unit and value < 9.95 else round(value)
    return f"{format_decimal(shown, locale=translate.language)}\u00a0{_UNITS[unit]}"
