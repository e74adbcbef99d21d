"""Whether an installation can work as it is set up: what can be known to be wrong before anything starts."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from captive_portal.auth.certificate import foreign_certificate
from captive_portal.auth.oidc_trust import provider_context
from captive_portal.console.courses.posters import wifi_password
from captive_portal.languages import check_languages
from gateway.access.host_mail import check_mail
from gateway.announcement import REMEDIES, announcement
from gateway.audit.errors import AuditError
from gateway.audit.keyfile import read_key_file
from gateway.audit.targets.build import check_target
from gateway.certificates import check_certificate
from gateway.dns.config import from_settings
from gateway.dns.upstreams.address import ServerAddress
from gateway.dns.upstreams.tls import client_context
from gateway.errors import UsageError
from gateway.firewall.config import firewall_config
from gateway.lists.compile import starter_lists
from gateway.lists.reader import current_path, read_snapshot
from gateway.look.load import load_look
from gateway.settings import Settings, signing_key_path
from gateway.settings.oidc import Oidc
from gateway.storage.engine import open_database
from gateway.terms.notice import blanks
from policies.names import PolicyError


def check(settings: Settings, now: datetime) -> list[str]:
    """What the settings are to be warned of; with it everything starts. Changes nothing.

    Raises: GatewayError naming the setting with which something would not start.
    """
    open_database(settings.database_url).close()
    _ = settings.metrics_token
    from_settings(settings)
    if settings.dns.upstream_ca is not None:
        client_context(ServerAddress("192.0.2.1", 853, "tls", "any.invalid"), str(settings.dns.upstream_ca))
    starter_lists()
    if settings.enforcement.enabled:
        firewall_config(settings)
    _check_signing_key(settings)
    _check_ports(settings)
    check_languages(settings.portal)
    check_mail(settings)
    wifi_password(settings.wifi)
    return [
        *_check_oidc(settings.oidc),
        *_check_targets(settings),
        *_check_certificates(settings, now),
        *_nameless_console(settings),
        *load_look(settings.look).notes,
        *_withheld(settings, now),
        *_missing_groups(settings),
        *_blanks_in_notice(settings),
    ]


def _check_signing_key(settings: Settings) -> None:
    path = signing_key_path(settings)
    try:
        if path.exists():
            read_key_file(path)
    except AuditError as error:
        raise UsageError(f"audit.key_file: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror}); correct audit.key_file or its mode") from error


def _check_targets(settings: Settings) -> list[str]:
    warnings = []
    for chosen in settings.audit.targets:
        try:
            warnings += [f"audit.targets, {chosen.name}: {each}" for each in check_target(chosen)]
        except AuditError as error:
            raise UsageError(f"audit.targets, {chosen.name}: {error}") from error
    return warnings


def _check_ports(settings: Settings) -> None:
    listening = {"portal.port": settings.portal.port, "console.port": settings.console.port}
    if settings.portal.tls_certificate is not None:
        listening["portal.https_port"] = settings.portal.https_port
        listening["dns.tls_port"] = settings.dns.tls_port
        listening["dns.port"] = settings.dns.port  # by TCP too, so TLS can't share it
    for one, port in listening.items():
        clash = next((other for other, its in listening.items() if other < one and its == port), None)
        if clash is not None:
            raise UsageError(f"{clash} and {one} are both {port}; give each its own")


def _check_certificates(settings: Settings, now: datetime) -> list[str]:
    portal, warnings = settings.portal, []
    if (portal.tls_certificate is None) != (portal.tls_key is None):
        raise UsageError("portal.tls_certificate and portal.tls_key belong together: set both or neither")
    if portal.tls_certificate is not None and portal.tls_key is not None:
        host = urlsplit(portal.public_url).hostname or portal.hostname
        names = "portal.tls_certificate and portal.tls_key"
        warnings += check_certificate(portal.tls_certificate, portal.tls_key, names, host, now)
    foreign = foreign_certificate(settings.state)
    if foreign is not None:
        warnings += check_certificate(*foreign, "the console's certificate", settings.console.hostname, now)
    return warnings


def _nameless_console(settings: Settings) -> list[str]:
    """What a console that is not only this machine's own lacks while it is called as it is delivered."""
    console = settings.console
    is_reached = settings.enforcement.enabled or console.host not in ("127.0.0.1", "::1", "localhost")
    if console.hostname.lower() != "localhost" or not is_reached:
        return []
    return [
        "console.hostname: localhost, so that links to the console lead nowhere from other machines, and passkeys that"
        " are made now open nothing once it has a name; set it before anybody registers one"
    ]


def _check_oidc(chosen: Oidc) -> list[str]:
    if not chosen.enabled:
        return []
    provider_context(chosen)
    _ = chosen.client_secret
    if not chosen.roles:
        return ["oidc.roles: not set, so only those get in whom `staff link` names"]
    return []


def _withheld(settings: Settings, now: datetime) -> list[str]:
    """Why guests' devices are not told of the portal; what the certificate is warned of for itself is not repeated."""
    found = announcement(settings, now).withheld
    if found in (None, "not_enforced", "none", "unreadable", "expired", "not_yet", "other_name"):
        return []
    return [f"the captive-portal URI is withheld from DHCP and RA: {REMEDIES[found]}"]


def _missing_groups(settings: Settings) -> list[str]:
    """The groups that the settings name and the policy in force has not. Nothing before there is a policy."""
    try:
        snapshot = read_snapshot(current_path(settings.state))
    except (OSError, PolicyError):
        return []
    named = [
        ("dns.sources", settings.dns.sources.values(), "its guests get no answers"),
        ("hosts.groups", settings.hosts.groups, "nobody has to ask"),
        ("sessions.hours_by_group", settings.sessions.hours_by_group, "its hours apply to nobody"),
        ("courses.host_groups", settings.courses.host_groups, "hosts can't choose it"),
    ]
    return [
        f"{setting}: no group {group!r} in the policy in force; {so}"
        for setting, groups, so in named
        for group in sorted(set(groups))
        if snapshot.group(group) is None
    ]


def _blanks_in_notice(settings: Settings) -> list[str]:
    """What real guests are not told; on loopback there are none."""
    missing = blanks(settings.privacy) if settings.enforcement.enabled else {}
    if not missing:
        return []
    named = ", ".join(f"privacy.{key}" for key in missing)
    return [f"{named}: not set, so what guests are told of their data is marked as an example (docs/privacy.md)"]
