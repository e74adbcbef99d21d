"""What the page about closed names says is wrong with what was typed, or with the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from captive_portal.guest.typed_name import Problem
from captive_portal.i18n import Translator
from gateway.access.exemption_requests import PURPOSE_MAX_CHARS

Wrong = Literal["stale", "too_many", "never", "no_purpose", "purpose"]

PROBLEMS: Mapping[Problem, Callable[[Translator], str]] = {
    "empty": lambda t: t("Write the name of a website, or paste its address."),
    "address": lambda t: t("This is an IP address. The content filter is about names of websites, such as example.no."),
    "name": lambda t: t("This is not the name of a website. Write it as example.no, or paste its address."),
}
WRONG: Mapping[Wrong, Callable[[Translator], str]] = {
    "stale": lambda t: t("The form could not be used any more. Press the button once more."),
    "too_many": lambda t: t("You have asked for several exemptions already. Wait until they are answered, or call."),
    "never": lambda t: t("No exemption is given for sites that harm devices or trick people."),
    "no_purpose": lambda t: t("Write what you need it for."),
    "purpose": lambda t: t(
        "Write what you need it for in one line of at most {limit} characters.", limit=PURPOSE_MAX_CHARS
    ),
}
