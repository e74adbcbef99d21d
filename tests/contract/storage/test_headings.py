"""Headings of leaves: found by type, period and site, newest first, in pages that miss and repeat none."""

from __future__ import annotations

import json
from datetime import timedelta

from gateway.clock import format_utc
from gateway.storage import headings, leaves
from gateway.storage.engine import Database
from gateway.storage.headings import LeafQuery, find_leaves
from gateway.storage.log_models import Leaf, LeafHeading
from gateway.storage.places import Place
from tests.contract.storage.records import NOW


def entry(number: int) -> bytes:
    """Leaf `number`: every fifth an export; times go back and forth by ten milliseconds; two sites in turn."""
    at = NOW + timedelta(milliseconds=10 * (number // 2 * 2 + (number + 1) % 2))
    kind, site = "export" if number % 5 == 0 else "acceptance", f"site-{number % 2}"
    return json.dumps({"type": kind, "at": format_utc(at), "site": site}).encode()


def seal(database: Database, place: Place, entries: list[bytes]) -> None:
    with database.write() as session:
        for number, each in enumerate(entries):
            leaves.stage(session, place.owner_id, f"leaf-{number}", each, {}, NOW)
        head = leaves.lock_head(session, place.owner_id)
        leaves.append(session, head, leaves.staged(session, place.owner_id, 1000), [(0, 0, b"h")], "c", NOW)


def test_every_query_finds_what_reading_all_leaves_finds(database: Database, place: Place) -> None:
    entries = [entry(number) for number in range(41)]
    seal(database, place, entries)
    documents = [json.loads(each) for each in entries]
    since, until = NOW + timedelta(milliseconds=95), NOW + timedelta(milliseconds=305)
    with database.read() as session:
        for types in ((), ("export",), ("acceptance", "export"), ("nothing",)):
            for begin, end in ((None, None), (since, None), (None, until), (since, until)):
                for sites in (None, {"site-0"}, set()):
                    query = LeafQuery(types, begin, end, sites, {"acceptance"})
                    expected = [
                        number
                        for number, each in enumerate(documents)
                        if (not types or each["type"] in types)
                        and (begin is None or each["at"] >= format_utc(begin))
                        and (end is None or each["at"] < format_utc(end))
                        and (sites is None or each["type"] != "acceptance" or each["site"] in sites)
                    ]
                    expected.sort(key=lambda number: (documents[number]["at"], number), reverse=True)
                    found: list[int] = []
                    before = None
                    while page := find_leaves(session, place.owner_id, query, before=before, limit=6):
                        found += [leaf.index for leaf in page]
                        before = page[-1].at, page[-1].index
                    assert found == expected, query
        leaf = headings.leaf_at(session, place.owner_id, 5)
        assert leaf is not None
        assert (leaf.leaf_id, leaf.entry) == ("leaf-5", entries[5])
        assert headings.leaf_at(session, place.owner_id, 41) is None
        assert headings.leaf_at(session, "another", 5) is None


def test_what_is_no_entry_is_sealed_without_a_heading(database: Database, place: Place) -> None:
    seal(database, place, [b"\x00\xff", b"[]", b'{"type": "x"}', entry(1)])
    with database.read() as session:
        assert session.query(Leaf).count() == 4
        assert [row.leaf_index for row in session.query(LeafHeading)] == [3]
