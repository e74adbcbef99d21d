"""Every format, line by line: what is read, what is refused and why."""

from __future__ import annotations

import pytest

from policies.formats import FORMATS, Entry, Options, Rejects, bounded_lines, read_entries
from policies.names import PolicyError


def read(key: str, text: str, **options: object) -> tuple[list[Entry], dict[str, int], dict[str, int]]:
    rejects = Rejects()
    entries = list(read_entries(key, text.encode().splitlines(), rejects, Options(**options)))  # type: ignore[arg-type]
    return entries, dict(rejects.counts), dict(rejects.ignored)


def block(name: str, **more: object) -> Entry:
    return Entry(name, "block", **more)  # type: ignore[arg-type]


def permit(name: str, **more: object) -> Entry:
    return Entry(name, "permit", **more)  # type: ignore[arg-type]


def test_plain_domains() -> None:
    entries, rejects, _ = read(
        "domains",
        "Spill.NO.\n.under.no\n*.star.no\n@@ok.no\n# x\n! x\n; x\nblåbær.no # y\n"
        "1.2.3.4\n1.2.3.0/24\nhttps://a.no/b\na b\n",
    )
    assert [each.name for each in entries] == ["spill.no", "under.no", "star.no", "ok.no", "xn--blbr-roah.no"]
    assert [each.action for each in entries] == ["block", "block", "block", "permit", "block"]
    assert rejects == {"ip_address": 2, "url": 1, "bad_character": 1}


def test_hosts_files() -> None:
    entries, rejects, ignored = read(
        "hosts",
        "127.0.0.1 localhost\n::1 ip6-localhost\n0.0.0.0 a.no b.no # two\n127.0.0.1\tc.no\n:: d.no\n"
        "192.0.2.7 redirect.no\nonly.no\n0.0.0.0 bad..no e.no\n0.0.0.0\n",
    )
    assert entries == [block(f"{each}.no") for each in "abcde"]
    assert rejects == {"redirect": 1, "no_address": 1, "empty_label": 1, "empty": 1}
    assert ignored == {"local_name": 2}
    assert read("hosts", "0.0.0.0 a.no", exact=True)[0] == [block("a.no", exact=True)]


def test_wildcards() -> None:
    entries, rejects, _ = read("wildcards", "*.a.no\nb.no\n@@*.c.no\nads*.d.no\n# x\n*\n")
    assert entries == [block("a.no"), block("b.no", exact=True), permit("c.no")]
    assert rejects == {"wildcard_inside": 2}


def test_adblock() -> None:
    entries, rejects, ignored = read(
        "adblock",
        """[Adblock Plus 2.0]
! Title: x
||a.no^
||b.no^$important
@@||ok.a.no^
@@|exact.a.no^|
||*.c.no^
|d.no^
e.no
0.0.0.0 f.no
a.no##.banner
a.no#@#.banner
##.ad
a.no#?#div:has(x)
a.no$$script
||a.no/path^
||a.no^$third-party
||a.no^$badfilter
/ads[0-9]+/
banner
-ad-
||x*y.no^
||bad_!.no^
""",
    )
    assert entries == [
        block("a.no"),
        block("b.no", important=True),
        permit("ok.a.no"),
        permit("exact.a.no", exact=True),
        block("c.no"),
        block("d.no", exact=True),
        block("e.no", exact=True),
        block("f.no", exact=True),
    ]
    assert ignored == {"cosmetic": 5, "path": 1, "modifier": 1, "badfilter": 1, "regex": 1, "substring": 2}
    assert rejects == {"wildcard_inside": 1, "bad_character": 1}


RPZ = """$TTL 60
@ IN SOA localhost. root.localhost. (
    1 ; serial
    3600 600 86400 60 )
  IN NS localhost.
nx.no CNAME .
*.nx.no 300 IN CNAME .
nodata.no CNAME *.
pass.no CNAME rpz-passthru.
self.no CNAME self.no.
drop.no CNAME rpz-drop.
tcp.no CNAME rpz-tcp-only.
local.no A 192.0.2.1
    AAAA 2001:db8::1
walled.no CNAME garden.example.
text.no TXT "a ; b ( c"
32.1.2.0.192.rpz-ip CNAME .
abs.no.rpz.example. CNAME .
elsewhere.example. CNAME .
$INCLUDE other
a*.no CNAME .
"""


def test_response_policy_zones_with_all_five_actions() -> None:
    entries, rejects, ignored = read("rpz", "$ORIGIN rpz.example.\n" + RPZ)
    assert entries == [
        block("nx.no", exact=True),
        block("nx.no"),
        block("nodata.no", exact=True),
        permit("pass.no", exact=True),
        permit("self.no", exact=True),
        block("drop.no", exact=True),
        block("local.no", exact=True),
        block("local.no", exact=True),
        block("walled.no", exact=True),
        block("abs.no", exact=True),
    ]
    assert rejects == {"outside_zone": 1, "directive": 1, "wildcard_inside": 1}
    assert ignored == {"tcp_only": 1, "zone_record": 1, "trigger": 1}


