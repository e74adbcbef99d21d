"""Forms and tokens hold for whatever is typed or forged."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.guest import form
from captive_portal.security import Claims, FormSigner, Purpose
from gateway.access.accept import Applicant

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SIGNER = FormSigner(b"k" * 32)
MACS = st.from_regex(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", fullmatch=True)
IDS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
LANGUAGES = st.sampled_from(["nb", "nn", "en"])
PURPOSES: st.SearchStrategy[Purpose] = st.sampled_from(["accept", "sign_off"])
ASKED = st.fixed_dictionaries(
    {
        name: st.sampled_from(["no", "optional", "required"])
        for name in ("name", "organisation", "contact", "course_code")
    }
)
TEXT = st.text(max_size=200) | st.text(alphabet="ab <>\u202e\u200f\0\n\ufffd\u00a0é", max_size=200)
TYPED = st.dictionaries(st.sampled_from(["name", "organisation", "contact", "course_code", "x"]), TEXT)


@given(TYPED, ASKED)
def test_what_is_accepted_is_clean_short_and_asked_for(
    typed: dict[str, str], asked: dict[form.Field, form.Asked]
) -> None:
    outcome = form.read_applicant(typed, asked)
    if isinstance(outcome, form.Rejected):
        assert outcome.problems
        assert all(asked[name] != "no" for name in outcome.problems)
        return
    assert isinstance(outcome, Applicant)
    for name, need in asked.items():
        value = getattr(outcome, name)
        assert len(value) <= form.MAX_CHARS[name]
        assert not set(value) & set("<>\0\n\r\u202e\u200f\ufffd")
        assert not any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Zl", "Zp") for character in value)
        assert value == value.strip(" ")
        assert unicodedata.is_normalized("NFC", value)
        assert not (need == "required" and not value)
        assert not (need == "no" and value)
        assert form.normalise(value) == value


@given(st.text(alphabet=st.characters(whitelist_categories=("L", "N")), min_size=1, max_size=60), ASKED)
def test_letters_and_digits_of_every_script_are_fine(name: str, asked: dict[form.Field, form.Asked]) -> None:
    only_name: dict[form.Field, form.Asked] = {**dict.fromkeys(asked, "no"), "name": "required"}  # type: ignore[dict-item]
    outcome = form.read_applicant({"name": name}, only_name)
    if len(unicodedata.normalize("NFC", name)) <= form.MAX_CHARS["name"]:
        assert isinstance(outcome, Applicant)
        assert outcome.name == unicodedata.normalize("NFC", name)


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50), max_size=form.MAX_FIELDS))
def test_forms_are_read_as_browsers_write_them(fields: dict[str, str]) -> None:
    assert form.decode_form(urlencode(fields).encode()) == fields


@given(st.binary(max_size=2000))
def test_any_body_is_a_form_or_none(body: bytes) -> None:
    fields = form.decode_form(body)
    if fields is not None:
        form.read_applicant(fields, {"name": "required", "contact": "optional"})
        assert all("\0" not in value for value in form.shown_again(fields).values())


@given(PURPOSES, MACS, IDS, LANGUAGES, st.integers(1, 10_000))
def test_a_token_holds_for_its_device_and_purpose_until_it_ends(
    purpose: Purpose, mac: str, subject: str, language: str, seconds: int
) -> None:
    ends = NOW + timedelta(seconds=seconds)
    token = SIGNER.sign(purpose, mac, subject, language, ends)
    assert SIGNER.verify(token, purpose, mac, NOW) == Claims(subject, language)
    assert SIGNER.verify(token, purpose, mac, ends) == "expired"
    assert SIGNER.verify(token, "accept" if purpose == "sign_off" else "sign_off", mac, NOW) == "foreign"
    assert FormSigner(b"j" * 32).verify(token, purpose, mac, NOW) == "foreign"


@given(MACS, MACS, IDS, st.data())
def test_no_other_device_and_no_altered_token(mac: str, other: str, subject: str, data: st.DataObject) -> None:
    token = SIGNER.sign("accept", mac, subject, "nb", NOW + timedelta(hours=1))
    if other != mac:
        assert SIGNER.verify(token, "accept", other, NOW) == "foreign"
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda drawn: drawn != token[place]))
    assert SIGNER.verify(token[:place] + character + token[place + 1 :], "accept", mac, NOW) in ("foreign", "malformed")


@given(st.text(max_size=400))
def test_any_text_is_a_token_of_no_one(text: str) -> None:
    assert SIGNER.verify(text, "accept", "02:00:00:00:00:01", NOW) in ("malformed", "foreign")
