"""Claims of an ID token: whatever a provider writes into them, only what fits everything makes a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.auth.oidc_attempt import ATTEMPT_LIFE, Attempts, new_attempt
from captive_portal.auth.oidc_claims import MAX_AGE_S, SLACK_S, BadClaims, Person, person_of, role_of
from gateway.settings.oidc import Oidc

NOW = 1_764_000_000
CHOSEN = Oidc(
    issuer="https://id.example.no",
    client_id="console",
    roles={"IT": "it", "Revisor": "auditor", "Vert": "host"},
    acr_values=("high",),
)
RIGHT = {
    "iss": CHOSEN.issuer,
    "sub": "31",
    "aud": "console",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "n",
    "acr": "high",
    "roles": ["IT"],
    "preferred_username": "kari",
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CHECKED = ("iss", "sub", "aud", "exp", "iat", "nonce", "acr")


def test_the_right_claims_make_a_person():
    assert person_of(RIGHT, CHOSEN, "n", NOW) == Person(CHOSEN.issuer, "31", "kari", "it")
    assert isinstance(person_of(RIGHT | {"aud": ["console"]}, CHOSEN, "n", NOW), Person)
    assert isinstance(person_of(RIGHT | {"aud": ["console", "x"], "azp": "console"}, CHOSEN, "n", NOW), Person)


@given(st.sampled_from(CHECKED), VALUES)
def test_a_claim_that_is_something_else_makes_none(name, value):
    found = person_of(RIGHT | {name: value}, CHOSEN, "n", NOW)
    fits = {
        "iss": value == CHOSEN.issuer,
        "sub": isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable(),
        "aud": value in ("console", ["console"]),
        "exp": _number(value) and value > NOW - SLACK_S,
        "iat": _number(value) and NOW - MAX_AGE_S - SLACK_S <= value <= NOW + SLACK_S,
        "nonce": value == "n",
        "acr": value == "high",
    }
    assert isinstance(found, Person) == fits[name]


@given(st.dictionaries(st.sampled_from((*CHECKED, "azp", "nbf", "roles", "department")), VALUES))
def test_any_claims_are_judged_without_an_error(claims):
    assert isinstance(person_of(claims, CHOSEN, "n", NOW), BadClaims | Person)


@given(st.permutations(["IT", "Revisor", "Vert", "Annet", "it"]), st.integers(0, 5))
def test_of_several_roles_the_one_that_may_most_counts(values, count):
    held = values[:count]
    expected = next((CHOSEN.roles[name] for name in ("IT", "Revisor", "Vert") if name in held), None)
    assert role_of({"roles": held}, CHOSEN) == expected


@given(VALUES)
def test_a_host_without_a_unit_has_no_role(value):
    found = person_of(RIGHT | {"roles": "Vert", "department": value}, CHOSEN, "n", NOW)
    assert isinstance(found, Person)
    named = isinstance(value, str) and value.isprintable() and value.strip() != ""
    assert (found.role, bool(found.unit)) == (("host", True) if named else (None, False))


def test_an_attempt_is_taken_once_in_time_with_its_state_and_key():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    attempts, attempt = Attempts(b"k" * 32), new_attempt(now)
    cookie = attempts.seal(attempt)
    assert attempt.nonce not in cookie
    assert attempts.take(cookie, "another", now) is None
    assert attempts.take(cookie, attempt.state, now + ATTEMPT_LIFE) is None
    assert Attempts(b"x" * 32).take(cookie, attempt.state, now) is None
    for spoilt in ("", "æ", "\udcff", cookie[:-4], cookie[::-1], "x" * 5000):
        assert attempts.take(spoilt, attempt.state, now) is None
    assert attempts.take(cookie, attempt.state, now + ATTEMPT_LIFE - timedelta(seconds=1)) == attempt
    assert attempts.take(cookie, attempt.state, now) is None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
