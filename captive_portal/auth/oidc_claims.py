"""What an ID token's claims make of somebody: checked as OpenID Connect Core §3.1.3.7 asks, then a name and a role.

Pure: the signature was checked before (`captive_portal.auth.oidc_provider`), and the caller brings the time.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.settings.oidc import Oidc, OidcRole

SLACK_S = 120
MAX_AGE_S = 600
SUBJECT_MAX_CHARS = 255  # OpenID Connect Core §2
NAME_MAX_CHARS = 200
POWER: Sequence[OidcRole] = ("it", "auditor", "host")

ClaimProblem = Literal["issuer", "subject", "audience", "azp", "expired", "issued", "not_yet", "nonce", "acr"]


@dataclass(frozen=True)
class Person:
    """Somebody as the provider knows them, and the role that its claims give; None where they give none.

    `unit` is a host's, and "" for others: a host without one has no role.
    """

    issuer: str
    subject: str
    username: str
    role: OidcRole | None
    unit: str = ""


@dataclass(frozen=True)
class BadClaims:
    """Why an ID token is not for this console, this attempt or this moment."""

    problem: ClaimProblem


def person_of(claims: Mapping[str, Any], chosen: Oidc, nonce: str, at_s: float) -> Person | BadClaims:
    """Who the claims speak of. `at_s` is now, in seconds since 1970; clocks may differ by `SLACK_S`."""
    problem = _problem(claims, chosen, nonce, at_s)
    if problem is not None:
        return BadClaims(problem)
    role, unit = role_of(claims, chosen), _text(claims, chosen.unit_claim)
    if role != "host":
        unit = ""
    elif not unit:
        role = None
    return Person(chosen.issuer, claims["sub"], _text(claims, chosen.username_claim), role, unit)


def _problem(claims: Mapping[str, Any], chosen: Oidc, nonce: str, at_s: float) -> ClaimProblem | None:
    expires, issued, begins = (_moment(claims.get(name)) for name in ("exp", "iat", "nbf"))
    said = claims.get("nonce")
    subject = claims.get("sub")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    acr = claims.get("acr")
    checks: Sequence[tuple[bool, ClaimProblem]] = (
        (claims.get("iss") == chosen.issuer, "issuer"),
        (isinstance(subject, str) and 0 < len(subject) <= SUBJECT_MAX_CHARS and subject.isprintable(), "subject"),
        (chosen.client_id in audiences, "audience"),
        # an audience that we don't know is one that we don't trust, unless the token was made out to us (§3.1.3.7, 3-5)
        (claims.get("azp") == chosen.client_id if "azp" in claims else len(audiences) == 1, "azp"),
        (expires is not None and at_s < expires + SLACK_S, "expired"),
        (issued is not None and at_s - MAX_AGE_S - SLACK_S <= issued <= at_s + SLACK_S, "issued"),
        ("nbf" not in claims or (begins is not None and begins <= at_s + SLACK_S), "not_yet"),
        (isinstance(said, str) and hmac.compare_digest(said.encode("utf-8", "surrogatepass"), nonce.encode()), "nonce"),
        (not chosen.acr_values or (isinstance(acr, str) and acr in chosen.acr_values), "acr"),
    )
    return next((problem for holds, problem in checks if not holds), None)


def role_of(claims: Mapping[str, Any], chosen: Oidc) -> OidcRole | None:
    """The role that the claim gives; of several the one that may most."""
    said = claims.get(chosen.roles_claim)
    values = said if isinstance(said, list) else [said]
    given = {chosen.roles[value] for value in values if isinstance(value, str) and value in chosen.roles}
    return next((role for role in POWER if role in given), None)


def _text(claims: Mapping[str, Any], name: str) -> str:
    said = claims.get(name)
    return said.strip()[:NAME_MAX_CHARS] if isinstance(said, str) and said.isprintable() else ""


def _moment(value: Any) -> float | None:
    """A NumericDate (RFC 7519 §2), of any size; True is a number in Python and none in JSON."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
