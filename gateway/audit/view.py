"""The CSV view of acceptances: for reading in a spreadsheet, never evidence (UTF-8 with BOM, `;`, CRLF, all quoted)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

BOM = b"\xef\xbb\xbf"

PLAIN_COLUMNS = ("index", "at", "site", "version", "language", "text_sha256", "identified_by")
PERSONAL_COLUMNS = ("name", "organisation", "contact", "course_code", "mac", "address", "receipt")

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "nb": (
        "Nummer i loggen", "Tidspunkt (UTC)", "Sted", "Reglenes versjon", "Språk", "Tekstens SHA-256",
        "Identifisert ved", "Navn", "Organisasjon", "Kontakt", "Kurskode", "Enhetens adresse (MAC)", "IP-adresse",
        "Kvittering",
    ),
    "nn": (
        "Nummer i loggen", "Tidspunkt (UTC)", "Stad", "Versjon av reglane", "Språk", "SHA-256 av teksten",
        "Identifisert ved", "Namn", "Organisasjon", "Kontakt", "Kurskode", "Adressa til eininga (MAC)", "IP-adresse",
        "Kvittering",
    ),
    "en": (
        "Log index", "Time (UTC)", "Site", "Rules version", "Language", "SHA-256 of the text", "Identified by",
        "Name", "Organisation", "Contact", "Course code", "Device address (MAC)", "IP address", "Receipt",
    ),
}  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
_RISKY = re.compile(r'"[=+\-@\t\r\0]')


def heading(language: str) -> bytes:
    """The BOM and the heading row in `nb`, `nn` or `en`."""
    return BOM + line(HEADINGS[language])


def cells(index: int, document: Mapping[str, Any], personal: Mapping[str, str]) -> tuple[str, ...]:
    """The row of acceptance `index`; a personal field that is withheld or erased is empty."""
    rules, get = document["rules"], personal.get
    return (
        str(index), document["at"], document["site"], rules["version"], rules["language"], rules["text_sha256"],
        document["identified_by"], *[get(name, "") for name in PERSONAL_COLUMNS],
    )  # fmt: skip


def row(index: int, document: Mapping[str, Any], personal: Mapping[str, str]) -> bytes:
    """The row of acceptance `index` as CSV."""
    return line(cells(index, document, personal))


def line(cells: Sequence[str]) -> bytes:
    """A row as CSV."""
    text = '"' + '";"'.join(cells)
    if text.count('"') == 2 * len(cells) - 1 and not _RISKY.search(text):
        return (text + '"\r\n').encode()
    return (";".join(map(_cell, cells)) + "\r\n").encode()


def _cell(text: str) -> str:
    # A spreadsheet would run a cell that starts like a formula; the apostrophe makes it text.
    guarded = "'" + text if text.startswith(_FORMULA) else text
    return '"' + guarded.replace('"', '""') + '"'
