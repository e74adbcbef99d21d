"""README.txt of a bundle: what the auditor holds and how to check it, in bokmål, nynorsk and English."""

README = """\
REVISJONSPAKKE FRA GJESTENETTET
===============================
Denne pakken viser hvem som godtok hvilke regler, og når. Den er laget slik at du kan
kontrollere den selv, uten nett og uten å stole på den som sendte den.

Slik kontrollerer du den
  1. Hent verify.html eller verify_bundle.py fra en utgivelse av programmet, ikke fra avsenderen av pakken.
  2. Skaff loggens offentlige nøkkel en annen vei enn sammen med pakken, og legg den i en fil.
  3. Åpne verify.html i nettleseren, uten nett, eller: python3 verify_bundle.py bundle.zip --key nøkkel.txt
     La bundle.zip.note ligge ved siden av bundle.zip.
     Har du et sjekkpunkt fra en tidligere kontroll, legg til: --checkpoint sjekkpunkt.txt
  4. Ta vare på filen checkpoint fra pakken til neste kontroll.

Filene
  manifest.json      hvem som eksporterte, hvorfor, utvalget, og SHA-256 for hver fil
  entries.jsonl      hver innførsel i loggen i området, én per linje; personopplysninger er saltede sammendrag
  disclosures.jsonl  personopplysningene som eksporten kunne vise, med salt
  leaves.txt         begynnelsen av sammendraget til hver innførsel; brukes bare til å finne feilen
  checkpoint         loggens størrelse og rot, signert
  range-proof.txt    bevis for at innførslene er nøyaktig disse, uten hull
  terms/             reglene ordrett, navngitt etter SHA-256
  keys.vkey          loggens offentlige nøkkel, til sammenligning
  rotations.txt      (når nøkkelen er byttet) den gamle nøkkelens underskrift på den nye
  view.csv           godkjenningene som tabell: en visning, ikke bevis
  selection.txt      (når det er søkt på navn, kurs eller enhet) numrene til radene i tabellen
  sample.csv         (når den er bestilt) stikkprøven: radene med lavest SHA-256(frø + nummer i loggen), der
                     frø = SHA-256("gjestenett sample v1\\n" + rot + revisors tall)
  view.xlsx, report.pdf, report-ua.pdf
                     (når de er bestilt) visninger til å lese; kontrollen sammenligner dem ikke med innførslene

Tomme felt i tabellen er holdt tilbake, slettet eller aldri oppgitt.

REVISJONSPAKKE FRÅ GJESTENETTET
===============================
Denne pakken viser kven som godtok kva reglar, og når. Han er laga slik at du sjølv kan
kontrollere han, utan nett og utan å stole på den som sende han.

Slik kontrollerer du han
  1. Hent verify.html eller verify_bundle.py frå ei utgjeving av programmet, ikkje frå avsendaren av pakken.
  2. Skaff den offentlege nøkkelen til loggen på ein annan måte enn saman med pakken, og legg han i ei fil.
  3. Opne verify.html i nettlesaren, utan nett, eller: python3 verify_bundle.py bundle.zip --key nøkkel.txt
     Lat bundle.zip.note liggje ved sida av bundle.zip.
     Har du eit sjekkpunkt frå ein tidlegare kontroll, legg til: --checkpoint sjekkpunkt.txt
  4. Ta vare på fila checkpoint frå pakken til neste kontroll.

Filene
  manifest.json      kven som eksporterte, kvifor, utvalet, og SHA-256 for kvar fil
  entries.jsonl      kvar innførsel i loggen i området, éin per linje; personopplysningar er salta samandrag
  disclosures.jsonl  personopplysningane som eksporten kunne vise, med salt
  leaves.txt         starten på samandraget av kvar innførsel; blir berre brukt til å finne feilen
  checkpoint         storleiken og rota til loggen, signert
  range-proof.txt    prov på at innførslane er nøyaktig desse, utan hol
  terms/             reglane ordrett, namngjevne etter SHA-256
  keys.vkey          den offentlege nøkkelen til loggen, til samanlikning
  rotations.txt      (når nøkkelen er bytt) underskrifta til den gamle nøkkelen på den nye
  view.csv           godkjenningane som tabell: ei vising, ikkje prov
  selection.txt      (når det er søkt på namn, kurs eller eining) numra til radene i tabellen
  sample.csv         (når ho er tinga) stikkprøva: radene med lågast SHA-256(frø + nummer i loggen), der
                     frø = SHA-256("gjestenett sample v1\\n" + rot + talet til revisor)
  view.xlsx, report.pdf, report-ua.pdf
                     (når dei er tinga) visingar til å lese; kontrollen samanliknar dei ikkje med innførslane

Tomme felt i tabellen er haldne tilbake, sletta eller aldri oppgjevne.

AUDIT BUNDLE FROM THE GUEST NETWORK
===================================
This bundle shows who accepted which rules, and when. It is made so that you can check it
yourself, offline and without trusting its sender.

How to check it
  1. Get verify.html or verify_bundle.py from a release of the program, not from the sender of the bundle.
  2. Get the log's public key by another way than with the bundle, and put it in a file.
  3. Open verify.html in a browser, offline, or: python3 verify_bundle.py bundle.zip --key key.txt
     Keep bundle.zip.note beside bundle.zip.
     If you have a checkpoint from an earlier check, add: --checkpoint checkpoint.txt
  4. Keep the file checkpoint from the bundle for the next check.

The files
  manifest.json      who exported, why, the selection, and the SHA-256 of each file
  entries.jsonl      each entry of the log in the range, one a line; personal data are salted digests
  disclosures.jsonl  the personal data that the export could show, with their salts
  leaves.txt         the beginning of each entry's hash; only used to find what is wrong
  checkpoint         the log's size and root, signed
  range-proof.txt    proof that the entries are exactly these, with no gap
  terms/             the rules word for word, named by their SHA-256
  keys.vkey          the log's public key, for comparison
  rotations.txt      (when the key was rotated) the old key's signature on the new one
  view.csv           the acceptances as a table: a view, not evidence
  selection.txt      (when names, courses or devices were searched for) the numbers of the table's rows
  sample.csv         (when ordered) the sample: the rows with the smallest SHA-256(seed + log index), where
                     seed = SHA-256("gjestenett sample v1\\n" + root + the auditor's number)
  view.xlsx, report.pdf, report-ua.pdf
                     (when ordered) views for reading; verifying does not compare them with the entries

Empty cells in the table were withheld, erased or never given.
"""
