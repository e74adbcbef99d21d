"""What an account may see: which personal fields of which entries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.audit.scope import ALL_FIELDS, EVERYTHING, Scope

WITHOUT_NAMES = Scope(fields=ALL_FIELDS - {"name"})
ONE_SITE = Scope(sites=frozenset({"bibliotek"}))
ONE_YEAR = Scope(since=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("scope", "shown"), [(EVERYTHING, True), (ONE_YEAR, True), (WITHOUT_NAMES, False), (ONE_SITE, False)]
)
def test_what_others_exported_by_name_is_for_those_who_see_names_everywhere(scope: Scope, shown: bool) -> None:
    assert scope.shows("filter") is shown


def test_fields_of_guests_are_limited_and_those_of_staff_are_not() -> None:
    assert not WITHOUT_NAMES.shows("name")
    for scope in (EVERYTHING, WITHOUT_NAMES, ONE_SITE):
        assert all(scope.shows(field) for field in ("mac", "staff", "reason", "purpose", "by"))
