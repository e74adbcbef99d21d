"""Passkeys, the pure part: what is asked, what an answer is worth, and challenges that are good once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from captive_portal.auth import passkey_challenges
from captive_portal.auth.passkey_challenges import CHALLENGE_LIFE, Challenges
from captive_portal.auth.passkeys import (
    ANSWER_MAX_CHARS,
    KnownKey,
    NewKey,
    RelyingParty,
    creation_options,
    new_count,
    new_key,
    read_answer,
    relying_party,
    request_options,
)
from gateway.settings import Console
from tests.soft_key import SoftKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARTY = RelyingParty("konsoll.example.no", "https://konsoll.example.no:8081", "Eksempel kommune")
CHALLENGE = b"c" * 32


def created(key: SoftKey, party: RelyingParty = PARTY, **said) -> str:
    return key.create(creation_options(party, "a" * 32, "ola", CHALLENGE, ()), PARTY.origin, **said)


def signed(key: SoftKey, **said) -> str:
    return key.get(request_options(PARTY, CHALLENGE), **{"origin": PARTY.origin} | said)


def registered(key: SoftKey) -> KnownKey:
    answer = read_answer(created(key))
    found = new_key(answer, PARTY, CHALLENGE)
    assert isinstance(found, NewKey)
    return KnownKey(found.credential_id, found.public_key, found.sign_count, found.backup_eligible, found.transports)


def test_a_signature_that_is_altered_is_none():
    key = SoftKey()
    known, said = registered(key), json.loads(signed(key))
    spoilt = bytearray(base64url_to_bytes(said["response"]["signature"]))
    spoilt[-1] ^= 1
    said["response"]["signature"] = bytes_to_base64url(bytes(spoilt))
    answer = read_answer(json.dumps(said))
    assert new_count(answer, PARTY, CHALLENGE, known, verified=False) == "invalid"
    again = replace(known, sign_count=2**31)
    assert new_count(answer, PARTY, CHALLENGE, again, verified=True) == "invalid", "nothing is told"


def test_a_key_is_registered_and_signs():
    key = SoftKey()
    known = registered(key)
    assert known.transports.split() == ["usb", "internal"]
    assert known.sign_count == 0
    for count in (1, 2, 3):
        assert new_count(read_answer(signed(key)), PARTY, CHALLENGE, known, verified=True) == count


@pytest.mark.parametrize(
    ("said", "challenge"),
    [
        ({"origin": "https://konsoll.example.no"}, CHALLENGE),
        ({"origin": "https://konsoll.example.no.evil.example"}, CHALLENGE),
        ({"origin": "http://konsoll.example.no:8081"}, CHALLENGE),
        ({"rp_id": "example.no"}, CHALLENGE),
        ({"type": "webauthn.create"}, CHALLENGE),
        ({}, b"another"),
    ],
)
def test_an_answer_to_anything_else_is_refused(said, challenge):
    key = SoftKey()
    known = registered(key)
    assert new_count(read_answer(signed(key, **said)), PARTY, challenge, known, verified=False) == "invalid"
    other = {"type": "webauthn.get"} if "type" in said else said
    text = key.create(creation_options(PARTY, "a", "ola", CHALLENGE, ()), **{"origin": PARTY.origin} | other)
    assert new_key(read_answer(text), PARTY, challenge) == "invalid"


def test_a_key_that_verifies_nobody_is_no_passkey_and_signs_in_after_a_password_only():
    key = SoftKey()
    assert new_key(read_answer(created(key, uv=False)), PARTY, CHALLENGE) == "unverified"
    known = registered(key)
    assert new_count(read_answer(signed(key, uv=False)), PARTY, CHALLENGE, known, verified=True) == "unverified"
    assert new_count(read_answer(signed(key, uv=False)), PARTY, CHALLENGE, known, verified=False) == 2


def test_another_key_is_refused_also_under_the_name_of_a_known_one():
    known, other = registered(SoftKey()), SoftKey()
    assert new_count(read_answer(signed(other)), PARTY, CHALLENGE, known, verified=True) == "invalid"
    other.credential_id = known.credential_id
    assert new_count(read_answer(signed(other)), PARTY, CHALLENGE, known, verified=True) == "invalid"


@pytest.mark.parametrize(("kept", "said", "good"), [(5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)])
def test_a_counter_that_does_not_go_up_is_refused(kept, said, good):
    key = SoftKey()
    known = replace(registered(key), sign_count=kept)
    key.count = said
    expected = said if good else "counter"
    assert new_count(read_answer(signed(key)), PARTY, CHALLENGE, known, verified=True) == expected


def test_a_key_that_counts_nothing_signs_as_often_as_it_likes():
    key = SoftKey(counts=False)
    known = registered(key)
    for _ in range(2):
        assert new_count(read_answer(signed(key)), PARTY, CHALLENGE, known, verified=True) == 0


def test_whether_a_key_may_be_kept_elsewhere_is_known_and_does_not_change():
    key = SoftKey(backup_eligible=True)
    known = registered(key)
    assert known.backup_eligible
    assert new_count(read_answer(signed(key)), PARTY, CHALLENGE, known, verified=True) == 1
    key.flags = 0
    assert new_count(read_answer(signed(key)), PARTY, CHALLENGE, known, verified=True) == "invalid"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"response": {}}', '{"response": {"clientDataJSON": 1}}', "x" * 30_000]
)
def test_what_is_no_answer_is_none(text):
    assert read_answer(text) is None


def test_an_answer_from_inside_a_foreign_frame_or_too_long_is_none():
    key = SoftKey()
    registered(key)
    assert read_answer(signed(key, crossOrigin=True)) is None
    assert read_answer(signed(key) + " " * ANSWER_MAX_CHARS) is None
    key.credential_id = b"x" * 1024
    assert read_answer(signed(key)) is None


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=100))
def test_whatever_stands_in_an_answer_it_is_refused_and_nothing_breaks(data, signature, other):
    key = SoftKey()
    parts = json.loads(signed(key))
    for name, value in (("authenticatorData", data), ("signature", signature), ("attestationObject", other + data)):
        parts["response"][name] = bytes_to_base64url(value)
    answer = read_answer(json.dumps(parts))
    known = KnownKey(key.credential_id, other, 0, False)
    assert new_count(answer, PARTY, CHALLENGE, known, verified=False) == "invalid"
    assert new_key(answer, PARTY, CHALLENGE) == "invalid"


@pytest.mark.parametrize(
    ("hostname", "port", "expected"),
    [
        ("localhost", 8081, ("localhost", "https://localhost:8081")),
        ("Konsoll.Storvik.kommune.no", 443, ("konsoll.storvik.kommune.no", "https://konsoll.storvik.kommune.no")),
        ("konsoll", 8081, ("konsoll", "https://konsoll:8081")),
        ("192.0.2.7", 8081, None),
        ("2001:db8::7", 8081, None),
        ("192.0.2", 8081, None),
    ],
)
def test_the_party_is_the_consoles_name_and_none_at_an_address(hostname, port, expected):
    found = relying_party(Console(hostname=hostname, port=port), "Eksempel kommune")
    assert (found and (found.id, found.origin)) == expected


def test_what_is_asked_of_a_key():
    known = KnownKey(b"known", b"", 0, False, "usb nfc")
    asked = json.loads(creation_options(PARTY, "a" * 32, "ola", CHALLENGE, [known]))
    assert asked["rp"] == {"id": "konsoll.example.no", "name": "Eksempel kommune"}
    assert base64url_to_bytes(asked["user"]["id"]) == b"a" * 32, "who it is, without a name in it"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert [base64url_to_bytes(each["id"]) for each in asked["excludeCredentials"]] == [b"known"]
    alone, second = (
        json.loads(request_options(PARTY, CHALLENGE)),
        json.loads(request_options(PARTY, CHALLENGE, [known])),
    )
    assert (alone["allowCredentials"], alone["userVerification"]) == ([], "required")
    assert [each["transports"] for each in second["allowCredentials"]] == [["usb", "nfc"]]
    assert asked["timeout"] == alone["timeout"] == CHALLENGE_LIFE.total_seconds() * 1000


def test_a_challenge_is_good_once_for_its_holder_and_in_time():
    challenges = Challenges()
    challenge = challenges.new("ola", NOW)
    assert len(challenge) == 32
    assert challenges.take(challenge, "ola", NOW + CHALLENGE_LIFE - timedelta(seconds=1))
    assert not challenges.take(challenge, "ola", NOW), "taken"
    late = challenges.new("ola", NOW)
    assert not challenges.take(late, "ola", NOW + CHALLENGE_LIFE)
    stolen = challenges.new("ola", NOW)
    assert not challenges.take(stolen, "kari", NOW)
    assert not challenges.take(stolen, "ola", NOW), "tried by somebody else"
    assert not challenges.take(b"never given", "ola", NOW)


def test_challenges_that_nobody_takes_are_forgotten(monkeypatch):
    monkeypatch.setattr(passkey_challenges, "MAX_OPEN", 3)
    challenges = Challenges()
    given_out = [challenges.new("ola", NOW) for _ in range(4)]
    assert [challenges.take(each, "ola", NOW) for each in given_out] == [False, True, True, True]
