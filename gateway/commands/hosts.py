"""`gjestenett hosts`: the mail to hosts whom guests have asked for access."""

from __future__ import annotations

import sys

import click

from captive_portal.console.courses.host_answers import host_key, host_link
from gateway.access.host_mail import send_due
from gateway.audit.targets.seam import client_tls, read_secret
from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, pass_invocation
from gateway.errors import UsageError
from gateway.mail import Mailer
from gateway.settings.mail import Mail


@click.group(cls=Group)
def hosts() -> None:
    """Mail hosts whom guests have asked."""


@hosts.command("mail")
@pass_invocation
def mail_(invocation: Invocation) -> None:
    """Send the mails that are due; `jobs` runs it."""
    services = invocation.services()
    settings = services.settings
    key = host_key(settings)
    sent = send_due(
        services.database,
        services.place,
        settings.owner.name,
        open_mailer(settings.mail),
        settings.mail.sender,
        lambda request_id: host_link(settings, key, request_id),
        utc_now,
    )
    click.echo(f"{sent.taken} sent, {sent.failed} not taken")
    sys.exit(1 if sent.failed else 0)


def open_mailer(mail: Mail) -> Mailer:
    """The municipality's mail server. Raises: UsageError when none is set."""
    if not mail.host:
        raise UsageError("mail.host is not set, so hosts can't be asked; set mail.host and mail.sender")

    def password() -> str:
        return read_secret(mail.password_file, "password_file") if mail.password_file is not None else ""

    return Mailer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=password,
        tls=lambda: client_tls(mail.ca_file),
    )
