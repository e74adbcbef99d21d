"""Entries: what the log records, with every personal field as a salted digest in the manner of SD-JWT (RFC 9901 §4.2).

An entry E is canonical JSON of at most 65,535 bytes: `v`, `type`, `at`, `owner`, `site`, the plain fields of its
type, and `personal`, the sorted digests. A personal value and its salt live outside the log and can be deleted; the
entry and every proof over it stay valid. Pure: the caller brings the time and the source of salts.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from gateway.audit import canonical
from gateway.audit.errors import EntryError
from gateway.clock import format_utc

VERSION = 1
MAX_ENTRY_BYTES = 65_535
MIN_SALT_BYTES = 16
IDENTIFIED_BY = frozenset(
    {"self_declared", "course_code", "host_approved", "oidc", "known_device", "device_words", "receipt_code"}
)
RECOGNISED = frozenset({"known_device", "device_words", "receipt_code"})
"""Ways of being identified in which the person wrote nothing this time: what they wrote earlier was taken again."""

_ENVELOPE = frozenset({"v", "type", "at", "owner", "site", "personal"})
_RULES = frozenset({"version", "language", "text_sha256", "html_sha256"})
_RULES_OPTIONAL = frozenset({"group"})  # whose rules they are, where a group has its own
_KINDS = (("text", "md"), ("html", "html"))
_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of entry: its plain fields (all required but `optional`) and its possible personal fields."""

    plain: frozenset[str]
    personal: frozenset[str]
    optional: frozenset[str] = frozenset()


def _shape(plain: str, personal: str, optional: str = "") -> Shape:
    return Shape(frozenset(plain.split()), frozenset(personal.split()), frozenset(optional.split()))


# A new type is a new row, and a type never gets a new plain field: verifiers of earlier releases pass over a type that
# they don't know, and refuse a field. Free text is personal: people write names into it. `leaves` names leaves by their
# numbers, as ranges: `3-5,9`.
SHAPES: Mapping[str, Shape] = {
    "acceptance": _shape("rules identified_by", "name organisation contact mac address course_code receipt"),
    "rules_published": _shape(
        "version adopting_body adopted_on case_number binding_language texts", "by approved_by", "group in_force_from"
    ),
    "rules_asked_again": _shape("version", "by approved_by"),
    "rules_proposed": _shape("change version sha256", "by", "group"),
    "rules_withdrawn": _shape("version", "by"),
    "policy_published": _shape("generation before_sha256 after_sha256", "by note"),
    "grant_moved": _shape("grant from_group to_group", "by mac"),
    "grant_revoked": _shape("grant", "by mac reason"),
    "grant_extended": _shape("grant until", "by mac"),
    "grant_ended": _shape("grant cause", "mac"),
    "export": _shape("first last size", "staff filter purpose"),
    "staff_change": _shape("change role", "staff subject scope"),
    "staff_login": _shape("method result", "staff address"),
    "exemption_changed": _shape("change group categories until", "by scope approved_by reason"),
    "exemption_decided": _shape("request grant decision group categories", "by mac reason"),
    "device_admitted": _shape("device group until", "by mac unit reason"),
    "device_blocked": _shape("change until", "by mac reason note"),
    "network_switched": _shape("network mode until", "by reason note"),
    "course_changed": _shape("change course group since until devices", "by title unit course_code"),
    "setting_changed": _shape("setting", "by before after note"),
    "host_answered": _shape("answer asked grant", "by mac"),
    "erased": _shape("leaves ground", "by reason"),
    "retention_run": _shape("before erased", ""),
    "subject_access": _shape("leaves ground", "by reason"),
    "key_rotated": _shape("old_vkey new_vkey note", "by reason"),
    "restored": _shape("size root known_size known_root", "by reason"),
}


class Disclosure(NamedTuple):
    """A personal field in clear, with the salt (base64url without padding) that binds it to its entry."""

    salt: str
    name: str
    value: str

    @property
    def encoded(self) -> str:
        """b64url(canonical JSON [salt, name, value])."""
        return _b64url(canonical.encode([self.salt, self.name, self.value]))

    @property
    def digest(self) -> str:
        """b64url(SHA-256(ASCII(encoded))): what the entry holds in `personal`."""
        return _b64url(hashlib.sha256(self.encoded.encode("ascii")).digest())


@dataclass(frozen=True, slots=True)
class Built:
    """The final bytes of a leaf, to be staged, and the disclosures to be stored apart from it."""

    entry: bytes
    disclosures: tuple[Disclosure, ...]


