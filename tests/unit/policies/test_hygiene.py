"""Each trap that real lists were seen to hold (their counts and names as looked up in August 2026) is a test."""

import pytest

from policies.corrections import SERVICES
from policies.document import default_document
from policies.hygiene import Hygiene, Quarantined, Suffixes, quarantined, read_quarantine
from policies.infrastructure import INFRASTRUCTURE, MEANT_TOP_LEVEL
from policies.names import listable
from policies.never_blocked import NEVER_BLOCKED
from policies.snapshot import NamedList, compile_snapshot, open_snapshot
from policies.widely_used import WIDELY_USED

SUFFIXES = Suffixes(
    icann=frozenset(
        ("com", "no", "co", "co.uk", "kommune.no", "ringebu.no", "bologna.it", "in.th", "sex.hu", "gov.br")
    ),
    private=frozenset(("dweb.link", "servegame.com", "blogspot.com", "altervista.org", "now.sh")),
    icann_wildcards=frozenset(("ck",)),
    exceptions=frozenset(("www.ck",)),
)


def judge(**changes: object) -> Hygiene:
    return Hygiene(NEVER_BLOCKED, SUFFIXES, **changes)  # type: ignore[arg-type]


def reason(name: str, category: str, hygiene: Hygiene | None = None) -> str | None:
    hygiene = hygiene or judge()
    hygiene.admit(name, "a/list", category)
    entries = read_quarantine(hygiene.section())[1]
    return entries[0].reason if entries else None


@pytest.mark.parametrize(
    ("name", "category", "expected"),
    [
        ("gravatar.com", "gaming", "misfiled"),
        ("fandom.com", "gaming", "misfiled"),
        ("www.fandom.com", "gaming", "misfiled"),
        ("discordapp.net", "gaming", "misfiled"),
        ("apple-dns.net", "encrypted_dns", "infrastructure"),
        ("yahoodns.net", "encrypted_dns", "infrastructure"),
        ("akamaiedge.net", "malware", "infrastructure"),
        ("cloudfront.net", "malware", "infrastructure"),
        ("salesforceliveagent.com", "proxy_vpn", "infrastructure"),
        ("azure-devices.net", "remote_access", "infrastructure"),
        ("archive.org", "file_sharing", "misfiled"),
        ("163.com", "adult", "misfiled"),
        ("branch.io", "adult", "infrastructure"),
        ("bologna.it", "adult", "public_suffix"),
        ("in.th", "gaming", "public_suffix"),
        ("sex.hu", "adult", "public_suffix"),
        ("gov.br", "adult", "public_suffix"),
        ("uvm.edu", "phishing", "misfiled"),
        ("absa.co.za", "phishing", "misfiled"),
        ("co", "malware", "bare_tld"),
        ("co.uk", "malware", "public_suffix"),
        ("com", "malware", "bare_tld"),
        ("anything.ck", "malware", "public_suffix"),
        ("blogspot.com", "adult", "misfiled"),
        ("altervista.org", "adult", "misfiled"),
        ("now.sh", "url_shortener", "misfiled"),
        ("servegame.com", "gaming", "misfiled"),
        ("kommune.no", "adult", "public_suffix"),
        ("caprino.no", "gaming", "misfiled"),
        ("larsen.no", "gaming", "misfiled"),
        ("viaplay.no", "gaming", "misfiled"),
        ("sexogpolitikk.no", "adult", "never_blocked"),
        ("www.nav.no", "gambling", "never_blocked"),
        ("gstatic.com", "adult", "infrastructure"),
        ("firefox.com", "proxy_vpn", "misfiled"),
        ("brave-http-only.com", "proxy_vpn", "above_never_blocked"),
        ("nintendowifi.net", "gaming", "above_never_blocked"),
        ("localhost", "malware", "bare_tld"),
        ("playstation", "dating", "bare_tld"),
    ],
)
def test_what_hits_more_than_the_list_can_mean_is_kept_out(name: str, category: str, expected: str) -> None:
    assert reason(name, category) == expected


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("playstation", "gaming"),
        ("xbox", "gaming"),
        ("porn", "adult"),
        ("adult", "adult"),
        ("youtube", "streaming"),
        ("bbc", "streaming"),
        ("servegame.com", "dynamic_dns"),
        ("dweb.link", "phishing"),
        ("www.ck", "malware"),
        ("one.blogspot.com", "adult"),
        ("d111111abcdef8.cloudfront.net", "malware"),
        ("facebook.com", "social_media"),
        ("twitch.tv", "gaming"),
        ("twitch.tv", "streaming"),
        ("minecraft.net", "gaming"),
        ("evil.docs.google.com", "phishing"),
        ("mask.icloud.com", "encrypted_dns"),
        ("notgravatar.com", "gaming"),
    ],
)
def test_what_may_be_meant_is_obeyed(name: str, category: str) -> None:
    assert reason(name, category) is None


