"""The CSV view of acceptances: for reading in a spreadsheet, never evidence (UTF-8 with BOM, `;`, CRLF, all quoted)."""

from __future__ import annotations

from collections.abc import Mapping
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


def heading(language: str) -> bytes:
    """The BOM and the heading row in `nb`, `nn` or `en`."""
    return BOM + _row(HEADINGS[language])


def in_view(document: Mapping[str, Any], filter_: Mapping[str, str]) -> bool:
    """Whether an entry is a row of the view: an acceptance with `from` ≤ at < `to` at `site`, each where given.

    Times are compared as text: all are UTC with milliseconds and `Z`.
    """
    return bool(
        document["type"] == "acceptance"
        and filter_.get("from", "") <= document["at"]
        and ("to" not in filter_ or document["at"] < filter_["to"])
        and filter_.get("site", document["site"]) == document["site"]
    )


def row(index: int, document: Mapping[str, Any], personal: Mapping[str, str]) -> bytes:
    """The row of acceptance `index`; a personal field that is withheld or erased is empty."""
    rules = document["rules"]
    plain = (
        str(index), document["at"], document["site"], rules["version"], rules["language"], rules["text_sha256"],
        document["identified_by"],
    )  # fmt: skip
    return _row((*plain, *(personal.get(name, "") for name in PERSONAL_COLUMNS)))


def _row(cells: tuple[str, ...]) -> bytes:
    return (";".join(map(_cell, cells)) + "\r\n").encode()


def _cell(text: str) -> str:
    # A spreadsheet would run a cell that starts like a formula; the apostrophe makes it text.
    guarded = "'" + text if text.startswith(_FORMULA) else text
    return '"' + guarded.replace('"', '""') + '"'
