"""What to correct in a form, in words."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.guest import form
from captive_portal.i18n import Translator

USED_UP = "The form could not be used any more. Press the button once more."
RULES_CHANGED = "The rules have changed since you opened the page. Read the new ones and press the button once more."


def messages(rejected: form.Rejected, t: Translator) -> dict[str, str]:
    """What to correct, by field."""
    return {
        name: t(_FIELD_MESSAGES[name, problem], limit=form.MAX_CHARS[name])
        for name, problem in rejected.problems.items()
    }


_FIELD_MESSAGES: Mapping[tuple[form.Field, form.Problem], str] = {
    ("name", "missing"): "Write your name.",
    ("name", "too_long"): "The name can have at most {limit} characters.",
    ("name", "characters"): "The name has characters that can’t be used, for example < or >.",
    ("organisation", "missing"): "Write the organisation or company.",
    ("organisation", "too_long"): "The organisation can have at most {limit} characters.",
    ("organisation", "characters"): "The organisation has characters that can’t be used, for example < or >.",
    ("contact", "missing"): "Write a phone number or an e-mail address.",
    ("contact", "too_long"): "Phone or e-mail can have at most {limit} characters.",
    ("contact", "characters"): "Phone or e-mail has characters that can’t be used, for example < or >.",
    ("course_code", "missing"): "Write the course code.",
    ("course_code", "too_long"): "The course code can have at most {limit} characters.",
    ("course_code", "characters"): "The course code has characters that can’t be used, for example < or >.",
}
