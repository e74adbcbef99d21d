"""The sections of the settings file: what each key may be, and what holds without it."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyAddress, IPvAnyNetwork, model_validator

from gateway.settings.kinds import (
    Colour,
    GuidelineHeadings,
    Hostname,
    HostnameOrAddress,
    HttpUrl,
    InterfaceName,
    KeepPeriod,
    Key,
    Language,
    Line,
    LogOrigin,
    Port,
    Section,
    SourceGroups,
    Ssid,
    StatementUrl,
    ZoneName,
    ZoneServers,
)


class Owner(Section):
    """The municipality that this installation serves by default.

    `guidelines` is what it calls the rule that closes a category, as "ICT guidelines, section 4", by the category's
    key, or `default` for every other.
    """

    key: Key = "kommune"
    name: str = "Kommunen"
    unit: str = "IKT-avdelingen"
    helpdesk_phone: str = ""
    helpdesk_hours: str = ""
    guidelines: GuidelineHeadings = Field(default_factory=dict)
    log_origin: LogOrigin = "gjestenett.invalid/kommune"
    site: str = "hovedbygg"


class Database(Section):
    """Where intent and history live: SQLite in the state directory, or a PostgreSQL URL read from a file."""

    url: str = ""
    url_file: Path | None = None


Asked = Literal["no", "optional", "required"]
FormField = Literal["name", "organisation", "contact", "course_code"]


class GroupForm(Section):
    """What guests of one group are asked for; what is not set here is as for everybody."""

    ask_name: Asked | None = None
    ask_organisation: Asked | None = None
    ask_contact: Asked | None = None
    ask_course_code: Asked | None = None


NAMELESS = GroupForm(ask_name="no", ask_organisation="no", ask_contact="no", ask_course_code="no")


class Portal(Section):
    """The guest pages. `hostname` is the name that our DNS answers with the gateway's own guest addresses.

    `languages` stand in the municipality's order: the first Norwegian one is what a device that asks for Norwegian
    gets. Besides nb, nn and en, a language is offered when a reviewer of its texts is named, in the catalogue or in
    `reviewers` (language → who and when). `accessibility_statement` is the municipality's at uustatus.no.
    `groups` are groups of the policy whose form is another: as delivered, nobody's name is asked for in a library or a
    youth club. `receipts_url` is where receipts can be opened from anywhere, as through a reverse proxy that passes on
    `/receipt/`, `/kvittering/` and `/static/`; nothing: they open at `public_url`, which is for guests on the network.
    `ask_course_code`: whether a code is asked for also while no course is open here.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    hostname: Hostname = "gjest.internal"
    public_url: HttpUrl = ""
    receipts_url: HttpUrl = ""
    https_port: Port = 8443
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("nb", "nn", "en")
    reviewers: dict[Language, Line] = Field(default_factory=dict)
    accessibility_statement: StatementUrl = ""
    ask_name: Asked = "required"
    ask_organisation: Asked = "optional"
    ask_contact: Asked = "optional"
    ask_course_code: Asked = "no"
    groups: dict[Key, GroupForm] = Field(default_factory=lambda: {"library": NAMELESS, "youth": NAMELESS})
    grant_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 10.0

    def asked(self, group_key: str) -> dict[FormField, Asked]:
        """What guests of a group are asked for, as the form has it."""
        own = self.groups.get(group_key, GroupForm())
        return {
            "name": own.ask_name or self.ask_name,
            "organisation": own.ask_organisation or self.ask_organisation,
            "contact": own.ask_contact or self.ask_contact,
            "course_code": own.ask_course_code or self.ask_course_code,
        }


class Look(Section):
    """How guests' pages look: `arms` is an SVG or PNG of the municipality's arms, `accent` its colour as `#rrggbb`.

    A colour that can't be read well enough is made darker or lighter, and `config check` says so. Without them the
    pages have the product's own mark and the colours of Designsystemet.
    """

    arms: Path | None = None
    accent: Colour = ""


class Console(Section):
    """IT's and the auditor's pages, on the management side only.

    `/metrics` is for programs on this machine and for signed-in IT; with `metrics_token_file`, for whoever sends its
    text as a bearer token, and no longer for this machine, on which a reverse proxy makes everybody look local.
    """

    host: str = "127.0.0.1"
    port: Port = 8081
    hostname: HostnameOrAddress = "localhost"
    metrics_token_file: Path | None = None
    idle_minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 30
    """After how long without a page staff sign in again."""
    session_hours: Annotated[int, Field(ge=1, le=7 * 24)] = 12
    """After how long in all they do, however busy."""
    second_factor: Literal["auditors", "everybody"] = "auditors"
    """Of whom, among those with a password of our own, a second factor is demanded: an authenticator or a passkey."""
    hsts_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """For how long browsers are to refuse the console without a certificate that they trust; 0: they may be told to go
    on. Only for a certificate of an authority: with our own, browsers would shut IT out.
    """

    def needs_second_factor(self, role: str) -> bool:
        """Whether somebody of this role signs in with a password alone."""
        return role == "auditor" or self.second_factor == "everybody"


