"""What the settings that IT changes in the console are called, what each is for, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.console.look import N_
from gateway.settings.operational import OPERATIONAL, Problem
from gateway.settings.origin import Origin

SECTIONS: Mapping[str, str] = {
    "owner": N_("The municipality and its help desk"),
    "portal": N_("Guest pages"),
    "privacy": N_("What guests are told of their personal data"),
    "courses": N_("Courses"),
    "console": N_("Staying signed in to the console"),
}
LABELS: Mapping[str, tuple[str, str]] = {
    "owner.name": (
        N_("What the municipality is called"),
        N_("Guests see it at the top of every page. It can’t be empty."),
    ),
    "owner.unit": (
        N_("What the ICT department is called"),
        N_("Guests are sent to it for help. It can’t be empty."),
    ),
    "owner.helpdesk_phone": (
        N_("Telephone of the help desk"),
        N_("Stands on the guest pages and the posters. Empty: guests are sent to the person who invited them."),
    ),
    "owner.helpdesk_hours": (N_("When the help desk answers"), N_("Such as: weekdays 8–15. Stands beside the number.")),
    "portal.accessibility_statement": (
        N_("Accessibility statement"),
        N_("Its address at uustatus.no, as in https://uustatus.no/nb/erklaringer/publisert/…"),
    ),
    "privacy.controller": (
        N_("Who is responsible for guests’ personal data"),
        N_("The municipality and how to reach it. Guests read it before they accept the rules."),
    ),
    "privacy.dpo": (N_("Data protection officer"), N_("Who it is and how to reach them. Guests read it.")),
    "privacy.legal_basis": (
        N_("By which right guests’ personal data are kept"),
        N_("One of the letters of article 6(1) of the GDPR. Guests read it."),
    ),
    "privacy.legal_basis_law": (
        N_("The law that this right rests on"),
        N_("As in kommuneloven § 25-1. A legitimate interest needs none. Guests read it."),
    ),
    "privacy.backup_days": (
        N_("For how many days backups are kept"),
        N_("A whole number from 0 to 3650; 0 when none are made. Guests read it."),
    ),
    "courses.host_groups": (
        N_("Groups that hosts may give their courses"),
        N_("Keys of groups of the content filter, with spaces between."),
    ),
    "console.idle_minutes": (
        N_("Minutes without a page before staff sign in again"),
        N_("A whole number from 5 to 1440."),
    ),
    "console.session_hours": (
        N_("Hours before staff sign in again, however busy"),
        N_("A whole number from 1 to 168. It holds for those who sign in from now on."),
    ),
}
assert SECTIONS.keys() == {each.section for each in OPERATIONAL.values()}, "a table has no heading"
assert len({each.name for each in OPERATIONAL.values()}) == len(OPERATIONAL), "two fields of the form have one name"
assert LABELS.keys() == OPERATIONAL.keys(), "a setting has no label"

CHOICES: Mapping[str, Mapping[str, str]] = {
    "privacy.legal_basis": {
        "6.1.c": N_("6.1.c: a legal obligation"),
        "6.1.e": N_("6.1.e: a task in the public interest"),
        "6.1.f": N_("6.1.f: a legitimate interest"),
    }
}
"""What there is to choose from where a setting is chosen and not written: each value with its words."""
assert CHOICES.keys() == {key for key, each in OPERATIONAL.items() if each.kind == "choice"}

PROBLEMS: Mapping[Problem, str] = {
    "line": N_(
        "Write it in one line: not empty where guests have to be told, not too long, without unusual characters."
    ),
    "phone": N_("Write a telephone number: digits, spaces and + ( ) -"),
    "address": N_("Write an address at uustatus.no, as in https://uustatus.no/nb/erklaringer/publisert/…"),
    "number": N_("Write a whole number within the bounds."),
    "choice": N_("Choose one of these."),
    "keys": N_("Write keys of a–z, 0–9 and -, with spaces between."),
}
CHANGED_BY = N_("Changed by {name} since you opened the page.")
CHANGED = N_("Changed since you opened the page.")
NOW, NOW_NOTHING = N_("Now it says “{value}”."), N_("Now it says nothing.")
YOURS = N_("Save again if yours is to hold.")
"""What is told beside a field that two people write in."""
BOTH = N_("Something is written here, and the settings file is to hold as well. Take the tick away, or what you wrote.")
NO_GROUP = N_("The content filter in force has no group with that key: {key}")
ORIGINS: Mapping[Origin, str] = {
    "default": N_("default"),
    "file": N_("settings file or command line"),
    "environment": N_("environment"),
    "console": N_("changed here"),
}
