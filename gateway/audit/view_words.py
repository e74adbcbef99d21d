"""The words of the report and of the workbook in bokmål, nynorsk and English."""

from __future__ import annotations

from collections.abc import Mapping

REPORT: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Godkjenninger av reglene for gjestenettet",
        "lead": "Rapport til en revisjonspakke. Rapporten er en visning; beviset er pakken den ligger i.",
        "summary": "Sammendrag", "owner": "Kommune", "period": "Periode (norsk tid)", "to": "til",
        "narrowed": "Avgrenset til", "site": "Sted", "version": "Reglenes versjon", "course": "Kurskode",
        "name": "Navn som inneholder", "device": "Enhet", "rows": "Godkjenninger i utvalget",
        "erased_rows": "herav uten personopplysninger (slettet, holdt tilbake eller aldri oppgitt)",
        "by": "Eksportert av", "why": "Begrunnelse", "made": "Eksportert", "log": "Loggen", "size": "Innførsler i loggen",
        "root": "Rot (SHA-256)", "withheld": "Personopplysninger som er holdt tilbake", "none": "ingen",
        "months": "Godkjenninger per måned", "month": "Måned", "count": "Antall",
        "chart": "Stolpediagram over godkjenninger per måned. Tallene står i tabellen under.",
        "no_rows": "Ingen godkjenninger i utvalget.",
        "versions": "Regler som gjaldt i perioden", "published": "Publisert", "adopted_by": "Vedtatt av",
        "case": "Saksnummer", "accepted": "Godkjenninger", "no_versions": "Ingen versjon er publisert.",
        "identified": "Slik er personene identifisert", "way": "Måte", "self_declared": "Etter eget utsagn",
        "course_code": "Kurskode", "host_approved": "Godkjent av vert", "oidc": "Innlogging",
        "known_device": "Enhet som var kjent fra før", "device_words": "Tre ord fra en annen enhet",
        "receipt_code": "Kvittering fra en tidligere godkjenning",
        "events": "Eksporter, slettinger og gjenopprettinger i perioden", "number": "Nummer i loggen", "when": "Tidspunkt",
        "what": "Hva", "who": "Hvem", "reason": "Hvorfor", "export": "Eksport", "erased": "Sletting",
        "retention_run": "Sletting etter lagringstid", "subject_access": "Innsyn",
        "restored": "Database gjenopprettet fra sikkerhetskopi",
        "restored_lost": "Database gjenopprettet fra sikkerhetskopi; tapt, slik de var signert før: innførsel {first}–{last}",
        "no_events": "Ingen eksporter, slettinger eller gjenopprettinger i perioden.", "more": "og {count} til, som står i entries.jsonl",
        "sample": "Stikkprøve",
        "sample_how": "{count} rader er trukket med loggens rot og revisors tall «{number}». Hvem som helst kan trekke dem på"
        " nytt; README.txt sier hvordan. Alle står i sample.csv.",
        "proof": "Hva som er bevist, og hvordan du kontrollerer det",
        "proof_done": "Da pakken ble laget, ble hver innførsel i loggen lest og regnet sammen til roten over, som loggens"
        " nøkkel har signert. Hver personopplysning som vises, ble holdt opp mot sammendraget i sin innførsel.",
        "proof_you": "Det skal du ikke måtte tro på. Kontroller pakken selv, uten nett:",
        "step1": "Hent verify_bundle.py eller verify.html fra en utgivelse av programmet, ikke fra avsenderen av pakken.",
        "step2": "Skaff loggens offentlige nøkkel en annen vei enn sammen med pakken.",
        "step3": "Kjør python3 verify_bundle.py PAKKE.zip --key NØKKELFIL, med PAKKE.zip.note ved siden av, og med"
        " --checkpoint hvis du har et sjekkpunkt fra en tidligere kontroll.",
        "step4": "Ta vare på filen checkpoint fra pakken til neste kontroll.",
        "limits": "Ingen logg kan bevise at klokken gikk riktig, eller at det en person skrev, er sant.",
        "page": "Side", "of": "av",
    },
    "nn": {
        "title": "Godkjenningar av reglane for gjestenettet",
        "lead": "Rapport til ein revisjonspakke. Rapporten er ei vising; provet er pakken han ligg i.",
        "summary": "Samandrag", "owner": "Kommune", "period": "Periode (norsk tid)", "to": "til",
        "narrowed": "Avgrensa til", "site": "Stad", "version": "Versjon av reglane", "course": "Kurskode",
        "name": "Namn som inneheld", "device": "Eining", "rows": "Godkjenningar i utvalet",
        "erased_rows": "av desse utan personopplysningar (sletta, haldne tilbake eller aldri oppgjevne)",
        "by": "Eksportert av", "why": "Grunngjeving", "made": "Eksportert", "log": "Loggen", "size": "Innførslar i loggen",
        "root": "Rot (SHA-256)", "withheld": "Personopplysningar som er haldne tilbake", "none": "ingen",
        "months": "Godkjenningar per månad", "month": "Månad", "count": "Tal",
        "chart": "Stolpediagram over godkjenningar per månad. Tala står i tabellen under.",
        "no_rows": "Ingen godkjenningar i utvalet.",
        "versions": "Reglar som galdt i perioden", "published": "Publisert", "adopted_by": "Vedteken av",
        "case": "Saksnummer", "accepted": "Godkjenningar", "no_versions": "Ingen versjon er publisert.",
        "identified": "Slik er personane identifiserte", "way": "Måte", "self_declared": "Etter eige utsegn",
        "course_code": "Kurskode", "host_approved": "Godkjend av vert", "oidc": "Innlogging",
        "known_device": "Eining som var kjend frå før", "device_words": "Tre ord frå ei anna eining",
        "receipt_code": "Kvittering frå ei tidlegare godkjenning",
        "events": "Eksportar, slettingar og gjenopprettingar i perioden", "number": "Nummer i loggen", "when": "Tidspunkt",
        "what": "Kva", "who": "Kven", "reason": "Kvifor", "export": "Eksport", "erased": "Sletting",
        "retention_run": "Sletting etter lagringstid", "subject_access": "Innsyn",
        "restored": "Database gjenoppretta frå tryggingskopi",
        "restored_lost": "Database gjenoppretta frå tryggingskopi; tapt, slik dei var signerte før: innførsel {first}–{last}",
        "no_events": "Ingen eksportar, slettingar eller gjenopprettingar i perioden.", "more": "og {count} til, som står i entries.jsonl",
        "sample": "Stikkprøve",
        "sample_how": "{count} rader er trekte med rota til loggen og talet til revisor, «{number}». Kven som helst kan trekkje"
        " dei på nytt; README.txt seier korleis. Alle står i sample.csv.",
        "proof": "Kva som er prova, og korleis du kontrollerer det",
        "proof_done": "Då pakken vart laga, vart kvar innførsel i loggen lesen og rekna saman til rota over, som nøkkelen til"
        " loggen har signert. Kvar personopplysning som er vist, vart halden opp mot samandraget i sin innførsel.",
        "proof_you": "Det skal du ikkje måtte tru på. Kontroller pakken sjølv, utan nett:",
        "step1": "Hent verify_bundle.py eller verify.html frå ei utgjeving av programmet, ikkje frå avsendaren av pakken.",
        "step2": "Skaff den offentlege nøkkelen til loggen på ein annan måte enn saman med pakken.",
        "step3": "Køyr python3 verify_bundle.py PAKKE.zip --key NØKKELFIL, med PAKKE.zip.note ved sida av, og med"
        " --checkpoint om du har eit sjekkpunkt frå ein tidlegare kontroll.",
        "step4": "Ta vare på fila checkpoint frå pakken til neste kontroll.",
        "limits": "Ingen logg kan prove at klokka gjekk rett, eller at det ein person skreiv, er sant.",
        "page": "Side", "of": "av",
    },
    "en": {
        "title": "Acceptances of the rules for the guest network",
        "lead": "Report of an audit bundle. The report is a view; the evidence is the bundle that it lies in.",
        "summary": "Summary", "owner": "Municipality", "period": "Period (Norwegian time)", "to": "to",
        "narrowed": "Narrowed to", "site": "Site", "version": "Rules version", "course": "Course code",
        "name": "Name containing", "device": "Device", "rows": "Acceptances in the selection",
        "erased_rows": "of these without personal data (erased, withheld or never given)",
        "by": "Exported by", "why": "Reason", "made": "Exported", "log": "Log", "size": "Entries of the log",
        "root": "Root (SHA-256)", "withheld": "Personal data withheld", "none": "none",
        "months": "Acceptances per month", "month": "Month", "count": "Number",
        "chart": "Bar chart of acceptances per month. The numbers stand in the table below.",
        "no_rows": "No acceptances in the selection.",
        "versions": "Rules in force in the period", "published": "Published", "adopted_by": "Adopted by",
        "case": "Case number", "accepted": "Acceptances", "no_versions": "No version has been published.",
        "identified": "How the persons were identified", "way": "Way", "self_declared": "By their own word",
        "course_code": "Course code", "host_approved": "Approved by a host", "oidc": "Sign-in",
        "known_device": "Device known from before", "device_words": "Three words from another device",
        "receipt_code": "Receipt of an earlier acceptance",
        "events": "Exports, erasures and restores in the period", "number": "Log index", "when": "Time",
        "what": "What", "who": "Who", "reason": "Why", "export": "Export", "erased": "Erasure",
        "retention_run": "Erasure at the end of retention", "subject_access": "Subject access",
        "restored": "Database restored from a backup",
        "restored_lost": "Database restored from a backup; lost, as they were signed before: entries {first}–{last}",
        "no_events": "No exports, erasures or restores in the period.", "more": "and {count} more, which stand in entries.jsonl",
        "sample": "Sample",
        "sample_how": "{count} rows were drawn with the log’s root and the auditor’s number “{number}”. Anybody can draw them"
        " again; README.txt says how. All stand in sample.csv.",
        "proof": "What is proved, and how you check it",
        "proof_done": "When the bundle was made, each entry of the log was read and reckoned up to the root above, which the"
        " log’s key has signed. Each personal field that is shown was held against the digest in its entry.",
        "proof_you": "You should not have to believe that. Check the bundle yourself, offline:",
        "step1": "Get verify_bundle.py or verify.html from a release of the program, not from the sender of the bundle.",
        "step2": "Get the log’s public key by another way than with the bundle.",
        "step3": "Run python3 verify_bundle.py BUNDLE.zip --key KEYFILE, with BUNDLE.zip.note beside it, and with"
        " --checkpoint if you have a checkpoint from an earlier check.",
        "step4": "Keep the file checkpoint from the bundle for the next check.",
        "limits": "No log can prove that the clock was right, or that what a person typed is true.",
        "page": "Page", "of": "of",
    },
}  # fmt: skip

