"""Which languages guests are offered: those whose texts are there and were read by somebody who can answer for them.

nb, nn and en are the product's own. Any other catalogue may begin as a machine's draft; it stays off until a reviewer
is named, by `X-Reviewed-By` in its header or by `portal.reviewers` in the settings.
"""

from __future__ import annotations

import re
from pathlib import Path

from captive_portal.i18n import LANGUAGE_NAMES, LOCALE
from gateway.errors import UsageError
from gateway.settings import Portal

OWN = frozenset({"nb", "nn", "en"})
_REVIEWED_BY = re.compile(r'^"X-Reviewed-By: *(.*?) *\\n"$', re.MULTILINE)


def check_languages(portal: Portal, locale: Path = LOCALE) -> None:
    """Raises: UsageError when a language can't be offered, saying what is missing."""
    if len(set(portal.languages)) != len(portal.languages):
        raise UsageError("portal.languages names a language twice; write each once")
    for language in portal.languages:
        if language in OWN:
            continue
        name = LANGUAGE_NAMES[language]
        path = locale / language / "LC_MESSAGES" / "guest.po"
        if not path.exists():
            raise UsageError(f"portal.languages: there are no texts in {name} ({language}) yet; take it out")
        if not (portal.reviewers.get(language, "").strip() or reviewer(path)):
            raise UsageError(
                f"portal.languages: nobody is named who has read the texts in {name}, a draft until then;"
                f' have them read, and write who and when into portal.reviewers, as in {language} = "Ola Nordmann"'
            )


def reviewer(path: Path) -> str:
    """Who has reviewed a catalogue, as its header says; "" for a draft."""
    found = _REVIEWED_BY.search(path.read_text(encoding="utf-8"))
    return found[1] if found is not None else ""
