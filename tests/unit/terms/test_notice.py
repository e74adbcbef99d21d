"""The notice to guests is complete or not published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UsageError
from gateway.settings import Privacy
from gateway.terms.notice import blanks, refuse_blanks

FILLED = {
    "controller": "Storvik kommune, postmottak@storvik.example.no",
    "dpo": "personvernombud@storvik.example.no",
    "legal_basis": "6.1.e",
    "legal_basis_law": "kommuneloven § 25-1",
    "authority": "Datatilsynet, www.datatilsynet.no",
    "backup_days": 30,
}


def test_a_complete_notice_has_no_blanks() -> None:
    assert blanks(Privacy(**FILLED)) == {}
    refuse_blanks(Privacy(**FILLED))


def test_a_fresh_installation_lacks_what_only_the_municipality_knows() -> None:
    assert list(blanks(Privacy())) == ["controller", "dpo", "legal_basis", "legal_basis_law", "backup_days"]


@given(st.sets(st.sampled_from(sorted(FILLED))), st.sampled_from(["", "  "]))
def test_exactly_what_is_blank_is_named(removed: set[str], blank: str) -> None:
    empty = {"backup_days": None, "legal_basis": ""}
    privacy = Privacy(**{**FILLED, **{key: empty.get(key, blank) for key in removed}})
    assert set(blanks(privacy)) == removed
    if removed:
        with pytest.raises(UsageError) as refused:
            refuse_blanks(privacy)
        assert {key for key in FILLED if f"privacy.{key} " in str(refused.value)} == removed


def test_backups_that_are_not_kept_are_no_blank() -> None:
    assert blanks(Privacy(**{**FILLED, "backup_days": 0})) == {}


def test_a_balance_of_interests_needs_no_other_law() -> None:
    assert blanks(Privacy(**{**FILLED, "legal_basis": "6.1.f", "legal_basis_law": ""})) == {}
