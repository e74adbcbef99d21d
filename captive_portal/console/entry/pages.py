"""Routes by which staff come in, look after their own accounts, and see who else is in."""

from __future__ import annotations

from captive_portal.auth.known_browsers import KnownBrowsers
from captive_portal.auth.passkey_challenges import Challenges
from captive_portal.auth.passkeys import RelyingParty, relying_party
from captive_portal.auth.second_factor import SecondFactor, load_console_key
from captive_portal.console.entry import (
    account,
    pace,
    passkey_signin,
    passkeys,
    setup,
    signin,
    staff_room,
    staff_sessions,
    tokens,
)
from captive_portal.console.route import Page
from gateway.context import Services


def pages(services: Services) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    key = load_console_key(services.settings.state)
    second, known = SecondFactor(key), KnownBrowsers(key)
    entry, links, own = signin.SignInPages(second, known), setup.SetupPages(second), account.AccountPages(second)
    own_pace, code_pace = account.AccountPace(), pace.CodePace(known)
    party, challenges = relying_party(services.settings.console, services.settings.owner.name), Challenges()
    keys = passkeys.PasskeyPages(challenges)
    return (
        Page("GET", "/sign-in", "public", signin.show, "none"),
        Page("POST", "/sign-in", "public", entry.sign_in, "none", pace.SignInPace(known)),
        Page("GET", "/sign-in/code", "public", entry.ask, "none"),
        Page("POST", "/sign-in/code", "public", entry.check, "none", code_pace),
        *_by_passkey(party, challenges, entry, known, code_pace),
        Page("POST", "/sign-out", "staff", signin.sign_out, "write"),
        *_elsewhere(services, key),
        Page("GET", "/account", "staff", account.show, "read"),
        Page("GET", "/account/password", "staff", own.password, "none"),
        Page("POST", "/account/password", "staff", own.change_password, "none", own_pace),
        Page("GET", "/account/authenticator", "staff", own.authenticator, "none"),
        Page("POST", "/account/authenticator", "staff", own.set_authenticator, "none", own_pace),
        Page("GET", "/account/recovery-codes", "staff", own.recovery_codes, "none"),
        Page("POST", "/account/recovery-codes", "staff", own.renew_codes, "none", own_pace),
        Page("GET", "/account/passkeys", "staff", keys.show, "none"),
        Page("POST", "/account/passkeys", "staff", keys.begin, "none", own_pace),
        Page("POST", "/account/passkeys/add", "staff", keys.add, "none"),
        Page("GET", "/account/passkeys/{id}/remove", "staff", keys.ask, "none"),
        Page("POST", "/account/passkeys/{id}/remove", "staff", keys.remove, "none", own_pace),
        Page("POST", "/account/sessions/{id}/end", "staff", account.end_session, "write"),
        Page("POST", "/account/sessions/end-others", "staff", account.end_others, "write"),
        Page("GET", "/account/tokens", "staff", tokens.show, "none"),
        Page("POST", "/account/tokens", "staff", tokens.make, "none", own_pace),
        Page("POST", "/account/tokens/{id}/revoke", "staff", tokens.revoke, "write"),
        Page("GET", "/tokens", "it", tokens.everybodys, "read"),
        Page("POST", "/tokens/{id}/revoke", "it", tokens.revoke_anybodys, "write"),
        Page("GET", "/sessions", "it", staff_sessions.show, "read"),
        Page("POST", "/sessions/{id}/end", "it", staff_sessions.end, "write"),
        Page("GET", "/staff", "it", staff_room.show, "read"),
        Page("GET", "/staff/new", "it", staff_room.new, "read"),
        Page("POST", "/staff/new", "it", staff_room.add, "write"),
        Page("GET", "/staff/{id}", "it", staff_room.one, "read"),
        Page("POST", "/staff/{id}", "it", staff_room.change, "write"),
        Page("POST", "/staff/{id}/last-day", "it", staff_room.change_end, "write"),
        Page("GET", "/staff/{id}/suspend", "it", staff_room.ask, "read"),
        Page("POST", "/staff/{id}/suspend", "it", staff_room.suspend, "write"),
        Page("POST", "/staff/{id}/reopen", "it", staff_room.reopen, "write"),
        Page("GET", "/staff/{id}/reset", "it", staff_room.ask, "read"),
        Page("POST", "/staff/{id}/reset", "it", staff_room.reset, "write"),
        Page("GET", "/staff/{id}/second-factor", "it", staff_room.ask, "read"),
        Page("POST", "/staff/{id}/second-factor", "it", staff_room.remove_second_factor, "write"),
        Page("GET", "/setup/{token}", "public", links.show, "none"),
        Page("POST", "/setup/{token}", "public", links.choose, "none"),
    )


def _by_passkey(
    party: RelyingParty | None,
    challenges: Challenges,
    entry: signin.SignInPages,
    known: KnownBrowsers,
    code_pace: pace.CodePace,
) -> tuple[Page, ...]:
    """Signing in with a passkey: the pages exist only where the console has a name to which keys can be bound."""
    if party is None:
        return ()
    pages, asking = passkey_signin.PasskeySignIn(party, challenges, entry), pace.AddressPace(known)
    asking_second = pace.SecondAskingPace(known)
    return (
        Page("GET", "/sign-in/passkey", "public", pages.begin, "none", asking, by_script=True),
        Page("POST", "/sign-in/passkey", "public", pages.finish, "none", pace.PasskeyPace(known)),
        Page("GET", "/sign-in/code/passkey", "public", pages.begin_second, "none", asking_second, by_script=True),
        Page("POST", "/sign-in/code/passkey", "public", pages.finish_second, "none", code_pace),
    )


def _elsewhere(services: Services, key: bytes) -> tuple[Page, ...]:
    """Signing in at an OpenID provider: the pages exist, and what they need is loaded, only where one is set."""
    if not services.settings.oidc.enabled:
        return ()
    from captive_portal.console.entry import oidc_pages  # noqa: PLC0415 - 2 MB and 0.3 s that few need

    pages, asking = oidc_pages.OidcPages(services, key), pace.AddressPace()
    return (
        Page("GET", "/sign-in/oidc", "public", pages.start, "none", asking),
        Page("GET", oidc_pages.BACK_PATH, "public", pages.done, "none", asking),
        Page("GET", "/sign-in/oidc/leave", "public", pages.leave, "none"),
    )
