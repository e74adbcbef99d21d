"""Changes between policies in words: bokmål, nynorsk, English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from policies.categories import CATEGORIES, Language
from policies.diff import Change
from policies.model import Exemption, Schedule
from policies.schedule import write_minute

SENTENCES: Mapping[str, tuple[str, str, str]] = {
    "block_answer": (
        "stengte navn besvares med {after} i stedet for {before}",
        "stengde namn blir svara med {after} i staden for {before}",
        "closed names are answered with {after} instead of {before}",
    ),
    "time_zone": (
        "tidsplaner følger tidssonen {after} i stedet for {before}",
        "tidsplanar følgjer tidssona {after} i staden for {before}",
        "schedules follow the time zone {after} instead of {before}",
    ),
    "own_zone_added": (
        "{name} er en av våre egne soner", "{name} er ei av våre eigne soner", "{name} is a zone of our own"
    ),
    "own_zone_removed": (
        "{name} er ikke lenger en egen sone", "{name} er ikkje lenger ei eiga sone", "{name} is no longer our own zone"
    ),
    "never_blocked_added": (
        "{name} blir aldri stengt", "{name} blir aldri stengt", "{name} is never blocked"
    ),
    "never_blocked_removed": (
        "{name} kan stenges igjen", "{name} kan stengjast igjen", "{name} can be blocked again"
    ),
    "private_suffixes_on": (
        "vertsdomener i listene holdes tilbake",
        "vertsdomene i listene blir haldne tilbake",
        "hosting domains in lists are held back",
    ),
    "private_suffixes_off": (
        "vertsdomener i listene stenges som de står",
        "vertsdomene i listene blir stengde som dei står",
        "hosting domains in lists are blocked as listed",
    ),
    "group_added": ("ny gruppe {group}", "ny gruppe {group}", "new group {group}"),
    "group_removed": ("gruppen {group} er fjernet", "gruppa {group} er fjerna", "group {group} removed"),
    "mark": (
        "gruppen {group} får merke {after} i stedet for {before}",
        "gruppa {group} får merke {after} i staden for {before}",
        "group {group} gets mark {after} instead of {before}",
    ),
    "titles": ("gruppen {group} heter nå «{after}»", "gruppa {group} heiter no «{after}»",
               "group {group} is now called “{after}”"),
    "like": (
        "gruppen {group} følger reglene for gruppen {other}",
        "gruppa {group} følgjer reglane for gruppa {other}",
        "group {group} has the rules of group {other}",
    ),
    "like_ended": (
        "gruppen {group} følger ikke lenger reglene for gruppen {other}",
        "gruppa {group} følgjer ikkje lenger reglane for gruppa {other}",
        "group {group} no longer has the rules of group {other}",
    ),
    "host_category_added": (
        "verter kan åpne {category} for kursene sine",
        "vertar kan opne {category} for kursa sine",
        "hosts may open {category} for their courses",
    ),
    "host_category_removed": (
        "verter kan ikke lenger åpne {category}",
        "vertar kan ikkje lenger opne {category}",
        "hosts may no longer open {category}",
    ),
    "closed": ("{category} stengt for gruppen {group}", "{category} stengt for gruppa {group}",
               "{category} closed for group {group}"),
    "opened": ("{category} åpnet for gruppen {group}", "{category} opna for gruppa {group}",
               "{category} opened for group {group}"),
    "report_on": (
        "oppslag i {category} telles for gruppen {group} så lenge kategorien er åpen",
        "oppslag i {category} blir talde for gruppa {group} så lenge kategorien er open",
        "look-ups of {category} counted for group {group} while it is open",
    ),
    "report_off": (
        "oppslag i {category} telles ikke lenger for gruppen {group}",
        "oppslag i {category} blir ikkje lenger talde for gruppa {group}",
        "look-ups of {category} no longer counted for group {group}",
    ),
    "schedule_close": ("{category} stengt for gruppen {group} {hours}", "{category} stengt for gruppa {group} {hours}",
                       "{category} closed for group {group} {hours}"),
    "schedule_open": ("{category} åpnet for gruppen {group} {hours}", "{category} opna for gruppa {group} {hours}",
                      "{category} opened for group {group} {hours}"),
    "schedule_close_ended": (
        "{category} er ikke lenger stengt for gruppen {group} {hours}",
        "{category} er ikkje lenger stengt for gruppa {group} {hours}",
        "{category} no longer closed for group {group} {hours}",
    ),
    "schedule_open_ended": (
        "{category} er ikke lenger åpnet for gruppen {group} {hours}",
        "{category} er ikkje lenger opna for gruppa {group} {hours}",
        "{category} no longer opened for group {group} {hours}",
    ),
    "permit_added": ("{name} tillatt for gruppen {group}", "{name} tillate for gruppa {group}",
                     "{name} permitted for group {group}"),
    "permit_removed": ("{name} ikke lenger tillatt særskilt for gruppen {group}",
                       "{name} ikkje lenger tillate særskilt for gruppa {group}",
                       "{name} no longer permitted by name for group {group}"),
    "forbid_added": ("{name} forbudt for gruppen {group}", "{name} forbode for gruppa {group}",
                     "{name} forbidden for group {group}"),
    "forbid_removed": ("{name} ikke lenger forbudt særskilt for gruppen {group}",
                       "{name} ikkje lenger forbode særskilt for gruppa {group}",
                       "{name} no longer forbidden by name for group {group}"),
    "safe_search_added": ("trygt søk på for gruppen {group}: {name}", "trygt søk på for gruppa {group}: {name}",
                          "safe search on for group {group}: {name}"),
    "safe_search_removed": ("trygt søk av for gruppen {group}: {name}", "trygt søk av for gruppa {group}: {name}",
                            "safe search off for group {group}: {name}"),
    "judge_on": (
        "ukjente navn som ligner {category}, stenges for gruppen {group} fra {percent} % sikkerhet",
        "ukjende namn som liknar {category}, blir stengde for gruppa {group} frå {percent} % visse",
        "unlisted names that look like {category} blocked for group {group} from {percent} % confidence",
    ),
    "judge_off": (
        "ukjente navn som ligner {category}, meldes bare for gruppen {group}",
        "ukjende namn som liknar {category}, blir berre melde for gruppa {group}",
        "unlisted names that look like {category} only reported for group {group}",
    ),
    "top_names_on": (
        "stengte og mistenkte navn som minst fem enheter spør etter, lagres i 24 timer for gruppen {group}",
        "stengde og mistenkte namn som minst fem einingar spør etter, blir lagra i 24 timar for gruppa {group}",
        "refused and suspected names that at least five devices ask for kept for 24 hours for group {group}",
    ),
    "top_names_off": (
        "navn som enheter spør etter, lagres ikke lenger for gruppen {group}",
        "namn som einingar spør etter, blir ikkje lenger lagra for gruppa {group}",
        "names that devices ask for no longer kept for group {group}",
    ),
    "exemption_added": ("unntak {exemption}", "unntak {exemption}", "exemption {exemption}"),
    "exemption_changed": ("endret unntak {exemption}", "endra unntak {exemption}", "changed exemption {exemption}"),
    "exemption_removed": ("unntak fjernet: {exemption}", "unntak fjerna: {exemption}",
                          "exemption removed: {exemption}"),
    "overrule_added": (
        "{name} stenges som listene sier, selv om den ble holdt tilbake",
        "{name} blir stengt som listene seier, sjølv om han vart halden tilbake",
        "{name} is blocked as the lists say, though it was held back",
    ),
    "overrule_added_from": (
        "{name} stenges som listen {source} sier, selv om den ble holdt tilbake",
        "{name} blir stengt som lista {source} seier, sjølv om han vart halden tilbake",
        "{name} is blocked as the list {source} says, though it was held back",
    ),
    "overrule_removed": (
        "{name} holdes tilbake igjen",
        "{name} blir halden tilbake igjen",
        "{name} is held back again",
    ),
    "overrule_removed_from": (
        "{name} fra listen {source} holdes tilbake igjen",
        "{name} frå lista {source} blir halden tilbake igjen",
        "{name} from the list {source} is held back again",
    ),
}  # fmt: skip

_LANGUAGES: tuple[Language, ...] = ("nb", "nn", "en")
_WEEK = {
    "nb": ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"),
    "nn": ("måndag", "tysdag", "onsdag", "torsdag", "fredag", "laurdag", "sundag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_EVERY_DAY = {"nb": "hver dag", "nn": "kvar dag", "en": "every day"}
_FROM_TO = {"nb": "fra {start} til {end}", "nn": "frå {start} til {end}", "en": "from {start} to {end}"}
_ALL_DAY = {"nb": "hele døgnet", "nn": "heile døgnet", "en": "all day"}
_EXEMPTION = {
    "nb": "for gruppen {group}: {categories} fra {start} til {end}, godkjent av {by} ({reason})",
    "nn": "for gruppa {group}: {categories} frå {start} til {end}, godkjend av {by} ({reason})",
    "en": "for group {group}: {categories} from {start} to {end}, approved by {by} ({reason})",
}
Called = Callable[[str], str]
"""What people call a group by its key, or an exemption by its identity."""


Moment = Callable[[datetime], str]
"""How a moment is written; without one as `2026-12-01 08:00`, in the policy's zone."""


