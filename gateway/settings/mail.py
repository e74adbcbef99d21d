"""Settings of mail and of hosts: the server that takes our mail, and who may let guests in by answering one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.settings.kinds import (
    EmailAddress,
    Hostname,
    HttpsUrlOrNone,
    Key,
    MailHost,
    MailSender,
    Port,
    RequiredLine,
    Section,
)


class MailAccount(Section):
    """How a mail server is reached."""

    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _check_password(self) -> MailAccount:
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("username and password_file belong together: set both or neither")
        if self.username and self.security == "none":
            raise ValueError("a password is not sent unencrypted; set security to starttls or tls")
        return self


class Mail(MailAccount):
    """The municipality's mail server, for mail to hosts; without `host` none is sent."""

    sender: MailSender = ""
    host: MailHost = ""

    @model_validator(mode="after")
    def _check_sender(self) -> Mail:
        if bool(self.host) != bool(self.sender):
            raise ValueError("host and sender belong together: set both or neither")
        return self


class HostPerson(Section):
    """A host whom guests choose by name; the address is not shown to them."""

    name: RequiredLine
    email: EmailAddress


class Hosts(Section):
    """Hosts who let guests in by answering a mail, on networks whose group is one of `groups`.

    There a guest needs a course code or a host: one of `people`, or an address that they write, which must be of one
    of `domains`. The link of the mail can be used once, for `wait_minutes`, and leads to `answer_url`, which passes on
    `/host/` and `/static/` to the console; nothing: to the console itself.
    """

    groups: tuple[Key, ...] = ()
    people: Annotated[tuple[HostPerson, ...], Field(max_length=200)] = ()
    domains: tuple[Hostname, ...] = ()
    wait_minutes: Annotated[int, Field(ge=5, le=240)] = 30
    answer_url: HttpsUrlOrNone = ""

    @model_validator(mode="after")
    def _check_somebody(self) -> Hosts:
        if self.groups and not self.people and not self.domains:
            raise ValueError("nobody could be asked; name people or domains, or leave groups empty")
        return self