def test_private_suffixes_are_kept_out_only_by_choice() -> None:
    assert reason("dweb.link", "phishing") is None
    assert reason("dweb.link", "phishing", judge(private_suffixes=True)) == "private_suffix"
    assert reason("one.dweb.link", "phishing", judge(private_suffixes=True)) is None


@pytest.mark.parametrize("source", [None, "a/list"])
def test_it_overrules_one_name_for_all_lists_or_for_one(source: str | None) -> None:
    hygiene = judge(overruled=frozenset({("bologna.it", source)}))
    assert hygiene.admit("bologna.it", "a/list", "adult") == ()
    assert (hygiene.admit("bologna.it", "b/list", "adult") is None) == (source is not None)
    assert hygiene.admit("sex.hu", "a/list", "adult") is None


def test_a_name_kept_out_closes_nothing_and_is_shown_with_its_reason() -> None:
    lists = [NamedList("a/list", "adult", "", ("bologna.it", "bad.example", "sexogpolitikk.no"))]
    snapshot = open_snapshot(compile_snapshot(default_document(), lists, 1, hygiene=judge()))
    assert snapshot.lookup("www.bologna.it") == ()
    assert len(snapshot.lookup("www.bad.example")) == 1
    found = quarantined(snapshot.section("quarantine"), "www.bologna.it")
    assert found == (Quarantined("bologna.it", "a/list", "adult", "public_suffix"),)
    totals, entries = read_quarantine(snapshot.section("quarantine"))
    assert totals == {"public_suffix": 1, "never_blocked": 1}
    assert [each.name for each in entries] == ["bologna.it", "sexogpolitikk.no"]
    assert quarantined(None, "bologna.it") == ()


def test_the_same_misfiling_twice_is_counted_once() -> None:
    hygiene = judge()
    for _ in range(3):
        hygiene.admit("bologna.it", "a/list", "adult")
    assert hygiene.totals == {"public_suffix": 1}


@pytest.mark.parametrize("table", [SERVICES, WIDELY_USED, INFRASTRUCTURE, MEANT_TOP_LEVEL])
def test_the_built_in_names_are_in_normal_form(table: dict[str, object]) -> None:
    assert all(listable(name) == name for name in table)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no", "bare_tld"),
        ("xxx", "bare_tld"),
        ("co.uk", "public_suffix"),
        ("anything.ck", "public_suffix"),
        ("blogspot.com", "private_suffix"),
        ("cloudfront.net", "infrastructure"),
        ("sexual-education.example", None),
        ("www.ck", None),
        ("page.blogspot.com", None),
        ("helsenorge.no", None),
    ],
)
def test_what_a_list_of_permits_may_not_open(name: str, expected: str | None) -> None:
    hygiene = judge()
    lists = [
        NamedList("a/list", "adult", "", (f"below.{name}", "sex.example")),
        NamedList("allow", "adult", "", (), permits=(name,)),
    ]
    document = {**default_document(), "groups": {"default": {"mark": 1, "closed": ["adult"]}}}
    snapshot = open_snapshot(compile_snapshot(document, lists, 1, hygiene=hygiene))
    assert any(each.exception for each in snapshot.lookup(f"below.{name}")) == (expected is None)
    found = [each for each in read_quarantine(hygiene.section())[1] if each.source == "allow"]
    assert [(each.name, each.reason) for each in found] == ([] if expected is None else [(name, expected)])
    overruled = judge(overruled={(name, None)})
    assert overruled.admit_permit(name, "allow", "adult")
