"""Tables go by any address, and their links lead through every row once, whatever comes and goes between two pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.console.tables import Column, Shown, Table
from gateway.storage.keyset import Cut, Place, part_of_rows

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
COLUMNS = (Column("at", "When", "moment"), Column("size", "Size", "number"), Column("name", "Name"))
SORTS = st.sampled_from(["", "at", "-at", "size", "-size", "name", "-name"])
TEXT = st.text(max_size=30) | st.text(alphabet="~-atsize.09\0\u202eÅ", max_size=60)
ADDRESSES = st.dictionaries(
    st.sampled_from(["sort", "after", "before", "page", "w-sort", "w-after"]), TEXT | SORTS, max_size=6
)
Row = tuple[int, int]
"""What a row is sorted by, with many alike, and the number that tells it apart."""
ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), unique_by=lambda row: row[1], max_size=30)
NEW = st.lists(st.tuples(st.integers(0, 5), st.integers(100, 199)), unique_by=lambda row: row[1], max_size=8)


def place_of(key: str, row: Row) -> Place:
    value, own = row
    return {"at": START + timedelta(microseconds=value), "size": value, "name": f"Å~{value} &b"}[key], own


def page(table: Table, rows: list[Row], address: str, kept: dict[str, str]) -> Shown[Row]:
    asked = table.read(dict(parse_qsl(urlsplit(address).query)), kept)
    part = part_of_rows(asked.cut, rows, lambda row: place_of(asked.cut.by, row))
    return asked.shown(part, lambda row: place_of(asked.cut.by, row))


@settings(deadline=None)
@given(ADDRESSES, st.sampled_from(["identifier", "number"]), st.sampled_from(["", "w-"]))
def test_any_address_asks_for_something(address: dict[str, str], own: str, prefix: str) -> None:
    table = Table("/x", COLUMNS, own=own, prefix=prefix)  # type: ignore[arg-type]
    asked = table.read(address)
    assert asked.column in COLUMNS
    assert asked.number >= 1
    if asked.place is None:
        assert (asked.backwards, asked.number) == (False, 1)
    else:
        value, key = asked.place
        assert isinstance(key, int if own == "number" else str)
        assert isinstance(value, {"at": datetime, "size": int, "name": str}[asked.column.key])
        assert "\0" not in str(value), "PostgreSQL has no such character"


@settings(deadline=None)
@given(ROWS, SORTS, st.integers(1, 7), st.sampled_from(["", "w-"]))
def test_links_lead_through_every_row_once_and_back(rows: list[Row], sort: str, size: int, prefix: str) -> None:
    table, kept = Table("/x", COLUMNS, own="number", size=size, prefix=prefix), {"q": "Å &", "empty": ""}
    by, descending = sort.removeprefix("-") or "at", sort.startswith("-") or not sort
    expected = sorted(rows, key=lambda row: place_of(by, row), reverse=descending)
    pages = [page(table, rows, f"/x?{prefix}sort={sort}", kept)]
    while pages[-1].after:
        assert "q=%C3%85+%26" in pages[-1].after
        assert "empty" not in pages[-1].after
        pages.append(page(table, rows, pages[-1].after, kept))
    assert [row for each in pages for row in each.rows] == expected
    assert [each.number for each in pages] == list(range(1, len(pages) + 1))
    back = [pages[-1]]
    while back[-1].before:
        back.append(page(table, rows, back[-1].before, kept))
    assert [each.rows for each in reversed(back)] == [each.rows for each in pages]
    assert [each.number for each in reversed(back)] == [each.number for each in pages]
    assert pages[0].total == (len(rows) if len(pages) == 1 else None)
    assert page(table, rows, pages[-1].first, kept).rows == pages[0].rows


@settings(deadline=None)
@given(ROWS, NEW, SORTS, st.data())
def test_what_comes_and_goes_between_pages_neither_doubles_nor_hides_a_row(
    rows: list[Row], new: list[Row], sort: str, data: st.DataObject
) -> None:
    table, now = Table("/x", COLUMNS, own="number", size=3), list(rows)
    shown, seen, stayed = page(table, now, f"/x?sort={sort}", {}), list[Row](), set(rows)
    seen += shown.rows
    while shown.after:
        if new and data.draw(st.booleans()):
            now.append(new.pop())
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(now))
            now.remove(gone)
            stayed.discard(gone)
        shown = page(table, now, shown.after, {})
        if shown.number == 1:  # nothing was left behind the place: the list begins anew
            break
        seen += shown.rows
    assert len(seen) == len(set(seen)), "a row twice"
    assert stayed <= set(seen), "a row was left out"


def test_headings_turn_the_order_and_choices_name_it() -> None:
    table = Table("/x", COLUMNS)
    asked = table.read({})
    assert [asked.sorted_by(key) for key in ("at", "size", "name")] == ["/x?sort=at", "/x?sort=size", "/x?sort=name"]
    assert table.read({"sort": "name"}).sorted_by("name") == "/x?sort=-name"
    assert table.read({"sort": "name"}).sorted_by("at") == "/x?sort=-at"
    assert [each[0] for each in asked.orders] == ["-at", "at", "size", "-size", "name", "-name"]
    assert [each[0] for each in asked.orders if each[3]] == ["-at"]


def test_a_column_that_a_reader_has_not_is_no_order() -> None:
    table = Table("/x", (*COLUMNS, Column("who", "Who", "private")))
    assert table.read({"sort": "who"}).cut == Cut("who", descending=False, limit=50)
    hidden = table.read({"sort": "who", "after": "a1"}, but=("who",))
    assert (hidden.cut, "who" in [each.key for each in hidden.columns]) == (Cut("at", descending=True, limit=50), False)
    assert table.read({"sort": "who", "after": "a1"}).cut.place == (None, "a1"), "a name never stands in an address"
    assert table.read({"sort": "who", "after": "a1~Kari"}).cut.place is None