class Dns(Section):
    """The filtering forwarder. `zones` have upstreams of their own, written as in `gateway.dns.upstreams.address`.

    With the portal's certificate it answers DNS over TLS on `tls_port` too. Guests find both at the standard ports 53
    and 853, from which the firewall leads them here.
    """

    listen: Annotated[tuple[IPvAnyAddress, ...], Field(min_length=1)] = (IPv4Address("127.0.0.1"),)
    port: Port = 5300
    tls_port: Port = 8853
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    upstreams: tuple[str, ...] = ()
    sources: SourceGroups = Field(default_factory=lambda: {"127.0.0.0/8": "default", "::1/128": "default"})
    private_zones: tuple[ZoneName, ...] = ()
    version: Annotated[str, Field(max_length=200)] = ""
    """What `version.bind` is answered with; nothing: it is refused."""
    serve_stale_s: Annotated[float, Field(ge=0, le=7 * 86400)] = 86400.0
    """For how long after its end an answer may still be given where no upstream answers (RFC 8767); 0: not at all."""
    zones: ZoneServers = Field(default_factory=dict)
    upstream_ca: Path | None = None


class Enforcement(Section):
    """nftables between the guest network and the uplink. Off on loopback, where there is nothing to hold back."""

    enabled: bool = False
    gateway: Key = "gateway-1"
    guest_interfaces: tuple[InterfaceName, ...] = ()
    guest_addresses: tuple[IPvAnyAddress, ...] = ()
    uplink: InterfaceName | None = None
    nat: bool = True
    protected: tuple[IPvAnyNetwork, ...] = ()
    local_time_server: bool = True
    advertise_portal: bool = False
    """Whether `watch` announces the captive-portal URI by router advertisement, where the router itself can't."""
    dns_per_s: Annotated[int, Field(ge=20, le=100_000)] = 200
    dns_burst: Annotated[int, Field(ge=50, le=100_000)] = 1000

    @model_validator(mode="after")
    def _check_dns_burst(self) -> Enforcement:
        if self.dns_burst > 60 * self.dns_per_s:
            raise ValueError("dns_burst is more than a minute's worth of dns_per_s; lower it")
        return self


class Privacy(Section):
    """What guests are told of who records them and by which right (GDPR article 13), as only the municipality knows it.

    `controller`, `dpo` (personvernombud) and `authority` each say who it is and how to reach them. `legal_basis` is the
    letter of article 6(1), `legal_basis_law` the Norwegian law that c and e need besides (article 6(3)).
    `backup_days` is for how long backups of the database are kept. Rules are not published while one is missing.

    How long personal data are kept is written as `until 07-01` (that day of the year after, so that the yearly audit
    still finds January) or `90 days`; then `jobs` erases them. `acceptances`: what guests wrote, their devices and
    receipts, and what staff wrote about them. `staff_logins`: from which addresses staff signed in. `staff_names`: who
    of staff did something. `traffic_days`: for how many days after a device's access has ended it is kept how much it
    has sent and received; 0 is only while the access lasts.
    """

    controller: Line = ""
    dpo: Line = ""
    legal_basis: Literal["", "6.1.c", "6.1.e", "6.1.f"] = ""
    legal_basis_law: Line = ""
    authority: Line = "Datatilsynet, www.datatilsynet.no"
    backup_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    acceptances: KeepPeriod = "until 07-01"
    staff_logins: KeepPeriod = "365 days"
    staff_names: KeepPeriod = "1826 days"
    traffic_days: Annotated[int, Field(ge=0, le=90)] = 0


class Rules(Section):
    """The rules. With `two_person` one of IT proposes a new version and another publishes it, in the console; the
    command line, which knows nobody, publishes none then.
    """

    two_person: bool = False


class Courses(Section):
    """Courses. Hosts give their unit's courses one of `host_groups`; IT gives any of the policy's groups."""

    host_groups: tuple[Key, ...] = ("default",)


class Wifi(Section):
    """The guests' Wi-Fi as posters show it: its name, and how it is joined. Without a name they have no QR code.

    `security`: `open` also for Enhanced Open (OWE); `wpa` for WPA2 and WPA3 with a password that everybody shares.
    """

    ssid: Ssid = ""
    security: Literal["open", "wpa"] = "open"
    password_file: Path | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _check_password(self) -> Wifi:
        if (self.security == "wpa") != (self.password_file is not None):
            raise ValueError("security wpa and password_file belong together: set both or neither")
        return self
