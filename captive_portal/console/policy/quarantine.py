"""The quarantine of the policy page: listed names that are held back, why in words, and overruling one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from captive_portal.console.look import N_
from captive_portal.i18n import Translator
from policies.categories import CATEGORIES
from policies.hygiene import Quarantined, read_quarantine
from policies.snapshot import Snapshot

SHOWN = 50
NOTE = N_("Quarantine overruled: {name} ({source})")
GONE = N_("The name is not in quarantine any more, or can't be overruled. The page has been loaded again.")
REASONS: Mapping[str, str] = {
    "public_suffix": N_("Others register names below it."),
    "private_suffix": N_("Others have their sites below it."),
    "bare_tld": N_("It is a whole top-level domain."),
    "above_never_blocked": N_("Below it is {detail}, which is never blocked."),
    "never_blocked": N_("{detail} and what is below it is never blocked."),
    "infrastructure": N_("Other sites are served through it ({detail})."),
    "misfiled": N_("It is a widely used site of another kind."),
}
MISFILED_AS = N_("It is a widely used site of another kind: {kinds}.")


@dataclass(frozen=True)
class Held:
    """The quarantine of a snapshot: the first `SHOWN` names, and how many there are in all."""

    total: int
    rows: tuple[Quarantined, ...]


def held_back(snapshot: Snapshot) -> Held:
    """What hygiene held back when `snapshot` was compiled."""
    totals, entries = read_quarantine(snapshot.section("quarantine"))
    return Held(sum(totals.values()), entries[:SHOWN])


def is_held(snapshot: Snapshot, name: str, source: str) -> bool:
    """Whether the list `source` has `name`, and it is held back in a way that IT can overrule."""
    _, entries = read_quarantine(snapshot.section("quarantine"))
    return any((each.name, each.source) == (name, source) and can_be_overruled(each) for each in entries)


def can_be_overruled(each: Quarantined) -> bool:
    """Whether overruling would change anything: what is never blocked stays open whatever lists say."""
    return each.reason != "never_blocked"


def is_overruled(document: Mapping[str, Any], name: str, source: str) -> bool:
    """Whether a policy document has IT's word already that the list `source` may close `name`."""
    return any(each["name"] == name and each.get("source", source) == source for each in document.get("overrules", ()))


def overrule(document: dict[str, Any], name: str, source: str) -> None:
    """Let the list `source` close `name` in a policy document; a document that says so already stays as it is."""
    if not is_overruled(document, name, source):
        document["overrules"] = [*document.get("overrules", ()), {"name": name, "source": source}]


def in_words(translate: Translator, reason: str, detail: str) -> str:
    """Why a name is held back, as a sentence."""
    kinds = ", ".join(_kinds(translate.language, detail)) if reason == "misfiled" else ""
    return translate(MISFILED_AS, kinds=kinds) if kinds else translate(REASONS[reason], detail=detail)


def _kinds(language: str, keys: str) -> Iterator[str]:
    for key in keys.split():
        category = CATEGORIES.get(key)
        yield key if category is None else category.names[language]