def build(
    kind: str,
    *,
    at: datetime,
    owner: str,
    site: str,
    fields: Mapping[str, canonical.Json],
    personal: Mapping[str, str],
    salt: Callable[[], bytes],
) -> Built:
    """Build the entry of type `kind`. `at` is aware; `salt` gives ≥ 16 fresh random bytes at each call.

    Empty personal values are left out, so that their absence is not recorded as a value.
    Raises: EntryError when the fields are not those of the type, a salt is short or repeated, or E is too long;
        CanonicalError for values that canonical JSON can't hold.
    """
    if at.tzinfo is None:
        raise EntryError("an entry's time must be aware")
    disclosures = tuple(
        Disclosure(_b64url(_checked(salt())), name, value) for name, value in sorted(personal.items()) if value
    )
    if len({disclosure.salt for disclosure in disclosures}) != len(disclosures):
        raise EntryError("the source of salts repeated itself")
    document: dict[str, Any] = {"v": VERSION, "type": kind, "at": format_utc(at), "owner": owner, "site": site}
    if clash := document.keys() & fields.keys() or {"personal"} & fields.keys():
        raise EntryError(f"the plain fields may not name {', '.join(sorted(clash))}")
    document |= dict(fields)
    document["personal"] = sorted(disclosure.digest for disclosure in disclosures)
    _check(document)
    if unknown := {disclosure.name for disclosure in disclosures} - SHAPES[kind].personal:
        raise EntryError(f"an entry of type {kind} has no personal field {', '.join(sorted(unknown))}")
    entry = canonical.encode(document)
    if len(entry) > MAX_ENTRY_BYTES:
        raise EntryError(f"the entry has {len(entry)} bytes; at most {MAX_ENTRY_BYTES} fit")
    return Built(entry, disclosures)


def parse_entry(entry: bytes) -> dict[str, Any]:
    """The fields of an entry, checked against its type. Raises: CanonicalError, EntryError."""
    if len(entry) > MAX_ENTRY_BYTES:
        raise EntryError(f"the entry has {len(entry)} bytes; at most {MAX_ENTRY_BYTES} fit")
    document = canonical.decode(entry)
    if not isinstance(document, dict):
        raise EntryError("an entry is a JSON object")
    _check(document)
    return document


def named_texts(document: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The rules texts that an entry names: (SHA-256, `md` or `html`)."""
    hashes = [document["rules"]] if "rules" in document else list(document.get("texts", {}).values())
    return frozenset((item[f"{kind}_sha256"], suffix) for item in hashes for kind, suffix in _KINDS)


def belongs(disclosure: Disclosure, entry: bytes) -> bool:
    """Whether the entry holds this disclosure's digest and its type has such a field. Raises: as `parse_entry`."""
    document = parse_entry(entry)
    return disclosure.digest in document["personal"] and disclosure.name in SHAPES[document["type"]].personal


def _check(document: Mapping[str, Any]) -> None:
    kind = document.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if document.get("v") != VERSION or isinstance(document["v"], bool) or shape is None:
        raise EntryError(f"no entry type {kind!r} in version {document.get('v')!r}")
    expected = _ENVELOPE | shape.plain
    if document.keys() - shape.optional != expected:
        odd = ", ".join(sorted((document.keys() - shape.optional) ^ expected))
        raise EntryError(f"an entry of type {kind} has other fields than its type: {odd}")
    if not all(isinstance(document[name], str) and document[name] for name in ("owner", "site")):
        raise EntryError("owner and site are non-empty text")
    if not isinstance(document["at"], str) or not _AT.fullmatch(document["at"]):
        raise EntryError("an entry's time is written like 2026-11-22T13:22:00.123Z")
    personal = document["personal"]
    if not isinstance(personal, list) or not all(
        isinstance(item, str) and _DIGEST.fullmatch(item) for item in personal
    ):
        raise EntryError("`personal` is a list of base64url SHA-256 digests")
    if personal != sorted(set(personal)):
        raise EntryError("the digests in `personal` are sorted and distinct")
    if not all(isinstance(document[name], str) and document[name] for name in shape.optional & document.keys()):
        raise EntryError(f"the optional fields of {kind} are non-empty text where they stand")
    if "rules" in shape.plain:
        _check_rules(document["rules"])
    if not _AT.fullmatch(document.get("in_force_from", document["at"])):
        raise EntryError("`in_force_from` is written like 2026-11-22T13:22:00.123Z")
    if "texts" in shape.plain:
        _check_texts(document["texts"])
    if "identified_by" in shape.plain and document["identified_by"] not in IDENTIFIED_BY:
        raise EntryError(f"a person is identified by one of {', '.join(sorted(IDENTIFIED_BY))}")


def _check_rules(rules: Any) -> None:
    if not isinstance(rules, Mapping) or rules.keys() - _RULES_OPTIONAL != _RULES:
        raise EntryError(f"`rules` has the fields {', '.join(sorted(_RULES))}, and perhaps group")
    if not all(isinstance(value, str) and value for value in rules.values()):
        raise EntryError("the fields of `rules` are non-empty text")
    if not all(_is_hash(rules[name]) for name in ("text_sha256", "html_sha256")):
        raise EntryError("the hashes in `rules` are 64 lower-case hex digits")


def _check_texts(texts: Any) -> None:
    if not isinstance(texts, Mapping) or not all(isinstance(hashes, Mapping) for hashes in texts.values()):
        raise EntryError("`texts` maps a language to the hashes of its text")
    for hashes in texts.values():
        if hashes.keys() != {"text_sha256", "html_sha256"} or not all(map(_is_hash, hashes.values())):
            raise EntryError("a text is named by `text_sha256` and `html_sha256`, 64 lower-case hex digits each")


def _is_hash(text: Any) -> bool:
    return isinstance(text, str) and _HEX.fullmatch(text) is not None


def _checked(salt: bytes) -> bytes:
    if len(salt) < MIN_SALT_BYTES:
        raise EntryError(f"a salt of {len(salt)} bytes is too short; {MIN_SALT_BYTES} at least")
    return salt


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
