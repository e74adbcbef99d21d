"""Passkeys (WebAuthn Level 3): what a browser is asked, and what its answer is worth. Pure: the caller keeps the keys.

py_webauthn reads and checks; what it leaves to whoever uses it is decided here: user verification, the counter and the
backup flag are looked at after the signature, so that nobody without the key makes us say anything about them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from captive_portal.auth.accounts import console_url
from captive_portal.auth.passkey_challenges import CHALLENGE_LIFE
from gateway.settings import Console

ANSWER_MAX_CHARS = 20_000
CREDENTIAL_ID_MAX_BYTES = 1023  # WebAuthn Level 3 §7.1
_TIMEOUT_MS = int(CHALLENGE_LIFE.total_seconds() * 1000)

Refusal = Literal[
    "invalid",  # it does not fit what was asked, or the key has not signed it
    "unverified",  # the key has signed, and not checked who holds it
    "counter",  # the key has signed, and has counted less than we have seen of it: it may have been copied
]


@dataclass(frozen=True)
class RelyingParty:
    """For whom keys are made: the name `id` that they are bound to, the console's origin, and what people call it."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True)
class Answer:
    """What a browser sent, read and not yet believed. `user_handle` is "" where the key has told none."""

    text: str
    credential_id: bytes
    challenge: bytes
    user_handle: str


@dataclass(frozen=True)
class NewKey:
    """A key that has been shown to be there, with user verification."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    transports: str


@dataclass(frozen=True)
class KnownKey:
    """What is kept of a key, as far as checking needs it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    transports: str = ""


def rp_id(console: Console) -> str | None:
    """The name to which a console's keys are bound; None at an IP address, to which none can be (WebAuthn Level 3
    §5.1.2: an RP ID is a domain).
    """
    host = console.hostname.lower()
    return None if ":" in host or host.rpartition(".")[2].isdigit() else host


def relying_party(console: Console, owner_name: str) -> RelyingParty | None:
    """The party of a console at its configured name; None where keys can't be bound to it."""
    name = rp_id(console)
    return None if name is None else RelyingParty(name, console_url(console).lower(), owner_name)


def creation_options(
    party: RelyingParty, staff_id: str, username: str, challenge: bytes, known: Sequence[KnownKey]
) -> str:
    """What `navigator.credentials.create` is asked, as JSON: a key that can sign in alone, and is none of `known`."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=staff_id.encode(),
        user_name=username,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(known),
    )
    return options_to_json(options)


def request_options(party: RelyingParty, challenge: bytes, known: Sequence[KnownKey] = ()) -> str:
    """What `navigator.credentials.get` is asked, as JSON: any key of this party with user verification or, after the
    password, one of `known`, whose bearer need not be verified again.
    """
    wanted = UserVerificationRequirement.DISCOURAGED if known else UserVerificationRequirement.REQUIRED
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(known),
        user_verification=wanted,
    )
    return options_to_json(options)


def read_answer(text: str) -> Answer | None:
    """What the browser's JSON says; None when it is no answer, or one that was given inside another site's frame."""
    if not text or len(text) > ANSWER_MAX_CHARS:
        return None
    try:
        read: Any = json.loads(text)
        client = parse_client_data_json(base64url_to_bytes(read["response"]["clientDataJSON"]))
        credential_id = base64url_to_bytes(read["rawId"])
        handle = base64url_to_bytes(read["response"].get("userHandle") or "").decode("ascii")
    except Exception:  # parsers of strangers' text raise what they like
        return None
    if client.cross_origin or not 0 < len(credential_id) <= CREDENTIAL_ID_MAX_BYTES:
        return None
    return Answer(text, credential_id, client.challenge, handle)


def new_key(answer: Answer, party: RelyingParty, challenge: bytes) -> NewKey | Refusal:
    """The key that the browser has made for `challenge` (WebAuthn Level 3 §7.1). We ask for no attestation: whose make
    a key is decides nothing here.
    """
    try:
        found = verify_registration_response(
            credential=answer.text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except Exception:  # its own errors, and those of the parsers below it
        return "invalid"
    if found.credential_id != answer.credential_id:
        return "invalid"
    if not found.user_verified:
        return "unverified"
    return NewKey(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        found.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        _transports(answer.text),
    )


def new_count(answer: Answer, party: RelyingParty, challenge: bytes, key: KnownKey, *, verified: bool) -> int | Refusal:
    """The counter of a key that has signed `challenge` (WebAuthn Level 3 §7.2), to be kept; `verified` asks that it has
    checked who holds it.
    """
    if answer.credential_id != key.credential_id:
        return "invalid"
    try:
        found = verify_authentication_response(
            credential=answer.text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=0,  # the library looks at the counter before the signature; we after
        )
    except Exception:  # its own errors, and those of the parsers below it
        return "invalid"
    if (found.credential_device_type == CredentialDeviceType.MULTI_DEVICE) != key.backup_eligible:
        return "invalid"
    if verified and not found.user_verified:
        return "unverified"
    if (found.new_sign_count or key.sign_count) and found.new_sign_count <= key.sign_count:
        return "counter"
    return found.new_sign_count


def _descriptors(known: Sequence[KnownKey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=key.credential_id, transports=[AuthenticatorTransport(each) for each in key.transports.split()] or None
        )
        for key in known
    ]


def _transports(text: str) -> str:
    said = json.loads(text)["response"].get("transports")
    if not isinstance(said, list):
        return ""
    return " ".join(each.value for each in AuthenticatorTransport if each.value in said)
