"""The auditor's rooms: search, the log, proofs, versions of the rules, the filter then, checkpoints, exports."""

from __future__ import annotations

import html
import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from captive_portal.console.evidence import leaf_values, leaf_words
from captive_portal.console.evidence.leaf_view import is_within
from captive_portal.console.evidence.periods import read_moment
from captive_portal.console.look import LANGUAGES
from captive_portal.i18n import translators
from gateway.access import grants as access
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.receipt import parse_receipt, verify_receipt
from gateway.audit.record import record
from gateway.audit.scope import EVERYTHING, Scope
from gateway.clock import MUNICIPAL_ZONE
from gateway.lists import generations
from gateway.lists.publish import publish as put_in_force
from gateway.storage.headings import FoundLeaf
from gateway.storage.log_models import Disclosure, Leaf
from gateway.storage.models import Acceptance, Grant, Site
from gateway.terms.publish import publish
from policies.snapshot import NamedList, compile_snapshot
from tests.unit.console.conftest import SIGNER

MAC = "02:00:00:00:ab:c1"


@pytest.fixture
def filled(world):
    """Two guests, sealed: entries 0 rules, 1 policy, 2 Ola, 3 Kari."""
    world.publish_all()
    world.ola = world.accepted("Ola Nordmann", MAC)
    world.now += timedelta(minutes=1)
    world.kari = world.accepted("Kari Ås Sørli", "02:00:00:00:00:02")
    world.seal()
    return world


def text_of(answer) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=nordm", {"Ola Nordmann"}),
        ("name=%C3%85S+s%C3%98R", {"Kari Ås Sørli"}),
        ("name=ari%25", set()),
        ("device=ABC1", {"Ola Nordmann"}),
        ("device=02:00:00:00:ab:c1", {"Ola Nordmann"}),
        ("device=00-02", {"Kari Ås Sørli"}),
        ("version=1", {"Ola Nordmann", "Kari Ås Sørli"}),
        ("version=7", set()),
        ("site=hovedbygg&name=ola", {"Ola Nordmann"}),
        ("site=elsewhere", set()),
        ("first=2026-11-22&last=2026-11-22", {"Ola Nordmann", "Kari Ås Sørli"}),
        ("first=2026-11-23", set()),
        ("course=kurs-1", set()),
    ],
)
def test_acceptances_are_found(filled, query, found):
    page = filled.signed_in("auditor").get(f"/acceptances?{query}")
    assert page.status_code == 200
    assert {name for name in ("Ola Nordmann", "Kari Ås Sørli") if name in page.text} == found
    assert found or "No acceptances fit" in page.text


def test_a_receipt_finds_its_acceptance_as_people_write_it(filled):
    browser = filled.signed_in("auditor")
    code = filled.ola.receipt_code
    page = browser.get("/acceptances", params={"receipt": f"{code[:4]}-{code[4:8]} {code[8:].lower()}"}).text
    assert "Ola Nordmann" in page
    assert "Kari" not in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("name=ab", "at least three characters"),
        ("device=xyz1", "last four characters"),
        ("device=abc", "last four characters"),
        ("receipt=ABC", "16 characters"),
        ("name=a%00bc", "can’t be used"),
        ("name=" + "a" * 200, "too long"),
        ("first=nonsense", "year-month-day"),
    ],
)
def test_what_cant_be_searched_is_said_at_its_field(filled, query, words):
    page = filled.signed_in("auditor").get(f"/acceptances?{query}")
    assert page.status_code == 422
    assert words in page.text
    assert 'aria-invalid="true"' in page.text


def test_an_entry_is_proved_in_front_of_the_reader_and_elsewhere(filled):
    browser = filled.signed_in("auditor")
    rows = re.findall(r'href="(/acceptances/[0-9a-f]{32})"', browser.get("/acceptances?name=nordmann").text)
    assert browser.get(rows[0]).headers["location"] == "/log/2"
    page = browser.get("/log/2")
    words = text_of(page)
    assert "Proved. This entry stands unaltered as number 2 in the log of 4 entries" in words
    assert "Ola Nordmann" in words
    assert "with the right neighbour" in words
    assert "fails" not in words
    receipt = parse_receipt(browser.get("/log/2/proof").content)
    entry = browser.get("/log/2/entry")
    assert entry.headers["content-disposition"] == 'attachment; filename="entry-2.json"'
    assert verify_receipt(receipt, entry.content, [SIGNER.verifier], "example.test/log").size == 4
    assert b"Ola" not in entry.content


