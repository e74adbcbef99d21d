"""Which rule of the municipality's guidelines closes a category, in words.

The guidelines name online games, file sharing, dating and pornography among sites that bring risk, "and the like"; they
give security and stable operation as their reasons; nothing is downloaded and installed that has not been cleared. What
a municipality calls its own rule is the setting `owner.guidelines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from captive_portal.i18n import Translator
from policies.categories import CATEGORIES, GuidelinePoint

DEFAULT = "default"

_BY_CATEGORY: Mapping[str, Callable[[Translator], str]] = {
    "gaming": lambda t: t("Sites that bring risk are to be avoided. The guidelines name games among them."),
    "file_sharing": lambda t: t(
        "Sites that bring risk are to be avoided. The guidelines name file sharing among them."
    ),
    "dating": lambda t: t("Sites that bring risk are to be avoided. The guidelines name dating services among them."),
    "adult": lambda t: t("Sites that bring risk are to be avoided. The guidelines name pornography among them."),
    "malware": lambda t: t("The guidelines are there for security. Sites of this kind harm devices."),
    "phishing": lambda t: t("The guidelines are there for security. Sites of this kind trick people."),
}
# The points of the municipal guidelines (Administrasjonsutvalget 6.12.12), in the order in which they are told.
REASONS: Mapping[GuidelinePoint, str] = {
    "risk_sites": (
        "The municipality’s ICT guidelines say that websites with risk are to be avoided, on a guest’s device too."
    ),
    "security": "To keep the municipality’s systems and your device secure.",
    "stable_operation": "To keep the network running reliably for everybody.",
    "downloads": (
        "The guidelines say that programs are to be cleared with the ICT department before they are installed."
    ),
    "social_media": "The guidelines say that social media for the municipality are to be cleared with its management.",
}


def rule(t: Translator, category: str) -> str:
    """The rule that closes a category (a key of `CATEGORIES`), in a sentence or two."""
    words = _BY_CATEGORY.get(category)
    return words(t) if words is not None else t(REASONS[CATEGORIES[category].guideline])


def own_rule(guidelines: Mapping[str, str], category: str) -> str:
    """What the municipality calls its rule for a category; "" where it has not said."""
    return guidelines.get(category) or guidelines.get(DEFAULT, "")
