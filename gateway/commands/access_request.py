"""`gjestenett audit access-request`: everything that is held on a person, to be handed to them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from gateway.access import erasure
from gateway.access.subject import document
from gateway.access.subject_page import page
from gateway.audit.erasure_list import ranges_of, write_ranges
from gateway.audit.periods import parse_period
from gateway.audit.record import record
from gateway.clock import utc_now
from gateway.commands.erase import search_options, wanted
from gateway.commands.session import Invocation, pass_invocation
from gateway.errors import GatewayError, UsageError

MAX_CHECK_CHARS = 300


@click.command("access-request")
@search_options
@click.option("--identity-check", default="", help="How it was made sure who asks; recorded in the log.")
@click.option("--same-person", is_flag=True, help="Different names that fit are one person's.")
@click.option("--by", default="command line", help="Who answers the request.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="FILE.html to print, or FILE.json.")
@pass_invocation
def access_request(
    invocation: Invocation,
    name: str,
    contact: str,
    device: str,
    receipt: str,
    course: str,
    identity_check: str,
    same_person: bool,
    by: str,
    language: str,
    out: Path,
) -> None:
    """Write everything that is held on a person to a file, for them. That it was done is recorded in the log.

    They are known by a receipt code or a device that they hold, else by an identity check that you note.
    """
    search = wanted(name, contact, device, receipt, course)
    ground = _ground(receipt, device, identity_check)
    if out.suffix not in (".html", ".json"):
        raise UsageError(f"--out {out}: end the name in .html or .json")
    services = invocation.services()
    now = utc_now()
    keep = parse_period(services.settings.privacy.acceptances)
    with services.database.read() as session:
        held = erasure.find(session, services.place, search, now)
        admissions = erasure.find_admissions(session, services.place, search, now)
        blocked = erasure.find_blocked(session, services.place, search, now)
        names = sorted({" ".join(item.name.split()).casefold() for item in held})
        if not held and not admissions and not blocked:
            raise GatewayError("nothing is held on anybody who fits")
        if len(names) > 1 and not same_person:
            raise GatewayError(
                f"{len(names)} different names fit: add --name so that nobody else's data are handed out, or"
                " --same-person"
            )
        ids = [item.acceptance_id for item in held]
        found = document(
            session,
            services.place,
            ids,
            keep,
            now,
            owner_name=services.settings.owner.name,
            admissions=admissions,
            blocked=blocked,
        )
    text = page(found, language) if out.suffix == ".html" else json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    with services.database.write() as session:
        leaves = write_ranges(ranges_of(found["leaves"]))
        personal = {"by": by, "reason": identity_check.strip()}
        record(session, services.place, "subject_access", {"leaves": leaves, "ground": ground}, personal, now)
        _write(out, text)  # inside the transaction: what is handed out is recorded, and what failed is not
    click.echo(f"{out}: {len(held)} acceptances; give it to them, and then delete it")


def _ground(receipt: str, device: str, identity_check: str) -> str:
    if identity_check.strip():
        if len(identity_check) > MAX_CHECK_CHARS:
            raise UsageError(f"--identity-check may have at most {MAX_CHECK_CHARS} characters")
        return "identity_check"
    if receipt:
        return "receipt_code"
    if device:
        return "device"
    raise UsageError("say by --receipt or --device what they showed you, or by --identity-check how you know them")


def _write(out: Path, text: str) -> None:
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{out} exists and is not overwritten; choose another name") from None
    except OSError as error:
        raise GatewayError(f"{out} can't be written: {error.strerror}") from error
