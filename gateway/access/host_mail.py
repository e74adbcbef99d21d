"""The mail to a host: who asks, and a link to a page with the two buttons. Following the link changes nothing.

What the guest wrote about themselves is shown so that it can't pose as a link: a mail from the municipality must not
carry a stranger's address to click on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from gateway.clock import MUNICIPAL_ZONE, Clock
from gateway.errors import GatewayError, UsageError
from gateway.mail import Mailer, begin_message
from gateway.settings import Settings
from gateway.storage import host_requests
from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Database
from gateway.storage.places import Place

log = logging.getLogger(__name__)

_MARKS = re.compile(r"[:/\\@<>]|\.(?=\w)")
SUBJECT = "En gjest ber om tilgang til gjestenettet"
_BODY = """\
{nb} ber om tilgang til gjestenettet hos {owner} og sier at du er verten. Svar før kl. {until}:
{link}

Kjenner du ikke til besøket, lar du være å svare eller sier nei på siden. Det er først knappen på siden som svarer.

{nn} bed om tilgang til gjestenettet hos {owner} og seier at du er verten. Lenkja over gjeld til kl. {until}.
Kjenner du ikkje til besøket, let du vere å svare eller seier nei på sida. Det er fyrst knappen på sida som svarar.

{en} asks for access to the guest network of {owner} and says that you are the host. The link above can be used until
{until}. If you do not know of the visit, do not answer, or say no on the page. Only the button on the page answers.
"""


Link = Callable[[str], str]
"""From a request's id to the address that answers it."""


@dataclass(frozen=True)
class Sent:
    """How many mails were taken, and how many were not."""

    taken: int
    failed: int


def check_mail(settings: Settings) -> None:
    """Whether hosts can be asked where guests are told to ask them. Raises: UsageError."""
    if settings.hosts.groups and not settings.mail.host:
        raise UsageError("hosts.groups needs a mail server to ask hosts with; set mail.host and mail.sender")


def hosts_to_mail(database: Database, place: Place, settings: Settings, now: datetime) -> bool:
    """Whether a mail is due that can be sent. Raises: StorageUnavailableError."""
    if not settings.mail.host or not settings.hosts.groups:
        return False
    with database.read() as session:
        return bool(host_requests.to_mail(session, place.gateway_id, now, limit=1))


def send_due(
    database: Database, place: Place, owner_name: str, mailer: Mailer, sender: str, link: Link, clock: Clock
) -> Sent:
    """Mail every request of this gateway that is due. No transaction is open while the server is spoken to.

    Raises: StorageUnavailableError.
    """
    with database.read() as session:
        due = host_requests.to_mail(session, place.gateway_id, clock())
    taken = failed = 0
    for request in due:
        error = ""
        try:
            mailer.send(message(request, owner_name, sender, link(request.id), clock()))
            taken += 1
        except GatewayError as problem:  # its server, or the files of its settings
            error, failed = str(problem), failed + 1
            log.error("a host was not mailed: %s", error)
        with database.write() as session:
            row = host_requests.lock_request(session, place.owner_id, request.id)
            if row is not None:
                row.mail_tries, row.mail_error = row.mail_tries + 1, error
                row.mailed_at = None if error else clock()
    return Sent(taken, failed)


def message(request: HostRequest, owner: str, sender: str, link: str, now: datetime) -> EmailMessage:
    """The mail of a request."""
    until = f"{request.expires_at.astimezone(MUNICIPAL_ZONE):%H.%M}"
    who = f"{request.name} ({request.organisation})" if request.organisation else request.name
    made = begin_message(sender, (request.host_email,), SUBJECT, now)
    named = harmless(who)  # where no name is asked for there is none
    guest = {"nb": named or "En gjest", "nn": named or "Ein gjest", "en": named or "A guest"}
    made.set_content(_BODY.format(**guest, owner=owner, until=until, link=link))
    return made


def harmless(text: str) -> str:
    """A name as it can stand in a mail: no mail program makes a link or an address of it."""
    return " ".join(_MARKS.sub(" ", text).split())
