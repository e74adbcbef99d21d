"""The parts of a bundle that its options add, each held against the entries by code of its own."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from gateway.audit import chart, view
from gateway.audit.bundle import Record, bundle_files
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.errors import BundleError, TooManyRowsError
from gateway.audit.order import Order
from gateway.audit.sample import Sample
from gateway.audit.view_words import REPORT, WORKBOOK
from gateway.audit.workbook import Workbook
from tests.unit.audit.forgeries.restores import restore
from tests.unit.audit.specimen import ORIGIN, SIGNER, START, TEXTS, Log, sha256
from tests.unit.audit.test_sample import by_definition

LOG = Log(43)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORDER = Order(START, START + timedelta(days=1), "rev", "Sak <26/1>", "nb")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def files_of(request, further=(), log=LOG):
    held = {
        (sha256(data), kind): data for pair in TEXTS.values() for data, kind in zip(pair, ("md", "html"), strict=True)
    }
    made = bundle_files(
        request, lambda: iter(log.records[request.first : request.last]), log.node,
        lambda name, kind: held[name, kind], further,
    )  # fmt: skip
    return {name: b"".join(chunks) for name, chunks in made}


def rows_of(data: bytes) -> list[list[str]]:
    lines = data.decode("utf-8-sig").split("\r\n")[:-1]
    return [[cell.replace('""', '"') for cell in line[1:-1].split('";"')] for line in lines]


def matching(predicate) -> list[int]:
    """Indexes of the acceptances whose stored fields fit."""
    return [
        record.index
        for record in LOG.records
        if json.loads(record.entry)["type"] == "acceptance"
        and predicate({name: value for _, name, value in record.disclosures})
    ]


def test_a_personal_filter_gives_a_selection_and_shows_nothing_of_others():
    files = files_of(LOG.request(0, 43, filter={"name": "NORDMANN"}))
    wanted = matching(lambda person: "nordmann" in person.get("name", "").lower())
    assert 0 < len(wanted) < 10
    assert [int(line) for line in files["selection.txt"].split()] == wanted
    assert files["selection.txt"].endswith(b"\n")
    shown = [json.loads(line) for line in files["disclosures.jsonl"].splitlines()]
    assert {item["index"] for item in shown} == set(wanted)
    assert len(rows_of(files["view.csv"])) == len(wanted) + 1
    assert len(files["entries.jsonl"].splitlines()) == 43
    manifest = json.loads(files["manifest.json"])
    assert manifest["filter"] == {"name": "NORDMANN"}
    assert manifest["files"]["selection.txt"]["sha256"] == sha256(files["selection.txt"])


def test_without_new_options_there_are_no_new_files():
    files = files_of(LOG.request(0, 43, filter={"version": "2026-1"}))
    assert not {"selection.txt", "sample.csv", "rotations.txt"} & files.keys()
    assert "sample" not in json.loads(files["manifest.json"])
    assert files_of(LOG.request(0, 43, filter={"version": "2025"}))["view.csv"] == view.heading("nb")


def test_a_filter_works_on_fields_that_are_not_shown():
    files = files_of(LOG.request(0, 43, filter={"name": "nordmann"}, fields=frozenset({"mac"})))
    assert files["selection.txt"].count(b"\n") > 0
    assert b"Nordmann" not in files["disclosures.jsonl"] + files["view.csv"]


def test_the_sample_is_drawn_from_the_rows_of_the_view():
    for filter_ in ({}, {"from": "2026-11-22T12:10:00.000Z"}, {"name": "o"}):
        files = files_of(LOG.request(0, 43, filter=filter_, sample=Sample(5, "4711")))
        rows = rows_of(files["view.csv"])
        drawn = by_definition(LOG.roots[43], "4711", 5, [int(row[0]) for row in rows[1:]])
        sample = rows_of(files["sample.csv"])
        assert [int(row[0]) for row in sample[1:]] == drawn
        assert sample[0] == rows[0]
        assert all(row in rows for row in sample)
        assert json.loads(files["manifest.json"])["sample"] == {"count": 5, "number": "4711"}
    everything = files_of(LOG.request(0, 43, sample=Sample(999, "1")))
    assert everything["sample.csv"] == everything["view.csv"]


def test_rotations_are_written_with_their_lengths():
    files = files_of(LOG.request(0, 43, rotations=("ære\n", "b\n\nc\n")))
    assert files["rotations.txt"] == "note 5\nære\nnote 5\nb\n\nc\n".encode()


def test_tampered_disclosures_and_entries_are_not_exported():
    log = Log(12)
    salt, name, _ = log.records[2].disclosures[1]
    log.records[2] = Record(2, log.records[2].entry, [(salt, name, "Someone Else")])
    with pytest.raises(BundleError, match="does not belong"):
        files_of(log.request(0, 12), log=log)
    for entry in (b"{}", b"\xff", b"[]", b'{"type":"acceptance"}'):
        log = Log(12)
        log.records[2] = Record(2, entry)
        with pytest.raises(BundleError, match="can't be read"):
            files_of(log.request(0, 12), log=log)
    log = Log(12)
    log.records[2] = replace(log.records[2], entry=log.records[2].entry.replace(b'"nb"', b'"en"'))
    with pytest.raises(BundleError, match="signed root"):
        files_of(log.request(0, 12), log=log)


CELLS = st.lists(st.text(st.sampled_from('ab";=+-@\t\r\0\nø1'), max_size=6), min_size=14, max_size=14)


@given(CELLS)
def test_the_quick_row_is_the_plain_one(cells):
    plain = ";".join(
        '"'
        + ("'" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\0") and cell else "")
        + cell.replace('"', '""')
        + '"'
        for cell in cells
    )
    assert view.line(cells) == (plain + "\r\n").encode()


def sheet_of(book: bytes, number: int) -> tuple[ElementTree.Element, list[list[str]]]:
    archive = zipfile.ZipFile(io.BytesIO(book))
    root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
    rows = []
    for row in root.iter(f"{MAIN}row"):
        rows.append(["".join(cell.itertext()) for cell in row.iter(f"{MAIN}c")])
    return root, rows


def test_the_workbook_holds_text_as_text_and_times_as_dates(tmp_path: Path):
    files = files_of(LOG.request(0, 43), [Workbook(ORDER, NOW, tmp_path)])
    root, rows = sheet_of(files["view.xlsx"], 1)
    assert rows[0][:3] == ["Nummer i loggen", "Tidspunkt (UTC)", "Tidspunkt (norsk tid)"]
    wanted = rows_of(files["view.csv"])[1:]
    assert len(rows) == len(wanted) + 1
    assert not list(root.iter(f"{MAIN}f")), "no formulas"
    cells = [cell for cell in root.iter(f"{MAIN}c") if re.fullmatch("I[0-9]+", cell.get("r", ""))]
    assert {cell.get("t") for cell in cells} <= {"inlineStr"}
    assert "=1+1" in {"".join(cell.itertext()) for cell in cells}
    first = datetime(1899, 12, 30) + timedelta(days=float(rows[1][2]))  # noqa: DTZ001 - Excel has no zones
    assert abs(first - datetime(2026, 11, 22, 13, 1)) < timedelta(seconds=1), "Oslo is an hour ahead"  # noqa: DTZ001
    assert root.find(f".//{MAIN}pane").get("state") == "frozen"
    assert root.find(f"{MAIN}autoFilter").get("ref") == f"A1:O{len(rows)}"
    about = "\n".join("".join(row) for row in sheet_of(files["view.xlsx"], 2)[1])
    assert "Sak <26/1>" in about
    assert "verify_bundle.py" in about
    assert b"dd.mm.yyyy hh:mm:ss" in zipfile.ZipFile(io.BytesIO(files["view.xlsx"])).read("xl/styles.xml")


def test_a_workbook_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gateway.audit import workbook

    monkeypatch.setattr(workbook, "MAX_ROWS", 2)
    book = Workbook(ORDER, NOW, tmp_path)
    row = ["1", "2026-11-22T12:00:00.000Z", "s", "1", "nb", "0", "self_declared", "Åse", *[""] * 6]
    book.row(row)
    book.row(row)
    with pytest.raises(TooManyRowsError, match="shorter period"):
        book.row(row)


def test_words_are_there_in_each_language():
    for words in (REPORT, WORKBOOK):
        assert words["nb"].keys() == words["nn"].keys() == words["en"].keys()
        for language in ("nn", "en"):
            for key, text in words["nb"].items():
                assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", words[language][key]), key


def test_the_chart_shows_each_month_on_an_easy_scale():
    assert [chart.scale(most) for most in (0, 1, 5, 6, 11, 99, 1234)] == [1, 1, 1, 2, 5, 20, 500]
    drawn = ElementTree.fromstring(chart.bars([("jan <26>", 3, "3"), ("feb", 0, "0"), ("mar", 6, "6")]))
    bars = [float(each.get("height", "")) for each in drawn if each.tag.endswith("rect")]
    assert bars[1] == 0
    assert bars[2] == pytest.approx(2 * bars[0], rel=0.02)
    assert ElementTree.fromstring(chart.bars([])) is not None


weasyprint = pytest.importorskip("weasyprint", reason="WeasyPrint and Pango are not installed")


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_report_counts_what_the_entries_say(language):
    from gateway.audit.report import Report

    order = replace(ORDER, language=language, sample=Sample(3, "17"))
    report = Report(replace(order, owner_name="Fjellbygda <kommune>"), NOW)
    request = LOG.request(0, 43, filter=order.filter, sample=order.sample)
    shown: dict[str, str] = {}

    class Shown:
        """Keeps the pages instead of setting them."""

        entry, row = report.entry, report.row

        def files(self, head: Checkpoint, drawn: list[list[str]]):
            shown["html"] = report.html(head, drawn)
            return []

    files = files_of(request, [Shown()])
    page = shown["html"]
    count = len(rows_of(files["view.csv"])) - 1
    assert f">{count}<" in page
    assert "Fjellbygda &lt;kommune&gt;" in page
    assert "Sak &lt;26/1&gt;" in page
    assert LOG.roots[43].hex() in page
    assert REPORT[language]["sample"] in page
    for row in rows_of(files["sample.csv"])[1:]:
        assert f"<td>{row[0]}</td>" in page
        assert row[7] == "" or escape(row[7].removeprefix("'")) in page
    for way in ("known_device", "device_words", "receipt_code"):
        assert REPORT[language][way] in page


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_report_lists_restores_and_what_they_lost(language):
    from gateway.audit.report import Report

    log = Log(43, {16: restore(16, 22), 24: restore(24, 24)})
    report = Report(replace(ORDER, language=language, owner_name="Fjellbygda"), NOW)
    for record in log.records:
        report.entry(record, json.loads(record.entry))
    page = report.html(Checkpoint(ORIGIN, 43, log.roots[43]))
    assert f"<td>{REPORT[language]['restored_lost'].format(first=16, last=21)}</td>" in page
    assert f"<td>{REPORT[language]['restored']}</td>" in page


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # WeasyPrint leaves its profile open
def test_the_pdfs_say_what_they_are_and_are_tagged():
    pikepdf = pytest.importorskip("pikepdf")
    from gateway.audit.report import Report

    order = replace(ORDER, language="nn")
    head = Checkpoint(ORIGIN, 43, LOG.roots[43])
    made = []
    for _ in range(2):
        report = Report(replace(order, owner_name="Fjellbygda"), NOW)
        report.row(["1", "2026-11-22T12:00:00.000Z", "s", "1", "nb", "0", "self_declared", "Åse", *[""] * 6])
        made.append({name: b"".join(chunks) for name, chunks in report.files(head, [])})
    assert made[0] == made[1], "the same export gives the same report"
    for name, claim in (
        ("report.pdf", b'pdfaid:part="2" pdfaid:conformance="U"'),
        ("report-ua.pdf", b'pdfuaid:part="1"'),
    ):
        pdf = pikepdf.open(io.BytesIO(made[0][name]))
        assert claim in pdf.Root.Metadata.read_bytes()
        assert str(pdf.Root.Lang) == "nn"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert str(pdf.docinfo.Title).startswith(REPORT["nn"]["title"])
        assert ("/OutputIntents" in pdf.Root) == (name == "report.pdf")
        assert pdf.trailer.ID is not None
        kinds, alternatives = tags(pikepdf, pdf.Root.StructTreeRoot)
        assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/L"} <= kinds
        assert alternatives == [REPORT["nn"]["chart"]]
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert all("/FontFile2" in font.DescendantFonts[0].FontDescriptor for font in fonts)
        assert all("/ToUnicode" in font for font in fonts)
        assert "/AA" not in pdf.Root
        assert "/OpenAction" not in pdf.Root


def tags(pikepdf, node) -> tuple[set[str], list[str]]:
    kinds, alternatives = set(), []
    if isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            kinds.add(str(node.S))
            if str(node.S) == "/Figure":
                alternatives.append(str(node.Alt))
        for child in node.get("/K", []) if isinstance(node.get("/K"), pikepdf.Array) else [node.get("/K")]:
            more, found = tags(pikepdf, child)
            kinds |= more
            alternatives += found
    return kinds, alternatives


def test_the_report_fetches_nothing():
    from gateway.audit import report

    source = Path(report.__file__).with_name("report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|<link|<script", source)


def test_the_signer_of_the_specimen_is_the_key_that_bundles_name():
    assert files_of(LOG.request(0, 43))["keys.vkey"] == f"{SIGNER.verifier}\n".encode()
