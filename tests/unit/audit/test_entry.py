"""Entries: the exact bytes, the digests, and what is refused."""

import base64
import hashlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.audit import canonical, entry
from gateway.audit.errors import CanonicalError, EntryError

AT = datetime(2026, 11, 22, 13, 22, 0, 123456, tzinfo=UTC)
HASH = "ab" * 32
RULES = {"version": "1", "language": "nb", "text_sha256": HASH, "html_sha256": HASH}
FIELDS = {"rules": RULES, "identified_by": "self_declared"}


def counter() -> Callable[[], bytes]:
    numbers = itertools.count()
    return lambda: next(numbers).to_bytes(16, "big")


def build(kind: str = "acceptance", **changes: Any) -> entry.Built:
    given: dict[str, Any] = {
        "at": AT, "owner": "kommune", "site": "hovedbygg", "fields": FIELDS, "personal": {"name": "Kari"},
        "salt": counter(),
    }  # fmt: skip
    return entry.build(kind, **{**given, **changes})


def test_the_bytes_of_an_acceptance() -> None:
    built = build(personal={"name": "Kari", "mac": "02:00:00:00:00:01", "contact": ""})
    digests = sorted(item.digest for item in built.disclosures)
    rules = f'{{"html_sha256":"{HASH}","language":"nb","text_sha256":"{HASH}","version":"1"}}'
    assert built.entry.decode() == (
        '{"at":"2026-11-22T13:22:00.123Z","identified_by":"self_declared","owner":"kommune",'
        f'"personal":["{digests[0]}","{digests[1]}"],"rules":{rules},"site":"hovedbygg","type":"acceptance","v":1}}'
    )
    assert [item.name for item in built.disclosures] == ["mac", "name"]


def test_a_digest_is_that_of_rfc_9901() -> None:
    # The example of RFC 9901 §4.2.1 differs in spacing; the construction is the same over our canonical JSON.
    item = entry.Disclosure("AAAAAAAAAAAAAAAAAAAAAA", "name", "Kari")
    text = b'["AAAAAAAAAAAAAAAAAAAAAA","name","Kari"]'
    encoded = base64.urlsafe_b64encode(text).rstrip(b"=")
    assert item.encoded == encoded.decode()
    assert item.digest == base64.urlsafe_b64encode(hashlib.sha256(encoded).digest()).rstrip(b"=").decode()


def test_personal_values_are_nowhere_in_the_entry_not_even_as_plain_hashes() -> None:
    built = build(personal={"name": "Kari Nordmann"})
    assert b"Kari" not in built.entry
    plain = hashlib.sha256(b"Kari Nordmann").digest()
    assert plain.hex().encode() not in built.entry
    assert base64.urlsafe_b64encode(plain)[:40] not in built.entry


def test_a_disclosure_belongs_only_to_its_own_entry() -> None:
    one = build()
    two = build(salt=lambda: b"another salt 16b")
    assert entry.belongs(one.disclosures[0], one.entry)
    assert not entry.belongs(one.disclosures[0], two.entry)
    changed = entry.Disclosure(one.disclosures[0].salt, "name", "Lise")
    assert not entry.belongs(changed, one.entry)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "party"}, {"at": AT.replace(tzinfo=None)}, {"salt": lambda: b"short"}, {"owner": ""}, {"site": ""},
        {"salt": lambda: bytes(16), "personal": {"name": "a", "mac": "b"}}, {"personal": {"shoe_size": "42"}},
        {"fields": {}},
        {"fields": {**FIELDS, "identified_by": "guess"}}, {"fields": {**FIELDS, "personal": []}},
        {"fields": {**FIELDS, "x": 1}},
        {"fields": {**FIELDS, "rules": {**RULES, "text_sha256": "AB" * 32}}}, {"fields": {**FIELDS, "type": "export"}},
        {"fields": {**FIELDS, "rules": {**RULES, "version": ""}}}, {"fields": {**FIELDS, "rules": []}},
        {"fields": {**FIELDS, "rules": {**RULES, "version": "x" * 70_000}}},
    ],
)  # fmt: skip
def test_what_does_not_fit_the_type_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EntryError):
        build(**changes)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(CanonicalError):
        build(personal={"name": "\ud800"})


