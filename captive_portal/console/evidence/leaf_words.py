"""Entries of the log in words: a title for each type, a sentence of its plain fields, a label for a personal one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from captive_portal.console.look import N_
from captive_portal.i18n import LANGUAGE_NAMES, Translator
from gateway.audit.entry import SHAPES
from policies.categories import CATEGORIES, Language

# What happens to guests at one site; everything else concerns the whole owner.
LOCAL = frozenset(
    {
        "acceptance",
        "grant_moved",
        "grant_revoked",
        "grant_extended",
        "grant_ended",
        "device_admitted",
        "device_blocked",
        "network_switched",
        "host_answered",
        "exemption_decided",
    }
)
# Opened whatever an auditor's period is: without them no acceptance can be understood or proved.
ALWAYS = frozenset({"rules_published", "rules_asked_again", "rules_withdrawn", "policy_published", "key_rotated"})

TITLES: Mapping[str, str] = {
    "acceptance": N_("Rules accepted"),
    "rules_published": N_("Rules published"),
    "rules_asked_again": N_("Accepting asked for again"),
    "rules_proposed": N_("Rules proposed, or the proposal withdrawn"),
    "rules_withdrawn": N_("Rules withdrawn before they came into force"),
    "policy_published": N_("Content filter published"),
    "grant_moved": N_("Device moved to another group"),
    "grant_revoked": N_("Access ended by staff"),
    "grant_extended": N_("Access extended"),
    "grant_ended": N_("Access ended by the guest"),
    "export": N_("Export made"),
    "staff_change": N_("Account changed"),
    "staff_login": N_("Staff signed in"),
    "exemption_changed": N_("Exemption changed"),
    "exemption_decided": N_("Request for an exemption decided"),
    "device_admitted": N_("Device admitted by staff"),
    "device_blocked": N_("Device blocked"),
    "network_switched": N_("Guest network switched"),
    "course_changed": N_("Course"),
    "setting_changed": N_("Setting changed"),
    "host_answered": N_("Host answered a guest"),
    "erased": N_("Personal data erased"),
    "retention_run": N_("Old personal data erased"),
    "subject_access": N_("Somebody’s own data shown to them"),
    "key_rotated": N_("Signing key replaced"),
    "restored": N_("Database restored from a backup"),
}
assert TITLES.keys() == SHAPES.keys(), "a type of entry has no title"

SENTENCES: Mapping[str, str] = {
    "acceptance": N_("Version {version} of the rules, read in {language}. Identified: {identified}."),
    "rules_published": N_("Version {version} of the rules."),
    "rules_asked_again": N_("Those who are online under earlier rules are asked to accept version {version}."),
    "rules_proposed": N_("{change}: version {version} of the rules."),
    "rules_withdrawn": N_("Version {version} of the rules never came into force."),
    "policy_published": N_("Generation {generation} of the content filter."),
    "grant_moved": N_("From the group {from_group} to {to_group}."),
    "grant_revoked": N_("The device is no longer let through."),
    "grant_extended": N_("The device may be online until {until}."),
    "grant_ended": N_("{cause}. The device is no longer let through."),
    "export": N_("Entries {first} to {last} of the log, which then had {size}."),
    "staff_change": N_("{change}. Role: {role}."),
    "staff_login": N_("{method}: {result}."),
    "exemption_changed": N_("{change}: group {group}, {categories}, until {until}."),
    "exemption_decided": N_("{decision}: group {group}, {categories}."),
    "device_admitted": N_("Group {group}, until {until}."),
    "device_blocked": N_("{change}, until {until}."),
    "network_switched": N_("Network {network}: {mode}, until {until}."),
    "course_changed": N_("{change}: group {group}, from {since} until {until}, at most {devices} devices."),
    "setting_changed": N_("The setting {setting}."),
    "host_answered": N_("{answer}; the guest asked {asked}."),
    "erased": N_("The personal data of entries {leaves}. Ground: {ground}. The entries and their proofs stay."),
    "retention_run": N_("{erased} entries from before {before}. The entries and their proofs stay."),
    "subject_access": N_("What stands about a person in entries {leaves}. Ground: {ground}."),
    "key_rotated": N_("From {old_vkey} to {new_vkey}."),
    "restored": N_("{known_size} entries were signed before; the restored database held {size}."),
}
assert SENTENCES.keys() == SHAPES.keys(), "a type of entry has no sentence"

OF_A_GROUP: Mapping[str, str] = {
    "acceptance": N_(
        "Version {version} of the rules of the group {group}, read in {language}. Identified: {identified}."
    ),
    "rules_published": N_("Version {version} of the rules, for the group {group}."),
    "rules_proposed": N_("{change}: version {version} of the rules, for the group {group}."),
}

_GROUPS = frozenset({"group", "from_group", "to_group"})
IN_FORCE_LATER = N_("In force from {in_force_from}.")

FIELDS: Mapping[str, str] = {
    "name": N_("Name"),
    "organisation": N_("Organisation"),
    "contact": N_("Contact"),
    "mac": N_("Device"),
    "address": N_("IP address"),
    "course_code": N_("Course code"),
    "receipt": N_("Receipt"),
    "by": N_("By"),
    "staff": N_("Staff"),
    "subject": N_("Account"),
    "note": N_("Note"),
    "reason": N_("Reason"),
    "purpose": N_("Purpose"),
    "filter": N_("Selection"),
    "unit": N_("Unit"),
    "scope": N_("Limits"),
    "title": N_("Title"),
    "approved_by": N_("Approved by"),
    "before": N_("Before"),
    "after": N_("After"),
}
assert FIELDS.keys() >= {name for shape in SHAPES.values() for name in shape.personal}, "a field has no label"

_KNOWN: Mapping[str, Mapping[str, str]] = {
    "identified": {
        "self_declared": N_("by what the person wrote"),
        "course_code": N_("by a course code"),
        "host_approved": N_("by the host"),
        "oidc": N_("by signing in elsewhere"),
        "known_device": N_("by the device, on which the rules had been accepted before"),
        "device_words": N_("by three words that another of the person’s devices showed"),
        "receipt_code": N_("by the receipt of an earlier acceptance"),
    },
    "cause": {
        "signed_off": N_("The guest signed off"),
        "replaced": N_("The same device came back with a new address"),
        "other_device": N_("The guest ended it from another device"),
    },
    "change": {
        "added": N_("Added"),
        "reset": N_("New link, password and second factors taken"),
        "changed": N_("Changed"),
        "ended": N_("Ended"),
        "disabled": N_("Disabled"),
        "reopened": N_("Opened again"),
        "authenticator_removed": N_("Authenticator removed"),
        "password_set": N_("Password chosen"),
        "password_changed": N_("Password changed"),
        "authenticator_set": N_("New authenticator"),
        "recovery_codes": N_("New recovery codes"),
        "passkey_added": N_("Passkey registered"),
        "passkey_removed": N_("Passkey removed"),
        "session_ended": N_("Signed out by IT"),
        "token_added": N_("Access token made"),
        "token_revoked": N_("Access token revoked"),
        "linked": N_("Signs in elsewhere from now on"),
        "removed": N_("Removed"),
        "proposed": N_("Proposed"),
        "withdrawn": N_("Proposal withdrawn"),
        "blocked": N_("Blocked"),
        "lifted": N_("Block lifted"),
    },
    "mode": {
        "normal": N_("as usual"),
        "closed": N_("all closed"),
        "rules_only": N_("open without accepting"),
    },
    "decision": {"granted": N_("Granted"), "declined": N_("Declined"), "passed_on": N_("Left to IT by the host")},
    "role": {"it": N_("IT"), "auditor": N_("auditor"), "host": N_("host")},
    "answer": {"approved": N_("Approved"), "denied": N_("Denied")},
    "method": {
        "password": N_("Password"),
        "password+totp": N_("Password and authenticator"),
        "password+recovery": N_("Password and recovery code"),
        "passkey": N_("Passkey"),
        "password+passkey": N_("Password and passkey"),
        "oidc": N_("Signing in elsewhere"),
    },
    "result": {
        "ok": N_("signed in"),
        "wrong_code": N_("refused, the code was wrong"),
        "wrong_key": N_("refused, the passkey was wrong"),
        "unverified": N_("refused, the passkey had not checked whose hand it was in"),
        "counter": N_("refused, the passkey may have been copied"),
        "ended": N_("refused, the account had ended"),
        "disabled": N_("refused, the account was disabled"),
        "no_role": N_("refused, without access here"),
    },
    "ground": {
        "request": N_("the person asked for it"),
        "retention": N_("the time for keeping it was over"),
        "restore": N_("it had been erased before the database was restored"),
        "receipt_code": N_("the person showed the receipt code"),
        "device": N_("the person had the device"),
        "identity_check": N_("the person’s identity was checked"),
    },
}


def title(translate: Translator, type_: str) -> str:
    """What happened, in a few words."""
    return translate(TITLES[type_])


def sentence(translate: Translator, document: Mapping[str, Any], called: Callable[[str], str] = str) -> str:
    """What the plain fields of an entry say; `called` tells what people call a group by its key."""
    values: dict[str, Any] = dict(document)
    if document["type"] == "acceptance":
        language = document["rules"]["language"]
        values |= {"version": document["rules"]["version"], "language": LANGUAGE_NAMES.get(language, language)}
        values["identified"] = document["identified_by"]
        values |= {key: value for key, value in document["rules"].items() if key == "group"}
    if document["type"] == "export" and isinstance(document["last"], int):
        values["last"] = document["last"] - 1  # the entry keeps the first number that is not part of it
    said = {
        key: called(str(value)) if key in _GROUPS else _word(translate, key, value) for key, value in values.items()
    }
    type_ = document["type"]
    own = OF_A_GROUP.get(type_) if "group" in values else None
    words = translate(own or SENTENCES[type_], **said)
    return f"{words} {translate(IN_FORCE_LATER, **said)}" if "in_force_from" in said else words


def label(translate: Translator, field: str) -> str:
    """What a personal field is called."""
    return translate(FIELDS[field])


def _moment(translate: Translator, text: str) -> str:
    """A moment as an entry holds it, in local time; what is none stays as it is."""
    try:
        return translate.moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def _word(translate: Translator, key: str, value: Any) -> str:
    if key in ("since", "until", "before", "asked", "in_force_from"):
        return _moment(translate, str(value))
    if key == "categories" and isinstance(value, list):
        language = cast(Language, translate.language)
        return ", ".join(CATEGORIES[each].names[language] if each in CATEGORIES else str(each) for each in value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    known = _KNOWN.get(key, {}).get(str(value))
    return translate(known) if known is not None else str(value)