def test_a_zone_that_does_not_say_its_name() -> None:
    text = "@ SOA a. b. 1 2 3 4 5\nbad.no CNAME .\nabs.no.my.zone. CNAME .\n"
    assert [each.name for each in read("rpz", text, zone="my.zone")[0]] == ["bad.no", "abs.no"]
    assert [each.name for each in read("rpz", "bad.no. CNAME .\n")[0]] == ["bad.no"]


def test_an_origin_below_the_zone() -> None:
    text = "$ORIGIN rpz.example.\n@ SOA a. b. 1 2 3 4 5\n$ORIGIN no.rpz.example.\nbad CNAME .\n"
    assert read("rpz", text)[0] == [block("bad.no", exact=True)]


def test_dnsmasq() -> None:
    entries, rejects, ignored = read(
        "dnsmasq",
        "address=/a.no/0.0.0.0\naddress=/b.no/c.no/\nlocal=/d.no/\nserver=/e.no/\nserver=/ok.no/#\n"
        "server=/corp.no/192.0.2.1\nno-resolv\nbogus-nxdomain=1.2.3.4\naddress=/#/1.2.3.4\naddress=/f.no/::\n"
        "address=/g.no/what\naddress=/h.no/# # comment\n# x\nlocal=/bad*.no/\n",
    )
    assert [each.name for each in entries] == ["a.no", "b.no", "c.no", "d.no", "e.no", "ok.no", "f.no", "h.no"]
    assert [each.name for each in entries if each.action == "permit"] == ["ok.no"]
    assert rejects == {"not_an_option": 1, "root": 1, "bad_line": 1, "wildcard_inside": 1}
    assert ignored == {"forward": 1, "option": 1}


V2FLY = """# c
a.no
domain:b.no @ads
full:c.no @cn # remark
keyword:game
regexp:^x
include:other @cn
what:x.no
d.no stray
domain:e.no:@ads,@cn
"""


def test_v2fly() -> None:
    entries, rejects, _ = read("v2fly", V2FLY)
    assert entries == [block("a.no"), block("b.no"), block("c.no", exact=True), block("e.no")]
    assert rejects == {"keyword": 1, "regexp": 1, "include": 1, "unknown_kind": 1, "bad_line": 1}


def test_v2fly_attributes_choose_lines() -> None:
    entries, _, ignored = read("v2fly", V2FLY, only=frozenset({"cn"}))
    assert [each.name for each in entries] == ["c.no", "e.no"]
    assert ignored == {"attribute": 2}
    assert [each.name for each in read("v2fly", V2FLY, without=frozenset({"ads"}))[0]] == ["a.no", "c.no"]


def test_csv_by_number_and_by_heading() -> None:
    text = '# feed\nid,url,kind\n1,"http://a.no:8080/x?y=1,2",Malware\n2,b.no,\n3,,x\n4,192.0.2.1,x\n'
    entries, rejects, _ = read("csv", text, column="URL", category_column="kind")
    assert entries == [block("a.no", category="malware"), block("b.no")]
    assert rejects == {"empty": 1, "ip_address": 1}
    assert [each.name for each in read("csv", "a.no;1\nb.no;2\n")[0]] == ["a.no", "b.no"]
    assert read("csv", "1\tc.no\n", column=1)[0] == [block("c.no")]
    assert read("csv", "a,b\n", column="nothing")[1] == {"no_such_column": 1}


def test_a_line_of_a_hundred_megabytes_and_bytes_that_are_no_text() -> None:
    def chunks() -> object:
        yield b"first.no\n"
        for _ in range(1600):
            yield b"x" * 65536
        yield b"\nsec\xff\xfeond.no\nlast.no"

    rejects = Rejects()
    names = [each.name for each in read_entries("domains", bounded_lines(chunks()), rejects)]  # type: ignore[arg-type]
    assert names == ["first.no", "last.no"]
    assert rejects.counts == {"line_too_long": 1, "encoding": 1}
    assert [(each.line, each.reason, len(each.text)) for each in rejects.examples] == [
        (2, "line_too_long", 80),
        (3, "encoding", len("sec\ufffd\ufffdond.no")),
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind_split_anywhere(ends: str) -> None:
    text = ends.join(["a.no", "", "b.no", "c.no"]).encode()
    for size in (1, 2, 3, 100):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert list(bounded_lines(pieces)) == [b"a.no", b"", b"b.no", b"c.no"]


def test_an_unknown_format_is_named_with_the_known_ones() -> None:
    with pytest.raises(PolicyError, match=r"'zip'.*hosts"):
        read_entries("zip", [], Rejects())
    assert set(FORMATS) >= {"domains", "hosts", "wildcards", "adblock", "rpz", "dnsmasq", "v2fly", "csv"}