def test_an_altered_entry_value_or_key_is_told(filled):
    browser = filled.signed_in("auditor")
    database = filled.services.database
    with database.write() as session:
        leaf = session.get(Leaf, (filled.services.place.owner_id, 2))
        session.query(Disclosure).filter_by(leaf_id=leaf.leaf_id, name="name").update({"value": "Per Hansen"})
    assert "Not proved." in text_of(browser.get("/log/2"))
    (filled.settings.state / "log.vkey").write_text("rubbish")
    words = text_of(browser.get("/log/3"))
    assert "Not proved." in words
    assert "can’t be read on this machine" in words
    assert "not verified" in text_of(browser.get("/checkpoints"))


def test_what_waits_and_what_is_not_there(filled):
    browser = filled.signed_in("auditor")
    waiting = filled.accepted("Per Hansen", "02:00:00:00:00:03")
    assert "Not sealed yet" in browser.get(f"/acceptances/{waiting.acceptance_id}").text
    for path in (
        "/log/99",
        "/log/x",
        "/log/-1",
        "/log/" + "9" * 30,
        "/log/5/proof",
        "/log/5/entry",
        "/acceptances/x%00",
    ):
        assert browser.get(path).status_code == 404, path


def test_the_log_tells_everything_in_words_newest_first(filled):
    browser = filled.signed_in("it", "kari")
    with filled.services.database.write() as session:
        assert access.revoke(session, filled.services.place, filled.ola.grant_id, "kari", filled.now)
    filled.seal()
    words = text_of(browser.get("/log")).partition("Who and why")[2]
    for said in (
        "Access ended by staff", "Staff signed in", "Password: signed in", "Account changed", "Added. Role: IT",
        "Rules accepted", "Version 1 of the rules, read in Bokmål. Identified: by what the person wrote.",
        "Content filter published", "Generation 1 of the content filter.", "Rules published",
    ):  # fmt: skip
        assert said in words, said
    assert words.index("Access ended by staff") < words.index("Staff signed in") < words.index("Rules accepted")
    only = browser.get("/log?type=acceptance").text
    assert re.findall(r'href="/log/(\d+)"', only) == ["3", "2"]
    assert re.findall(r'href="/log/(\d+)"', browser.get("/log?type=nothing&last=2026-11-21").text) == []
    assert browser.get("/log?first=x").status_code == 422
    for before in ("x", "2026-11-22T12:00:00.000000Z~x", "~", "2026-11-22T12:00:00.000000Z~3"):
        assert browser.get("/log", params={"before": before}).status_code == 200


def test_pages_of_the_log_miss_and_repeat_none(filled):
    with filled.services.database.write() as session:
        for number in range(120):
            record(session, filled.services.place, "retention_run", {"before": "x", "erased": number}, {}, filled.now)
    filled.seal()
    browser, path, seen = filled.signed_in("auditor"), "/log", []
    while path:
        page = browser.get(path).text
        seen += map(int, re.findall(r'href="/log/(\d+)"', page))
        path = html.unescape(found[1]) if (found := re.search(r'rel="next" href="([^"]+)"', page)) else ""
    assert seen == list(range(123, -1, -1))


def test_every_type_has_words_in_every_language():
    values = {
        "acceptance": {"rules": {"version": "1", "language": "nb"}, "identified_by": "self_declared"},
        "exemption_changed": {"change": "added", "group": "g", "categories": ["a", "b"], "until": "u"},
        "exemption_decided": {"decision": "declined", "categories": ["a", "b"]},
    }
    for language in LANGUAGES:
        translate = translators("console", LANGUAGES)[language]
        for type_ in leaf_words.TITLES:
            plain = dict.fromkeys(leaf_words.SHAPES[type_].plain, "x") | values.get(type_, {})
            said = leaf_words.sentence(translate, {"type": type_, **plain})
            assert said
            assert "{" not in said


SELECTION = (
    '{"fields":["mac","name"],"filter":{"from":"2026-10-31T23:00:00.000Z","name":"Ola","to":"2026-11-30T23:00:00.000Z"},'
    '"sample":{"count":3,"number":"77"},"views":["xlsx"]}'
)
LIMITS = (
    '{"ends_at":"2026-12-01T23:00:00.000Z","scope":{"fields":[],"since":null,"sites":["a"],'
    '"until":"2026-12-01T23:00:00.000Z"}}'
)


