"""Exports with a personal filter, a sample and other views, honest and forged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from gateway.audit import canonical, note, view
from tests.unit.audit.forgeries.case import LOG, Case, fitting, lines_of, repacked
from tests.unit.audit.specimen import SIGNER, Log

PERSONAL = {"name": "name", "course": "course_code", "device": "mac"}


def selected(
    log: Log,
    chosen: Mapping[str, str],
    *,
    fields: tuple[str, ...] = ("mac", "name"),
    sample: tuple[int, str] | None = None,
    more: Mapping[str, bytes] | None = None,
    keys: tuple[note.SignerKey, ...] = (SIGNER,),
) -> dict[str, bytes]:
    """The bundle of a whole log, its selection made here in the plainest way from what each person typed."""
    size = len(log.records)
    request = log.request(0, size, keys=tuple(key.verifier for key in keys), fields=frozenset(fields))
    files = log.files(request)
    rows: dict[int, bytes] = {}
    disclosures = []
    for record in log.records:
        document = json.loads(record.entry)
        values = {item.name: item.value for item in record.disclosures}
        plain = {"site": document["site"], "version": document.get("rules", {}).get("version")}
        if document["type"] != "acceptance" or any(chosen.get(key, plain[key]) != plain[key] for key in plain):
            continue
        if "name" in chosen and chosen["name"].lower() not in values.get("name", "").lower():
            continue
        if "device" in chosen and not values.get("mac", "").replace(":", "").endswith(
            chosen["device"].replace(":", "")
        ):
            continue
        shown = sorted((item for item in record.disclosures if item.name in fields), key=lambda item: item.name)
        for item in shown:
            line = {"index": record.index, "name": item.name, "salt": item.salt, "value": item.value}
            disclosures.append(canonical.encode(line) + b"\n")
        rows[record.index] = view.row(record.index, document, {item.name: item.value for item in shown})
    heading = view.heading("nb")
    files["disclosures.jsonl"] = b"".join(disclosures)
    files["view.csv"] = heading + b"".join(rows.values())
    manifest = canonical.decode(files["manifest.json"])
    manifest["filter"] = dict(chosen)
    if chosen.keys() & PERSONAL.keys():
        files["selection.txt"] = b"".join(b"%d\n" % index for index in rows)
    if sample is not None:
        count, number = sample
        manifest["sample"] = {"count": count, "number": number}
        seed = hashlib.sha256(b"gjestenett sample v1\n" + log.roots[size] + number.encode()).digest()
        drawn = sorted(rows, key=lambda index: hashlib.sha256(seed + str(index).encode()).digest())[:count]
        files["sample.csv"] = heading + b"".join(rows[index] for index in sorted(drawn))
    files |= more or {}
    files["manifest.json"] = canonical.encode(manifest)
    return fitting(files)


def changed(files: dict[str, bytes], name: str, old: bytes, new: bytes) -> bytes:
    assert old in files[name], (name, old)
    return repacked(fitting({**files, name: files[name].replace(old, new, 1)}))


def of_manifest(bundle: dict[str, bytes], /, **words: object) -> bytes:
    """The ZIP with other words in the manifest."""
    manifest = {**canonical.decode(bundle["manifest.json"]), **words}
    return repacked({**bundle, "manifest.json": canonical.encode(manifest)})


def selections() -> Iterator[Case]:
    log = LOG
    both = selected(log, {"name": "kari"}, sample=(2, "4711"))
    yield Case("name", repacked(both), says=("Whether other acceptances have name “kari”", "number “4711” draw"))
    for chosen in (
        {"name": "NORDMANN", "site": "hovedbygg"},
        {"device": "00:2a"},
        {"device": "02:00:00:00:00:11"},
        {"name": "nobody"},
        {"name": "åSE\nb", "version": "2026-1"},
    ):
        yield Case(f"selection {chosen}", repacked(selected(log, chosen)))
    withheld = selected(log, {"name": "kari"}, fields=("mac",))
    yield Case("withheld", repacked(withheld), says=("that field is withheld",))
    for site, version in (("hovedbygg", "2026-1"), ("elsewhere", "2026-1"), ("hovedbygg", "x")):
        yield Case(f"{site} {version}", repacked(selected(log, {"site": site, "version": version})))
    for count in (1, 5, 99):
        yield Case(f"sample of {count}", repacked(selected(log, {}, sample=(count, "Åse 1"))))
    lines = lines_of(both, "selection.txt")
    for name, data, where in (
        ("not ascending", b"".join([lines[1], lines[0], *lines[2:]]), "line 2"),
        ("twice", lines[0] + b"".join(lines), "line 2"),
        ("not an acceptance", b"0\n" + b"".join(lines), "line 1"),
        ("beyond", b"".join(lines) + b"4711\n", f"line {len(lines) + 1}"),
        ("not a number", b"x\n" + b"".join(lines), "line 1"),
        ("leading zero", b"0" + b"".join(lines), "line 1"),
        ("no end", b"".join(lines)[:-1], f"line {len(lines)}"),
    ):
        yield Case(f"selection {name}", repacked(fitting({**both, "selection.txt": data})), "selection.txt", where)
    yield Case("row left out", changed(both, "selection.txt", lines[0], b""), "disclosures.jsonl", "line 1")
    other = selected(log, {"name": "ola"})
    manifest = canonical.decode(other["manifest.json"])
    other_name = of_manifest(other, filter={"name": "kari"})
    assert manifest["filter"] == {"name": "ola"}
    yield Case("others selected", other_name, "selection.txt", "row 1")
    yield Case("selection not ordered", of_manifest(both, filter={}), "selection.txt")
    without = {name: data for name, data in both.items() if name not in {"selection.txt", "sample.csv"}}
    yield Case("no selection", repacked(fitting(without)), "selection.txt")
    yield Case("no sample", repacked(fitting(without)), "sample.csv")
    manifest = {key: value for key, value in canonical.decode(both["manifest.json"]).items() if key != "sample"}
    yield Case("sample not ordered", repacked({**both, "manifest.json": canonical.encode(manifest)}), "sample.csv")
    for number in ("4712", "4713 ", "47"):  # each draws other rows of these
        sample = {"count": 2, "number": number}
        yield Case(f"sample of number {number!r}", of_manifest(both, sample=sample), "sample.csv", "row")
    row = lines_of(both, "sample.csv")[1]
    yield Case("sample row", changed(both, "sample.csv", b"Kari", b"Lise"), "sample.csv", "row")
    yield Case(
        "sample too long", repacked(fitting({**both, "sample.csv": both["sample.csv"] + row})), "sample.csv", "row 4"
    )
    yield Case("sample too short", changed(both, "sample.csv", row, b""), "sample.csv", "row")
    for words in (
        {"sample": {"count": 0, "number": ""}},
        {"sample": {"count": 100_001, "number": ""}},
        {"sample": {"count": 2, "number": 4711}},
        {"sample": {"count": 2}},
        {"sample": []},
        {"filter": {"name": ""}},
        {"filter": {"colour": "red"}},
        {"filter": {"site": 7}},
        {"fields": ["name", "mac"]},
        {"first": 5, "last": 3},
        {"language": "se"},
        {"language": "constructor"},
        {"format": "gjestenett-bundle/v2"},
        {"v": True},
        {"origin": "other"},
        {"size": 44},
        {"more": "x"},
        {"files": {}},
        {"files": {**canonical.decode(both["manifest.json"])["files"], "checkpoint": {"size": 1}}},
    ):
        part = "README.txt" if words == {"files": {}} else "manifest.json"
        yield Case(f"manifest {words}"[:80], of_manifest(both, **words), part)
