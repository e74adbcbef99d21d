"""The filter, the order and the fields: what becomes a row, and what is refused before anything is recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import fields, selection
from gateway.audit.errors import BundleError
from gateway.audit.order import Order
from gateway.audit.sample import Sample

ACCEPTANCE = {
    "type": "acceptance", "at": "2026-11-22T12:00:00.000Z", "site": "hovedbygg", "rules": {"version": "2026-1"},
}  # fmt: skip
PERSON = {"name": "Åse Østby", "mac": "02:00:5e:10:ab:01", "course_code": "K-12"}
ORDER = Order(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "rev", "Sak 1")


@pytest.mark.parametrize(
    ("filter_", "fits"),
    [
        ({}, True),
        ({"from": "2026-11-22T12:00:00.000Z"}, True),
        ({"to": "2026-11-22T12:00:00.000Z"}, False),
        ({"from": "2026-11-22T12:00:00.001Z"}, False),
        ({"site": "hovedbygg", "version": "2026-1"}, True),
        ({"site": "bygg"}, False),
        ({"version": "2026"}, False),
    ],
)
def test_the_plain_filter_is_recomputed_from_the_entry(filter_, fits):
    assert selection.in_view(ACCEPTANCE, filter_) == fits
    assert not selection.in_view({**ACCEPTANCE, "type": "export"}, filter_)


@pytest.mark.parametrize(
    ("filter_", "fits"),
    [
        ({"name": "øst"}, True),
        ({"name": "ÅSE"}, True),
        ({"name": "ola"}, False),
        ({"course": "k-12"}, True),
        ({"course": "k-1"}, False),
        ({"device": "02:00:5e:10:ab:01"}, True),
        ({"device": "ab01"}, True),
        ({"device": "b:01"}, True),
        ({"device": "ab02"}, False),
        ({"name": "øst", "device": "ab02"}, False),
    ],
)
def test_personal_keys_look_at_what_was_disclosed(filter_, fits):
    assert selection.is_personal(filter_)
    assert selection.selects(filter_, PERSON) == fits
    assert not selection.selects(filter_, {}), "what was erased fits nothing"


def test_a_device_is_read_as_people_write_it():
    for text in ("02:00:5E:10:AB:01", "02-00-5e-10-ab-01", "0200.5e10.ab01", "02005e10ab01"):
        assert selection.read_device(text) == "02:00:5e:10:ab:01"
    assert selection.read_device("AB:01") == "ab01"
    for text in ("", "1", "xyz", "02:00:5e:10:ab:01:02", "²²"):
        assert selection.read_device(text) is None


@given(st.integers(0, 2**48 - 1), st.integers(2, 12))
def test_the_last_digits_of_a_device_find_it(number, count):
    digits = f"{number:012x}"
    mac = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    wanted = selection.read_device(digits[-count:])
    assert selection.selects({"device": wanted}, {"mac": mac})


def test_an_order_records_what_was_asked_for():
    order = replace(ORDER, name="Åse", fields=fields.ALL - {"address"}, sample=Sample(3, "7"), xlsx=True)
    order.check()
    assert json.loads(order.recorded()) == {
        "fields": sorted(fields.ALL - {"address"}),
        "filter": {"from": "2026-01-01T00:00:00.000Z", "to": "2027-01-01T00:00:00.000Z", "name": "Åse"},
        "sample": {"count": 3, "number": "7"},
        "views": ["xlsx"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "  "},
        {"language": "se"},
        {"device": "zz"},
        {"sample": Sample(0, "7")},
        {"sample": Sample(10_001, "7")},
        {"sample": Sample(3, " ")},
        {"name": "Åse", "fields": fields.visible(names_withheld=True)},
        {"device": "ab01", "fields": fields.visible(names_withheld=True)},
    ],
)
def test_an_order_that_can_not_be_met_is_refused(changes):
    with pytest.raises(BundleError):
        replace(ORDER, **changes).check()


def test_a_course_can_be_chosen_with_names_withheld():
    replace(ORDER, course="K-12", fields=fields.visible(names_withheld=True)).check()


def test_with_names_withheld_nobody_is_identified():
    assert fields.visible(names_withheld=False) == fields.ALL
    assert fields.visible(names_withheld=True) == {"organisation", "course_code"}