@pytest.mark.parametrize(
    ("type_", "name", "value", "nb"),
    [
        (
            "export", "filter", SELECTION,
            "Fra 1. november 2026 kl. 00.00 til 1. desember 2026 kl. 00.00; Navn, eller en del av det: Ola;"
            " Viser: Navn, Enhet; Stikkprøve: 3 rader, med tallet 77; Excel-arbeidsbok",
        ),
        ("export", "filter", "a/b", "a/b"),
        ("export", "filter", "[]", "[]"),
        (
            "staff_change", "scope", LIMITS,
            "Kontoen slutter 2. desember 2026 kl. 00.00; Steder: a; Opplysninger til 2. desember 2026 kl. 00.00;"
            " Viser ingen personopplysninger",
        ),
        ("staff_change", "scope", '{"ends_at":null,"scope":null}', "Kontoen har ingen sluttdato; Ser alt"),
        ("staff_change", "scope", "", ""),
        ("exemption_changed", "scope", "eid from 2026-12-01T23:00:00.000Z", "eid, fra 2. desember 2026 kl. 00.00"),
        ("policy_published", "note", "starter policy", "Oppsettet fra installasjonen"),
        ("key_rotated", "reason", "restored database", "databasen var gjenopprettet"),
        ("grant_moved", "by", "command line", "kommandolinjen"),
        ("acceptance", "name", "command line", "command line"),
    ],
)  # fmt: skip
def test_what_the_product_wrote_is_told_in_words(type_, name, value, nb):
    translate = translators("console", LANGUAGES)
    assert leaf_values.said(translate["nb"], type_, name, value).replace("\u00a0", " ") == nb
    assert (leaf_values.said(translate["nn"], type_, name, value) == value) == (nb == value)
    assert "{" not in leaf_values.said(translate["en"], type_, name, value)


def test_the_numbers_and_moments_of_a_sentence():
    nb = translators("console", LANGUAGES)["nb"]
    told = [
        leaf_words.sentence(nb, document).replace("\u00a0", " ")
        for document in (
            {"type": "export", "first": 0, "last": 16, "size": 16},
            {"type": "restored", "known_size": 22, "size": 16},
            {"type": "device_admitted", "group": "g", "until": "2026-12-01T23:00:00.000Z"},
        )
    ]
    assert told[0] == "Innførslene 0 til 15 av loggen, som da hadde 16."
    assert told[1] == "22 innførsler var signert før; den gjenopprettede databasen hadde 16."
    assert "2. desember 2026 kl. 00.00" in told[2]


def test_the_log_goes_by_number_also_where_the_times_do_not(filled):
    earlier = filled.now - timedelta(hours=1)
    with filled.services.database.write() as session:
        record(session, filled.services.place, "retention_run", {"before": "x", "erased": 1}, {}, earlier)
    filled.seal()
    page = filled.signed_in("auditor").get("/log").text
    assert re.findall(r'href="/log/(\d+)"', page) == ["4", "3", "2", "1", "0"]


def test_where_every_acceptance_was_erased_the_room_says_so(filled):
    with filled.services.database.write() as session:
        session.query(Grant).delete()
        session.query(Acceptance).delete()
    words = text_of(filled.signed_in("auditor").get("/acceptances"))
    assert "No acceptance can be shown" in words
    assert "personal data have been erased: 2." in words
    elsewhere = filled.signed_in("auditor", "skole", scope=Scope(sites=frozenset({"skolen"})))
    words = text_of(elsewhere.get("/acceptances"))
    assert "No acceptances yet" in words
    assert "To try it" not in words, "an auditor is not asked to try"


def test_nobody_knows_the_filter_of_a_moment_to_come(filled):
    answer = filled.signed_in("auditor").get("/policy-then?at=2036-01-01T12:00")
    assert answer.status_code == 422
    assert "nobody knows yet" in answer.text
    assert "In force on" not in answer.text


def test_a_scope_holds_in_every_room(filled):
    scope = Scope(sites=frozenset({"hovedbygg"}), fields=frozenset({"mac"}))
    browser = filled.signed_in("auditor", "rev", scope=scope)
    page = browser.get("/acceptances").text
    assert "withheld" in page
    assert MAC in page
    assert 'id="name"' not in page
    for path in ("/acceptances", "/acceptances?name=nordmann", "/log", "/log/2", "/exports"):
        text = browser.get(path).text
        assert "Nordmann" not in text, path
        assert filled.ola.receipt_code[:4] not in text, path
    assert "are outside what you may see" in browser.get("/log/2").text
    assert "Proved." in browser.get("/log/2").text, "what is withheld does not hinder the proof"
    form = browser.get("/acceptances/export").text
    assert "Navn, eller" not in form.split("Your account sees: ")[1].split("</p>")[0]
    asked = {"first": "2026-11-01", "last": "2026-11-30", "reason": "Sak 26/1"}
    assert browser.fill("/acceptances/export", "/acceptances/export", **asked, name="Ola").status_code == 422
    elsewhere = filled.signed_in("auditor", "far", scope=Scope(sites=frozenset({"skolen"})))
    assert "Ola" not in elsewhere.get("/acceptances?name=ola").text
    assert elsewhere.get("/log/2").status_code == 403
    assert elsewhere.get("/log/2/proof").status_code == 403
    assert elsewhere.get("/log/2/entry").status_code == 403
    assert re.findall(r'href="/log/(\d+)"', elsewhere.get("/log?type=acceptance").text) == []
    assert "Ola" not in elsewhere.get("/acceptances?site=hovedbygg").text
    later = filled.signed_in("auditor", "late", scope=Scope(since=filled.now))
    assert {name for name in ("Ola N", "Kari Ås") if name in later.get("/acceptances").text} == {"Kari Ås"}
    assert later.get("/log/2").status_code == 403
    assert later.get("/log/3").status_code == 200
    assert later.get("/log/0").status_code == 200, "the rules are no secret"


