"""How pages are drawn: translations and templates, read once at start; each is compiled when it is first drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from captive_portal.i18n import LANGUAGE_NAMES, Translator, negotiate, translators
from gateway.access.receipts import format_receipt_code
from gateway.clock import ends_a_day, format_utc, last_day

LANGUAGES = ("nb", "nn", "en")
TEMPLATES = Path(__file__).parent.parent / "templates" / "console"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks an English text that a template translates later."""
    return text


class Look:
    """The console's templates in its languages. Immutable; safe to share between threads."""

    def __init__(self) -> None:
        self._translators = translators("console", LANGUAGES)
        self._environment = _environment()

    def language(self, asked: str, kept: str, accept_language: str) -> str:
        """The language of a visit: by link, else as last chosen, else as the browser wants, else bokmål."""
        return negotiate(accept_language, asked if asked in LANGUAGES else kept, LANGUAGES)

    def translator(self, language: str) -> Translator:
        """One of the console's languages, for a text that is kept instead of shown."""
        return self._translators[language]

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> str:
        """The HTML of a template of `templates/console`."""
        return self._environment.get_template(template).render(
            **values, _=self._translators[language], language=language
        )


def _sources() -> dict[str, str]:
    """Every page as it is now: one of a later release, put in its place meanwhile, would not fit this process."""
    return {
        path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")
    }


@cache  # once a process; compiling every template at start would take a second
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader(_sources()), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, cache_size=-1,
    )  # fmt: skip
    environment.filters["zip"] = zip
    environment.globals["language_names"] = LANGUAGE_NAMES  # of texts; guests may be shown others than staff
    environment.globals["languages"] = {code: LANGUAGE_NAMES[code] for code in LANGUAGES}
    environment.filters["utc"] = format_utc
    environment.filters["last_day"] = last_day
    environment.filters["ends_a_day"] = ends_a_day
    environment.filters["moment_of"] = datetime.fromisoformat
    environment.filters["receipt"] = format_receipt_code
    return environment
