import pytest

from policies.document import DocumentError, default_document, parse_document, write_document
from policies.document_toml import parse_toml, write_toml

BAD = """\
version = 2
time_zone = "Europe/Olso"
block_answer = "drop"

[groups.default]
mark = 1
closed = ["adult",
  "datting",   # misspelt
]
permit = ["a.no"]
forbid = [
  "b.no",
  "A.no.",
]

[[groups.default.schedules]]
categories = ["dating"]
days = ["mon", "tue"]
from = "08:00"
to = "16:00"
effect = "close"

[[groups.default.schedules]]
categories = ["dating", "gaming"]
days = ["tue"]
from = "15:00"
to = "25:00"
effect = "open"

[groups.course]
mark = 1
closed = []
schedules = [
  {categories=["dating"], days=["mon"], from="22:00", to="06:00", effect="open"},
  {categories=["dating"], days=["tue"], from="05:00", to="07:00", effect="close"},
]
judge = { adult = 1.5, none = 0.9 }
safe_search = ["google", "youtube_strict", "youtube_moderate", "altavista"]

[[exemptions]]
id = "x"
group = "nobody"
categories = ["malware"]
from = 2026-01-01T10:00:00
until = 2026-01-01T09:00:00
approved_by = ""
reason = "x"
"""

TOLD = """\
line 2: time_zone: 'Europe/Olso' is not a time zone, write one such as Europe/Oslo
line 3: block_answer: 'drop' is not one of zero, nxdomain, nodata, refused, portal
line 8: groups.default.closed: unknown category 'datting'
line 13: groups.default: a.no is both permitted and forbidden, keep one
line 27: groups.default.schedules[2].to: '25:00' is not a time of day such as 08:00 or 24:00
line 31: groups.course.mark: 1 is already the mark of 'default'
line 35: groups.course.schedules[2]: overlaps schedule 1 of this group for dating: let each hour stand in one
line 37: groups.course.judge.adult: 1.5 is not a number from 0.5 to 1
line 37: groups.course.judge: unknown category 'none'
line 38: groups.course.safe_search: unknown search engine 'altavista'
line 38: groups.course.safe_search: youtube_moderate and youtube_strict exclude each other, keep one
line 42: exemptions[1].group: there is no group 'nobody'
line 43: exemptions[1].categories: malware is never exempted
line 45: exemptions[1].until: is not after from
line 46: exemptions[1].approved_by: must be one line of text, at most 200 characters
"""


def test_every_problem_is_told_with_its_line_and_reason() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_toml(BAD)
    assert sorted("\n".join(caught.value.problems).splitlines()) == sorted(TOLD.splitlines())
    assert [problem.line for problem in caught.value.found] == sorted(
        problem.line or 0 for problem in caught.value.found
    )


def test_a_moment_that_the_clock_skips_is_refused() -> None:
    exemption = '[[exemptions]]\nid = "x"\ngroup = "default"\ncategories = ["dating"]\nfrom = 2026-03-29T02:30:00\n'
    exemption += 'until = 2026-04-01T00:00:00\napproved_by = "Kari"\nreason = "kurs"\n'
    with pytest.raises(DocumentError, match=r"line 7: .*the clock is set forward over it"):
        parse_toml("version = 2\ngroups.default = {mark = 1, closed = []}\n" + exemption)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = 2\n[groups", "line 2: not TOML"),
        ("version = 2\nversion = 2\n", "line 2: not TOML"),
        ("", "'version' is missing"),
        ("version = 2\n\nx = " + "9" * 5000, "line 3: not TOML: .*digits"),
        ("\nversion = 0x" + "f" * 5000, "line 2: not TOML: .*digits"),
        ("version = 2\nx = 2026-02-30", "line 2: not TOML"),
        ("version = 2\nx = " + "[" * 5000, "not TOML"),
        ("version = 3\n[groups.default]\nmark = 1\nclosed = []\n", "line 1: version: 3 is not known, write 2"),
    ],
)
def test_what_is_no_document(text: str, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        parse_toml(text)


def test_the_default_document_round_trips_and_a_change_is_one_line() -> None:
    document = default_document()
    text = write_toml(document)
    assert write_document(parse_toml(text)) == document
    document["groups"]["default"]["closed"].remove("dating")
    changed = write_toml(write_document(parse_document(document)))
    assert set(text.splitlines()) - set(changed.splitlines()) == {
        '    "dating",         # Datingtjenester (kontaktformidling)'
    }
    assert changed.splitlines() == [line for line in text.splitlines() if '"dating"' not in line]


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_a_year_that_no_calendar_here_has_is_refused(year) -> None:
    exemption = f'[[exemptions]]\nid = "x"\ngroup = "default"\ncategories = ["dating"]\nfrom = {year}-12-31T23:30:00Z\n'
    exemption += f'until = {year}-12-31T23:50:00Z\napproved_by = "Kari"\nreason = "kurs"\n'
    with pytest.raises(DocumentError) as caught:
        parse_toml("version = 2\ngroups.default = {mark = 1, closed = []}\n" + exemption)
    assert [problem.partition("exemptions")[0] for problem in caught.value.problems] == ["line 7: ", "line 8: "]
    assert "from 1970 to 9998" in caught.value.problems[0]


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    text = "\ufeff" + write_toml(default_document()).replace("\n", "\r\n")
    assert write_document(parse_toml(text)) == default_document()
    with pytest.raises(DocumentError, match="line 3: time_zone"):
        parse_toml('version = 2\r\ngroups.default = {mark = 1, closed = []}\r\ntime_zone = "Mars"\r\n')