def test_a_scope_is_kept_and_read_and_it_has_none():
    scope = Scope(frozenset({"a"}), datetime(2026, 1, 1, tzinfo=UTC), None, frozenset())
    from gateway.audit.scope import read_scope, scope_of

    class Account:
        role = "auditor"

    Account.scope = json.loads(json.dumps(scope.document()))
    assert scope_of(Account()) == scope
    assert EVERYTHING.document() is None
    assert scope.within(None, datetime(2025, 1, 1, tzinfo=UTC)) == (scope.since, datetime(2025, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="no personal field"):
        read_scope({"sites": None, "since": None, "until": None, "fields": ["shoe_size"]})
    Account.role = "it"
    assert scope_of(Account()) == EVERYTHING


def test_two_versions_stand_side_by_side(filled):
    filled.now += timedelta(days=1)
    with filled.services.database.write() as session:
        publish(
            session, filled.services.place, {"nb": "# Regler\n\nVær snill.\n\nNytt <b>avsnitt</b>."}, label="2",
            adopting_body="Kommunestyret", adopted_on=None, case_number="26/9", binding_language="nb",
            next_review_on=None, published_by="it", now=filled.now,
        )  # fmt: skip
    browser = filled.signed_in("auditor")
    assert "Kommunestyret" in browser.get("/rules").text
    page = browser.get("/rules?old=1&new=2")
    assert '<del><span class="unseen">removed: </span>grei</del>' in page.text
    assert '<ins><span class="unseen">added: </span>snill</ins>' in page.text
    assert "&lt;b&gt;avsnitt&lt;/b&gt;" in page.text
    assert "Paragraphs that differ: 2." in page.text
    assert "The texts are the same" in browser.get("/rules?old=1&new=1").text
    assert browser.get("/rules?old=1&new=nope").status_code == 404


def test_the_filter_of_a_past_moment(filled):
    first = filled.now
    filled.now += timedelta(days=2)
    with filled.services.database.write() as session:

        def edit(document):
            document["groups"]["default"]["closed"] = ["streaming"]
            document["groups"]["default"]["permit"] = ["film.example"]

        generations.publish_change(session, filled.services.place, edit, "kari", "for a course", filled.now)
    filled.seal()
    browser = filled.signed_in("auditor")
    now = text_of(browser.get("/policy-then"))
    assert "generation 2" in now
    assert "for a course" in now
    assert "Closed Streaming Open" in now
    assert "film.example" in now
    past = browser.get("/policy-then", params={"at": (first + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")})
    assert "generation 1" in past.text
    assert 'href="/log/1"' in past.text
    assert 'href="/log/4"' in browser.get("/policy-then").text
    assert "Nothing had been published" in browser.get("/policy-then?at=2020-01-01T00:00").text
    for bad in ("x", "2026-99-99T00:00", "2026-11-22T00:00Z", "0001-01-01T00:00", "2026-11-22T00:00+01:00"):
        assert browser.get("/policy-then", params={"at": bad}).status_code == 422, bad
    assert read_moment("2026-07-01T00:00") == datetime(2026, 6, 30, 22, tzinfo=UTC), "in Norwegian time"


def test_a_minute_that_is_written_counts_to_its_end_as_the_history_shows_it(filled):
    published = filled.now.replace(second=41, microsecond=250_000) + timedelta(hours=1)
    filled.now = published + timedelta(seconds=2)
    with filled.services.database.write() as session:
        generations.publish_change(
            session, filled.services.place, lambda document: document["groups"]["default"]["permit"].append("x.no"),
            "kari", "", published,
        )  # fmt: skip
    browser = filled.signed_in("auditor")

    def shown(at, step):
        return text_of(browser.get("/policy-then", params={"at": at.astimezone(MUNICIPAL_ZONE).strftime(step)}))

    minute, second = "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"
    assert "generation 2" in shown(published, minute), "also while the minute has not ended"
    assert "generation 1" in shown(published - timedelta(minutes=1), minute)
    assert "generation 1" in shown(published, second), "where seconds are written, they count"
    assert "generation 2" in shown(published + timedelta(seconds=1), second)
    assert "nobody knows yet" in shown(published + timedelta(minutes=1), minute)
    filled.now += timedelta(minutes=5)
    assert "generation 2" in shown(published, minute)


def test_the_filter_of_a_past_moment_says_what_no_list_had_names_for(filled):
    state, moment, place = filled.services.settings.state, filled.now, filled.services.place
    schedule = {"categories": ["drugs", "gaming"], "days": ["mon"], "from": "08:00", "to": "16:00", "effect": "close"}
    with filled.services.database.write() as session:

        def edit(document):
            document["groups"]["default"] |= {"closed": ["gaming", "malware"], "schedules": [schedule]}

        generations.publish_change(session, place, edit, "kari", "", moment)
        document = generations.document_of(session, place, 2)
    browser = filled.signed_in("auditor")
    page = text_of(browser.get("/policy-then"))
    assert "is not known here" in page, "nothing is compiled"
    assert "no list had names" not in page
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    put_in_force(state, compile_snapshot(document, lists, 2))
    for compiled_at, dated in ((moment, False), (moment + timedelta(hours=1), True)):
        os.utime(state / "policy" / "2.snapshot", (compiled_at.timestamp(),) * 2)
        page = text_of(browser.get("/policy-then"))
        assert "is not known here" not in page
        assert ("What lists had before that is not kept" in page) is dated
        assert "Closed Online games, Malware no list had names for it Open" in page
        assert "Closed by schedule Online games, Drugs no list had names for it : from 08:00" in page
    first = text_of(browser.get("/policy-then", params={"at": "2026-11-22T13:00"}))
    assert "generation 1" in first
    assert "is not known here" in first


def test_checkpoints_are_verified_and_can_be_kept(filled):
    browser = filled.signed_in("auditor")
    page = browser.get("/checkpoints")
    assert "verified here, now" in page.text
    assert str(SIGNER.verifier) in html.unescape(page.text)
    kept = browser.get("/checkpoints/4")
    assert open_checkpoint(kept.content, [SIGNER.verifier], "example.test/log").size == 4
    assert kept.headers["content-disposition"] == 'attachment; filename="checkpoint-4.txt"'
    for size in ("3", "x", "9" * 30):
        assert browser.get(f"/checkpoints/{size}").status_code == 404
    assert browser.get("/checkpoints?after=x").status_code == 200


def test_before_anything_is_sealed_the_rooms_say_so(world):
    browser = world.signed_in("auditor")
    assert "Nothing is sealed yet" in browser.get("/checkpoints").text
    assert "The log is empty" in browser.get("/log").text
    assert "No rules have been published" in browser.get("/rules").text
    assert "Nothing had been published" in browser.get("/policy-then").text
    assert "No exports yet" in browser.get("/exports").text


def test_exports_and_by_whom(filled):
    fields = {"first": 0, "last": 4, "size": 4}
    with filled.services.database.write() as session:
        session.add(Site(owner_id=filled.services.place.owner_id, key="skolen"))
        who = {"staff": "kari", "filter": "a/b", "purpose": "Sak 26/1 <i>"}
        record(session, filled.services.place, "export", fields, who, filled.now)
    filled.seal()
    words = text_of(filled.signed_in("auditor").get("/exports"))
    for said in ("kari", "a/b", "Sak 26/1 <i>", "Entries 0 to 3 of the log, which then had 4"):
        assert said in words
    narrow = filled.signed_in("auditor", "narrow", scope=Scope(fields=frozenset({"mac"})))
    words = text_of(narrow.get("/exports"))
    assert "Sak 26/1" in words
    assert "a/b" not in words, "a selection can hold a name"
    local = filled.signed_in("auditor", "local", scope=Scope(sites=frozenset({"hovedbygg"})))
    words = text_of(local.get("/exports"))
    assert "Sak 26/1" in words
    assert "a/b" not in words, "a selection can hold the name of a guest of another site"


@pytest.mark.parametrize(("kind", "within"), [("rules_published", True), ("key_rotated", True), ("export", False)])
def test_what_nothing_is_understood_without_is_opened_of_any_time(world, kind, within):
    leaf = FoundLeaf(3, "x", b"", world.now - timedelta(days=1))
    assert is_within(leaf, {"type": kind}, Scope(since=world.now)) is within
