"""What the product itself writes into a policy's history: kept in English, shown in the reader's language."""

from __future__ import annotations

import re

from captive_portal.console.look import N_
from captive_portal.i18n import Translator

# What an installation publishes first, and as whom.
INSTALLER = "gjestenett"
STARTER_NOTE = N_("starter policy")
COMMAND_LINE = N_("command line")
ROLLBACK = N_("rollback to generation {number}")
_ROLLBACK = re.compile("rollback to generation ([0-9]+)")


def by(translate: Translator, published_by: str) -> str:
    """Who published a generation."""
    return translate(COMMAND_LINE) if published_by == COMMAND_LINE else published_by


def note(translate: Translator, published_by: str, text: str) -> str:
    """The note of a generation; what a person wrote stays as it is."""
    if published_by == INSTALLER and text == STARTER_NOTE:
        return translate(STARTER_NOTE)
    rolled_back = _ROLLBACK.fullmatch(text)
    return text if rolled_back is None else translate(ROLLBACK, number=rolled_back[1])
