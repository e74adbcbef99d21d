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
_BY_POINT: Mapping[GuidelinePoint, Callable[[Translator], str]] = {
    "risk_sites": lambda t: t("Sites that bring risk are to be avoided. The guidelines name some, “and the like”."),
    "security": lambda t: t("The guidelines are there for security, and sites of this kind can put networks at risk."),
    "stable_operation": lambda t: t("The guidelines are there so that the networks work steadily for everybody."),
    "downloads": lambda t: t("Nothing is to be downloaded and installed that the ICT department has not cleared."),
    "social_media": lambda t: t("Using social media for the municipality is to be cleared with its leadership."),
}


def rule(t: Translator, category: str) -> str:
    """The rule that closes a category (a key of `CATEGORIES`), in a sentence or two."""
    words = _BY_CATEGORY.get(category) or _BY_POINT[CATEGORIES[category].guideline]
    return words(t)


def own_rule(guidelines: Mapping[str, str], category: str) -> str:
    """What the municipality calls its rule for a category; "" where it has not said."""
    return guidelines.get(category) or guidelines.get(DEFAULT, "")
