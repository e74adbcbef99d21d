"""What guests have to be told before they accept (GDPR article 13): what of it is blank.

Pure. The words stand in the catalogues of the guest pages; here is what fills them.
"""

from __future__ import annotations

from gateway.errors import UsageError
from gateway.settings import Privacy

_WANTED = {
    "controller": "who is responsible for the data (behandlingsansvarlig), and how to reach them",
    "dpo": "the personvernombud, and how to reach them",
    "legal_basis": 'the letter of GDPR article 6(1), as in "6.1.e"',
    "legal_basis_law": "the Norwegian law that 6.1.c and 6.1.e need besides (GDPR article 6(3))",
    "authority": "where to complain: Datatilsynet",
    "backup_days": "for how many days backups are kept",
}


def blanks(privacy: Privacy) -> dict[str, str]:
    """The settings that the notice still needs, in their order: key → what to write. Empty when it is complete."""
    missing = {key: words for key, words in _WANTED.items() if not _filled(getattr(privacy, key))}
    if privacy.legal_basis == "6.1.f":  # needs no other law
        missing.pop("legal_basis_law", None)
    return missing


def refuse_blanks(privacy: Privacy) -> None:
    """Raises: UsageError naming every blank, so that no rules are put in force under half a notice."""
    missing = blanks(privacy)
    if missing:
        told = "; ".join(f"privacy.{key} ({words})" for key, words in missing.items())
        raise UsageError(
            "guests can't be told what article 13 asks for yet; fill in, under Settings in the console or in the"
            f" settings file: {told}"
        )


def _filled(value: str | int | None) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None
