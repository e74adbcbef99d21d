"""The document of a subject access request as one printable page in bokmål, nynorsk or English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, cast

from gateway.clock import MUNICIPAL_ZONE
from policies.categories import CATEGORIES, Language

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111;"
    "background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1.5rem}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem .3rem 0;border-bottom:1px solid #bbb;overflow-wrap:anywhere}th{width:15rem;font-weight:600}"
    "section{break-inside:avoid}"
)

WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Hva som er lagret om deg", "made_at": "Laget", "owner": "Behandlingsansvarlig", "log": "Logg",
        "acceptance": "Godkjenning av reglene", "other": "Andre innførsler om deg i loggen",
        "none": "Det er ikke lagret noe om deg i gjestenettet.",
        "websites": "Hvilke nettsteder du har besøkt, er ikke lagret på deg.",
        "staff": "Navn på ansatte er utelatt. Du kan be om retting eller sletting, og du kan klage til Datatilsynet.",
        "policies": "Publiserte innstillinger med tekst som nevner deg (nummer)",
        "name": "Navn", "organisation": "Organisasjon eller firma", "contact": "Telefon eller e-post",
        "course_code": "Kurskode", "mac": "Enhetens adresse (MAC)", "address": "IP-adresse", "accepted_at": "Godkjent",
        "receipt": "Kvittering", "identified_by": "Slik ble du identifisert", "rules_version": "Reglenes versjon",
        "language": "Språk", "text_sha256": "Tekstens fingeravtrykk (SHA-256)", "leaf": "Nummer i loggen",
        "device_first_seen": "Enheten først sett", "device_last_seen": "Enheten sist sett", "from": "Tilgang fra",
        "until": "Tilgang til", "ended_at": "Tilgang avsluttet", "group": "Gruppe", "interface": "Nett",
        "kept_until": "Slettes", "type": "Slag", "at": "Tidspunkt", "reason": "Begrunnelse",
        "grant": "Tilgangens nummer", "requests": "Det du har bedt om unntak for", "asked_at": "Sendt",
        "purpose": "Hva det er til", "categories": "Stengt som", "decision": "Avgjørelse", "answer": "Svar",
        "granted": "innvilget", "declined": "avslått", "erased_at": "Slettes",
        "self_declared": "det du skrev selv", "course_code_": "kurskode", "host_approved": "godkjent av vert",
        "oidc": "innlogging", "known_device": "enheten, som var kjent fra før",
        "device_words": "tre ord fra en annen enhet", "receipt_code": "kvitteringen fra en tidligere godkjenning",
        "cause": "Årsak", "signed_off": "logget av",
        "replaced": "samme enhet kom tilbake med ny adresse", "other_device": "avsluttet fra en annen enhet",
        "asked": "Spurt", "block": "Enheten er sperret på gjestenettet", "told": "Det du får vite på nettet",
        "change": "Endring", "blocked": "sperret", "lifted": "sperringen opphevet",
        "note": "Det du får vite på nettet",
        "sent": "Sendt (byte)", "received": "Mottatt (byte)",
    },
    "nn": {
        "title": "Kva som er lagra om deg", "made_at": "Laga", "owner": "Behandlingsansvarleg", "log": "Logg",
        "acceptance": "Godkjenning av reglane", "other": "Andre innførslar om deg i loggen",
        "none": "Det er ikkje lagra noko om deg i gjestenettet.",
        "websites": "Kva nettstader du har besøkt, er ikkje lagra på deg.",
        "staff": "Namn på tilsette er utelatne. Du kan be om retting eller sletting, og du kan klage til Datatilsynet.",
        "policies": "Publiserte innstillingar med tekst som nemner deg (nummer)",
        "name": "Namn", "organisation": "Organisasjon eller firma", "contact": "Telefon eller e-post",
        "course_code": "Kurskode", "mac": "Adressa til eininga (MAC)", "address": "IP-adresse",
        "accepted_at": "Godkjent", "receipt": "Kvittering",
        "identified_by": "Slik vart du identifisert", "rules_version": "Versjon av reglane",
        "language": "Språk", "text_sha256": "Fingeravtrykket til teksten (SHA-256)", "leaf": "Nummer i loggen",
        "device_first_seen": "Eininga først sett", "device_last_seen": "Eininga sist sett", "from": "Tilgang frå",
        "until": "Tilgang til", "ended_at": "Tilgang avslutta", "group": "Gruppe", "interface": "Nett",
        "kept_until": "Blir sletta", "type": "Slag", "at": "Tidspunkt", "reason": "Grunngjeving",
        "requests": "Det du har bede om unntak for", "asked_at": "Sendt", "purpose": "Kva det er til",
        "categories": "Stengt som", "decision": "Avgjerd", "answer": "Svar", "granted": "innvilga",
        "declined": "avslått", "erased_at": "Blir sletta",
        "grant": "Nummeret til tilgangen", "self_declared": "det du skreiv sjølv", "course_code_": "kurskode",
        "host_approved": "godkjend av vert", "oidc": "innlogging",
        "known_device": "eininga, som var kjend frå før", "device_words": "tre ord frå ei anna eining",
        "receipt_code": "kvitteringa frå ei tidlegare godkjenning", "cause": "Årsak", "signed_off": "logga av",
        "replaced": "same eining kom tilbake med ny adresse", "other_device": "avslutta frå ei anna eining",
        "asked": "Spurt", "block": "Eininga er sperra på gjestenettet", "told": "Det du får vite på nettet",
        "change": "Endring", "blocked": "sperra", "lifted": "sperringa oppheva",
        "note": "Det du får vite på nettet",
        "sent": "Sendt (byte)", "received": "Motteke (byte)",
    },
    "en": {
        "title": "What is kept about you", "made_at": "Made", "owner": "Controller", "log": "Log",
        "acceptance": "Acceptance of the rules", "other": "Other entries about you in the log",
        "none": "Nothing is kept about you in the guest network.",
        "websites": "Which websites you have visited is not kept about you.",
        "staff": "Names of staff are left out. You can ask for correction or erasure, and complain to Datatilsynet.",
        "policies": "Published settings with text that mentions you (number)",
        "name": "Name", "organisation": "Organisation or company", "contact": "Phone or e-mail",
        "course_code": "Course code", "mac": "Device address (MAC)", "address": "IP address", "accepted_at": "Accepted",
        "receipt": "Receipt", "identified_by": "How you were identified", "rules_version": "Version of the rules",
        "language": "Language", "text_sha256": "Fingerprint of the text (SHA-256)", "leaf": "Log index",
        "device_first_seen": "Device first seen", "device_last_seen": "Device last seen", "from": "Access from",
        "until": "Access until", "ended_at": "Access ended", "group": "Group", "interface": "Network",
        "kept_until": "Erased", "type": "Kind", "at": "Time", "reason": "Reason", "grant": "Number of the access",
        "requests": "What you have asked an exemption for", "asked_at": "Sent", "purpose": "What for",
        "categories": "Closed as", "decision": "Decision", "answer": "Answer", "granted": "granted",
        "declined": "declined", "erased_at": "Erased",
        "self_declared": "what you wrote yourself", "course_code_": "course code",
        "host_approved": "approved by a host",
        "oidc": "sign-in", "known_device": "the device, known from before",
        "device_words": "three words from another device", "receipt_code": "the receipt of an earlier acceptance",
        "cause": "Cause", "signed_off": "signed off", "replaced": "the same device came back with a new address",
        "other_device": "ended from another device",
        "asked": "Asked", "block": "The device is blocked from the guest network",
        "told": "What you are told on the network", "note": "What you are told on the network",
        "change": "Change", "blocked": "blocked", "lifted": "block lifted",
        "sent": "Sent (bytes)", "received": "Received (bytes)",
    },
}  # fmt: skip
_TABLES = frozenset({"access", "exemption_requests"})  # of an acceptance, tables of their own
_MOMENTS = frozenset(
    {
        "made_at",
        "accepted_at",
        "device_first_seen",
        "device_last_seen",
        "from",
        "until",
        "ended_at",
        "kept_until",
        "at",
        "asked_at",
        "erased_at",
        "asked",
    }
)


def page(found: Mapping[str, Any], language: str) -> str:
    """The page of a document of `gateway.access.subject`; it needs no other file."""
    words = WORDS[language]
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">',
        f"<title>{escape(words['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(words['title'])}</h1>",
        _table({name: found[name] for name in ("owner", "log", "made_at")}, words),
    ]
    for item in found["acceptances"]:
        rows = {name: value for name, value in item.items() if name not in _TABLES} | (item["access"] or {})
        parts.append(f"<section><h2>{escape(words['acceptance'])}</h2>{_table(rows, words)}</section>")
        for asked in item["exemption_requests"]:
            plain = {**asked, "categories": _categories(asked["categories"], language)}
            parts.append(f"<section><h2>{escape(words['requests'])}</h2>{_table(plain, words)}</section>")
    for block in found.get("blocks", ()):
        parts.append(f"<section><h2>{escape(words['block'])}</h2>{_table(block, words)}</section>")
    if not found["acceptances"] and not found.get("blocks"):
        parts.append(f"<p>{escape(words['none'])}</p>")
    if found.get("other_entries"):
        parts.append(f"<h2>{escape(words['other'])}</h2>")
        for item in found["other_entries"]:
            plain = {name: item[name] for name in ("leaf", "type", "at")}
            parts.append(f"<section>{_table({**plain, **item['fields'], **item['values']}, words)}</section>")
    if numbers := found.get("policies_naming_them"):
        parts.append(f"<p>{escape(words['policies'])}: {', '.join(map(str, numbers))}</p>")
    parts += [f"<p>{escape(words[name])}</p>" for name in ("websites", "staff")]
    return "".join(parts) + "</body></html>\n"


def _categories(keys: Sequence[str], language: str) -> str:
    return ", ".join(CATEGORIES[key].names[cast(Language, language)] if key in CATEGORIES else key for key in keys)


def _table(rows: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return f"<table>{''.join(_rows(rows, words))}</table>"


def _rows(rows: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    for name, value in rows.items():
        if value is None or value == "":
            continue
        shown = str(value)
        if name in _MOMENTS:
            shown = f"{datetime.fromisoformat(shown).astimezone(MUNICIPAL_ZONE):%d.%m.%Y %H:%M}"
        elif name in {"cause", "decision", "change"}:
            shown = words.get(shown, shown)
        elif name == "identified_by":
            shown = words.get("course_code_" if shown == "course_code" else shown, shown)
        yield f'<tr><th scope="row">{escape(words.get(name, name))}</th><td>{escape(shown)}</td></tr>'