def in_words(
    change: Change, language: Language, zone: tzinfo, called: Called = str, moment: Moment | None = None
) -> str:
    """The change as one sentence without its full stop; moments in `zone`, or as `moment` writes them."""
    values: dict[str, object] = {"group": called(change.group)}
    for key, value in change.values.items():
        if isinstance(value, Schedule):
            values[key] = hours_in_words(value, language)
        elif isinstance(value, Exemption):
            values[key] = exemption_in_words(value, language, zone, called, moment)
        elif key == "other":
            values[key] = called(str(value))
        elif key == "category":
            values[key] = _category(str(value), language)
        else:
            values[key] = value
    sentence = SENTENCES[change.kind][_LANGUAGES.index(language)].format(**values)
    return sentence[:1].upper() + sentence[1:] if change.kind not in _NAME_FIRST else sentence


# What begins with a name, which is written as it is.
_NAME_FIRST = frozenset(kind for kind, (first, *_) in SENTENCES.items() if first.startswith("{name}"))


def hours_in_words(schedule: Schedule, language: Language) -> str:
    """`from 16:00 to 22:00 (Monday, Tuesday)`."""
    if (schedule.start, schedule.end) == (0, 24 * 60):
        hours = _ALL_DAY[language]
    else:
        hours = _FROM_TO[language].format(start=write_minute(schedule.start), end=write_minute(schedule.end))
    days = _WEEK[language]
    told = _EVERY_DAY[language] if len(schedule.days) == 7 else ", ".join(days[day] for day in sorted(schedule.days))
    return f"{hours} ({told})"


def exemption_in_words(
    exemption: Exemption, language: Language, zone: tzinfo, called: Called = str, moment: Moment | None = None
) -> str:
    """What is lifted for whom from when to when, by whom and why; called by its group alone where that says both."""
    name, group = called(exemption.id), called(exemption.group)
    written = moment or (lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M}")
    told = _EXEMPTION[language].format(
        group=group,
        categories=", ".join(_category(key, language) for key in CATEGORIES if key in exemption.categories),
        start=written(exemption.start),
        end=written(exemption.end),
        by=exemption.approved_by,
        reason=exemption.reason,
    )
    return told if name == group else f"{name} {told}"


def _category(key: str, language: Language) -> str:
    name = CATEGORIES[key].names[language]
    return name if name[:2].isupper() else name[:1].lower() + name[1:]  # KI-samtaler stays
