"""The notice to guests is complete or not published, and says until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.periods import parse_period
from gateway.clock import MUNICIPAL_ZONE
from gateway.errors import UsageError
from gateway.settings import Privacy
from gateway.terms.notice import blanks, kept_until, refuse_blanks

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


MOMENTS = st.integers(1_577_836_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
PERIODS = st.one_of(
    st.dates(date(2001, 1, 1), date(2001, 12, 31)).map(lambda day: f"until {day:%m-%d}"),
    st.integers(1, 4000).map(lambda days: f"{days} days"),
)


@given(MOMENTS, PERIODS)
def test_the_day_that_guests_are_told_is_the_day_it_is_over(accepted_at: datetime, period: str) -> None:
    day = kept_until(accepted_at, period, MUNICIPAL_ZONE)
    midnight = datetime(day.year, day.month, day.day, tzinfo=MUNICIPAL_ZONE).astimezone(UTC)
    kept = parse_period(period)
    assert not accepted_at < kept.cutoff(midnight - timedelta(seconds=1), MUNICIPAL_ZONE)
    assert accepted_at < kept.cutoff(midnight + timedelta(days=1, hours=2), MUNICIPAL_ZONE)