OTHER = {
    "rules_published": (
        {"version": "1", "adopting_body": "", "adopted_on": "", "case_number": "", "binding_language": "nb",
         "texts": {"nb": {"text_sha256": HASH, "html_sha256": HASH}}}, {"by": "it"}),
    "rules_asked_again": ({"version": "1"}, {"by": "it", "approved_by": "it2"}),
    "rules_proposed": ({"change": "proposed", "version": "1", "sha256": HASH}, {"by": "it"}),
    "rules_withdrawn": ({"version": "1"}, {"by": "it"}),
    "policy_published": ({"generation": 2, "before_sha256": "", "after_sha256": HASH}, {"by": "it", "note": "n"}),
    "grant_moved": ({"grant": "g", "from_group": "default", "to_group": "course"}, {"by": "it", "mac": "m"}),
    "grant_revoked": ({"grant": "g"}, {"by": "it", "mac": "m"}),
    "grant_extended": ({"grant": "g", "until": "2026-12-01"}, {"mac": "m"}),
    "grant_ended": ({"grant": "g", "cause": "signed_off"}, {"mac": "m"}),
    "export": ({"first": 0, "last": 3, "size": 3}, {"staff": "it", "filter": "f", "purpose": "p"}),
    "staff_change": ({"change": "added", "role": "it"}, {"staff": "it", "subject": "s"}),
    "staff_login": ({"method": "password", "result": "ok"}, {"staff": "it", "address": "a"}),
    "exemption_changed": (
        {"change": "added", "group": "course", "categories": ["gaming"], "until": "2026-12-01"},
        {"by": "it"},
    ),
    "exemption_decided": (
        {"request": "r", "grant": "g", "decision": "granted", "group": "course", "categories": ["gaming"]},
        {"by": "it", "mac": "m", "reason": "s"},
    ),
    "device_admitted": (
        {"device": "d", "group": "default", "until": "2026-12-01"},
        {"by": "it", "mac": "m", "unit": "u"},
    ),
    "device_blocked": (
        {"change": "blocked", "until": "2026-12-01"},
        {"by": "it", "mac": "m", "reason": "r", "note": "n"},
    ),
    "network_switched": (
        {"network": "guest0", "mode": "closed", "until": "2026-12-01"},
        {"by": "it", "reason": "r", "note": "n"},
    ),
    "course_changed": (
        {"change": "added", "course": "c", "group": "g", "since": "2026-12-01", "until": "2026-12-02", "devices": 60},
        {"by": "it", "title": "t", "unit": "u", "course_code": "c"},
    ),
    "setting_changed": ({"setting": "owner.unit"}, {"by": "it", "before": "b", "after": "a", "note": "n"}),
    "host_answered": ({"answer": "approved", "asked": "2026-12-01", "grant": "g"}, {"by": "h", "mac": "m"}),
    "erased": ({"leaves": "3-5,9", "ground": "request"}, {"by": "it", "reason": "r"}),
    "retention_run": ({"before": "2026-07-01", "erased": 7}, {}),
    "subject_access": ({"leaves": "3", "ground": "receipt"}, {"by": "it", "reason": "r"}),
    "key_rotated": ({"old_vkey": "o", "new_vkey": "n", "note": "s"}, {"by": "it", "reason": "r"}),
    "restored": ({"size": 3, "root": "a", "known_size": 5, "known_root": "b"}, {"by": "it", "reason": "r"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(OTHER))
def test_each_other_type_can_be_built_and_read(kind: str) -> None:
    fields, personal = OTHER[kind]
    built = build(kind, fields=fields, personal=personal)
    document = entry.parse_entry(built.entry)
    assert document["type"] == kind
    assert len(document["personal"]) == len(personal)
    assert set(OTHER) | {"acceptance"} == set(entry.SHAPES)


@pytest.mark.parametrize(
    "change",
    [{"v": True}, {"v": 2}, {"at": "2026-11-22"}, {"personal": ["x"]}, {"personal": ["B" * 43, "A" * 43]}, {"owner": 3},
     {"personal": ["A" * 43] * 2}, {"personal": {}}],
)  # fmt: skip
def test_a_changed_envelope_is_not_an_entry(change: dict[str, Any]) -> None:
    document = canonical.decode(build().entry)
    with pytest.raises(EntryError):
        entry.parse_entry(canonical.encode({**document, **change}))


@pytest.mark.parametrize(
    ("moment", "fits"),
    [("2027-01-01T07:00:00.000Z", True), ("2027-01-01", False), ("", False), (20270101, False), (None, False)],
)
def test_rules_may_come_into_force_at_a_later_moment(moment: Any, *, fits: bool) -> None:
    fields, personal = OTHER["rules_published"]
    later: dict[str, Any] = {"kind": "rules_published", "fields": {**fields, "in_force_from": moment}}
    if fits:
        built = build(**later, personal={**personal, "approved_by": "ola"})
        assert entry.parse_entry(built.entry)["in_force_from"] == moment
    else:
        with pytest.raises(EntryError):
            build(**later, personal=personal)
