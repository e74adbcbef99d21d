"""docs/security.md: each requirement of ASVS 5.0 up to level 2 has one row, and every test that it names is there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; they are the first of the section, in order.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
STANDINGS = {"met", "part", "no", "yours", "n/a"}


def rows() -> list[list[str]]:
    table = TEXT.partition("| | | how | test |")[2].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table if line.startswith("|")]


def numbers(cell: str) -> list[str]:
    found = []
    for part in cell.split(", "):
        first, _, last = part.partition("–")
        section, _, number = first.rpartition(".")
        until = int(last.rpartition(".")[2]) if last else int(number)
        assert not last or last.rpartition(".")[0] == section, f"{part} is of two sections"
        found += [f"{section}.{each}" for each in range(int(number), until + 1)]
    return found


def test_each_requirement_has_one_row():
    wanted = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
    found = Counter(number for row in rows() for number in numbers(row[0]))
    assert set(found) == set(wanted), set(found) ^ set(wanted)
    assert {number for number, count in found.items() if count > 1} == set()


def test_what_is_not_met_says_why():
    for row in rows():
        assert len(row) == 4, row
        assert row[1] in STANDINGS, row
        assert row[2] or row[3], f"{row[0]} says nothing"


NAMED = re.findall(r"`((?:tests|docs|captive_portal|gateway|deploy)/[^`]+)`", TEXT)


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_what_it_names_is_there(named: str):
    path, _, test = named.partition("::")
    found = sorted(ROOT.glob(path))
    assert found, f"there is no {path}"
    if test:
        assert re.search(rf"^def {re.escape(test)}\(", found[0].read_text(encoding="utf-8"), re.MULTILINE), named
