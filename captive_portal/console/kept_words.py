"""What the product itself writes into a policy and its history: kept in English, shown in the reader's language."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from captive_portal.console.look import N_
from captive_portal.i18n import Translator
from policies.categories import CATEGORIES, Language
from policies.model import Policy

# What an installation publishes first, and as whom.
INSTALLER = "gjestenett"
STARTER_NOTE = N_("starter policy")
COMMAND_LINE = N_("command line")
ROLLBACK = N_("rollback to generation {number}")
REQUEST = N_("a guest’s request")
_ROLLBACK = re.compile("rollback to generation ([0-9]+)")
_REQUEST = re.compile("exemption request ([0-9A-Za-z]{1,64})")
OPENED = N_("opened by a host for one course: {category}")
CLOSED = N_("closed again by a host for one course: {category}")
FOLLOWED = N_("what hosts have opened follows the course")
_BY_HOST = re.compile("(opened|closed again) by a host for one course: ([a-z_]+)")


def by(translate: Translator, published_by: str) -> str:
    """Who published a generation."""
    return translate(COMMAND_LINE) if published_by == COMMAND_LINE else published_by


def note(translate: Translator, published_by: str, text: str) -> str:
    """The note of a generation; what a person wrote stays as it is."""
    if published_by == INSTALLER and text == STARTER_NOTE:
        return translate(STARTER_NOTE)
    if text == FOLLOWED:
        return translate(FOLLOWED)
    if (by_host := _BY_HOST.fullmatch(text)) is not None and by_host[2] in CATEGORIES:
        said = CATEGORIES[by_host[2]].names[cast(Language, translate.language)]
        return translate(OPENED if by_host[1] == "opened" else CLOSED, category=said)
    rolled_back = _ROLLBACK.fullmatch(text)
    return reason(translate, text) if rolled_back is None else translate(ROLLBACK, number=rolled_back[1])


def reason(translate: Translator, text: str) -> str:
    """Why there is an exemption: that a guest asked for it, or what a person wrote, as it is."""
    return translate(REQUEST) if request_of(text) else text


def request_of(text: str) -> str:
    """The guest's request that a reason or a note is of, as its page is addressed; "" where it is of none."""
    asked = _REQUEST.fullmatch(text)
    return "" if asked is None else asked[1]


def readable(translate: Translator, policy: Policy) -> Policy:
    """The policy with the reasons of its exemptions as `reason` says them, to be told and not kept."""
    told = (replace(each, reason=reason(translate, each.reason)) for each in policy.exemptions)
    return replace(policy, exemptions=tuple(told))