WORKBOOK: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "rows": "Godkjenninger", "about": "Om utvalget", "local": "Tidspunkt (norsk tid)", "title": "Eksport av godkjenninger",
        "filter": "Utvalg", "by": "Eksportert av", "why": "Begrunnelse", "at": "Eksportert (UTC)", "log": "Loggen",
        "size": "Innførsler i loggen", "withheld": "Holdt tilbake",
        "how": "Dette er en visning, ikke bevis. Beviset er hele revisjonspakken: kontroller den med verify_bundle.py fra"
        " en utgivelse av programmet og loggens offentlige nøkkel, slik README.txt forklarer.",
    },
    "nn": {
        "rows": "Godkjenningar", "about": "Om utvalet", "local": "Tidspunkt (norsk tid)", "title": "Eksport av godkjenningar",
        "filter": "Utval", "by": "Eksportert av", "why": "Grunngjeving", "at": "Eksportert (UTC)", "log": "Loggen",
        "size": "Innførslar i loggen", "withheld": "Halde tilbake",
        "how": "Dette er ei vising, ikkje prov. Provet er heile revisjonspakken: kontroller han med verify_bundle.py frå"
        " ei utgjeving av programmet og den offentlege nøkkelen til loggen, slik README.txt forklarer.",
    },
    "en": {
        "rows": "Acceptances", "about": "About the selection", "local": "Time (Norway)", "title": "Export of acceptances",
        "filter": "Selection", "by": "Exported by", "why": "Reason", "at": "Exported (UTC)", "log": "Log",
        "size": "Entries of the log", "withheld": "Withheld",
        "how": "This is a view, not evidence. The evidence is the whole bundle: check it with verify_bundle.py from a"
        " release of the program and the log's public key, as README.txt explains.",
    },
}  # fmt: skip
