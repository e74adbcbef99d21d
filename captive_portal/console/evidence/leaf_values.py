"""Personal values of an entry that the product itself wrote, in the reader's words: selections, limits and times.

What a person wrote stays as it is, and so does a value that can't be read: an entry shows what stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from captive_portal.console import kept_words
from captive_portal.console.evidence.leaf_words import FIELDS
from captive_portal.console.look import N_
from captive_portal.i18n import Translator
from gateway.audit.view import PERSONAL_COLUMNS
from gateway.settings.now import GIVEN_BACK
from gateway.terms.drafting import ASKED_AGAIN

RESTORED = N_("restored database")  # the reason that the sealer gives for a key that it has taken over
PERIOD = N_("From {since} until {until}")
_NARROWED: Mapping[str, str] = {
    "site": N_("Site"),
    "version": N_("Version of the rules"),
    "course": N_("Course code"),
    "name": N_("Name, or part of it"),
    "device": N_("Device"),
}
_VIEWS: Mapping[str, str] = {"xlsx": N_("Excel workbook"), "report": N_("Report (PDF)")}


def said(translate: Translator, type_: str, name: str, value: str, called: Callable[[str], str] = str) -> str:
    """The value `name` of an entry of this type, as a reader is told it; `called` tells what people call an exemption
    by its identity.
    """
    words = kept_words.by if name in ("by", "staff") else _WORDS.get((type_, name))
    try:
        if (type_, name) == ("exemption_changed", "scope"):
            return _exemption(translate, value, called)
        return words(translate, value) if words is not None else value
    except (ValueError, KeyError, TypeError, AttributeError):
        return value


def _selection(translate: Translator, text: str) -> str:
    """What an export chose: `gateway.audit.order.Order.recorded`."""
    order = json.loads(text)
    chosen = order["filter"]
    parts = [translate(PERIOD, since=_moment(translate, chosen["from"]), until=_moment(translate, chosen["to"]))]
    parts += [f"{translate(label)}: {chosen[key]}" for key, label in _NARROWED.items() if key in chosen]
    parts.append(_shows(translate, order["fields"]))
    if (sample := order.get("sample")) is not None:
        parts.append(
            translate(
                N_("Sample: {count} rows, by the number {number}"), count=sample["count"], number=sample["number"]
            )
        )
    parts += [translate(_VIEWS.get(view, view)) for view in order.get("views", ())]
    return "; ".join(parts)


def _limits(translate: Translator, text: str) -> str:
    """End and scope of an account, as `captive_portal.auth.accounts` records them; or a token, as `api_tokens` does."""
    limits = json.loads(text)
    if "token" in limits:
        return translate(
            N_("Token {name}, until {moment}: {scopes}"),
            name=limits["token"],
            moment=_moment(translate, limits["ends_at"]),
            scopes=", ".join(limits["scopes"]),
        )
    ends_at, scope = limits["ends_at"], limits["scope"]
    parts = [
        translate(N_("The account has no end"))
        if ends_at is None
        else translate(N_("The account ends {moment}"), moment=_moment(translate, ends_at))
    ]
    if "unit" in limits:
        return "; ".join([*parts, translate(N_("Sees the courses of {unit} and nothing else"), unit=limits["unit"])])
    if scope is None:
        return "; ".join([*parts, translate(N_("Sees everything"))])
    if scope["sites"] is not None:
        parts.append(translate(N_("Sites: {sites}"), sites=", ".join(scope["sites"]) or "–"))
    if scope["since"] is not None:
        parts.append(translate(N_("Data from {moment}"), moment=_moment(translate, scope["since"])))
    if scope["until"] is not None:
        parts.append(translate(N_("Data until {moment}"), moment=_moment(translate, scope["until"])))
    return "; ".join([*parts, _shows(translate, scope["fields"])])


def _exemption(translate: Translator, text: str, called: Callable[[str], str]) -> str:
    """An exemption's own name and from when it holds, as `gateway.lists.exemption_leaves` records them."""
    name, _, since = text.rpartition(" from ")
    return translate(N_("{name}, from {moment}"), name=called(name), moment=_moment(translate, since))


def _policy_note(translate: Translator, text: str) -> str:
    return kept_words.note(translate, kept_words.INSTALLER, text)


def _reason(translate: Translator, text: str) -> str:
    return translate(RESTORED) if text == RESTORED else text


def _ended(translate: Translator, text: str) -> str:
    return (
        translate(N_("A new version of the rules was published, and everybody is asked again"))
        if text == ASKED_AGAIN
        else text
    )


def _given_back(translate: Translator, text: str) -> str:
    return translate(N_("given back to the settings file")) if text == GIVEN_BACK else text


def _shows(translate: Translator, fields: Sequence[str]) -> str:
    if set(fields) == set(PERSONAL_COLUMNS):
        return translate(N_("Shows all personal fields"))
    named = ", ".join(translate(FIELDS[name]) for name in PERSONAL_COLUMNS if name in fields)
    return translate(N_("Shows: {fields}"), fields=named) if named else translate(N_("Shows no personal fields"))


def _moment(translate: Translator, text: str) -> str:
    return translate.moment(datetime.fromisoformat(text))


_WORDS: Mapping[tuple[str, str], Callable[[Translator, str], str]] = {
    ("export", "filter"): _selection,
    ("staff_change", "scope"): _limits,
    ("policy_published", "note"): _policy_note,
    ("exemption_changed", "reason"): kept_words.reason,
    ("key_rotated", "reason"): _reason,
    ("grant_revoked", "reason"): _ended,
    ("setting_changed", "note"): _given_back,
}
