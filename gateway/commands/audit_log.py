"""`gjestenett audit`: what concerns the log itself: its targets, witnesses, keys, and restores."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click

from gateway.audit.acknowledging import acknowledge_restore
from gateway.audit.custody import public_keys, rotate_key
from gateway.audit.erasing import current_list
from gateway.audit.push import due_targets, only, push
from gateway.audit.standing import RestoreStanding, log_standing
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Invocation, json_option, pass_invocation, print_rows
from gateway.context import Services
from gateway.errors import GatewayError, UsageError
from gateway.installation import open_witness_key, write_public_keys
from gateway.settings import signing_key_path
from gateway.settings.log import AnyTarget
from gateway.storage.engine import Session
from gateway.storage.places import Place


def _erasures(session: Session, place: Place, _size: int) -> bytes:
    return current_list(session, place).encode()


@click.command("push")
@click.argument("names", nargs=-1, metavar="[TARGET]...")
@click.option("--due", is_flag=True, help="Only to targets that are due.")
@json_option
@pass_invocation
def push_command(invocation: Invocation, names: tuple[str, ...], due: bool, as_json: bool) -> None:
    """Send the newest checkpoint and the erasure list to the targets, or to those that are named."""
    if due:  # as jobs starts it: beside the other services' lines
        logging.basicConfig(level=logging.INFO, format="push: %(levelname)s %(message)s", stream=sys.stderr)
        logging.getLogger("httpx").setLevel(logging.WARNING)
    services = invocation.services()
    chosen = _chosen(services, names)
    if due:
        chosen = only(due_targets(services.database, services.place, chosen, utc_now), names)
    outcomes = push(services.database, services.place, chosen, _erasures, utc_now)
    rows = [
        {"target": each.name, "kind": each.kind, "size": each.size, "outcome": each.reason or "sent"}
        for each in outcomes
    ]
    empty = "nothing is due" if due else "nothing is sealed yet"
    print_rows(rows, as_json=as_json, empty=empty)
    sys.stdout.flush()
    if not outcomes and not due:
        raise GatewayError("nothing was sent: nothing is sealed yet; start the sealer (gjestenett up)")
    if any(each.reason for each in outcomes):
        sys.stderr.flush()
        os._exit(1)  # a thread may hang in a dead mount


@click.command("targets")
@json_option
@pass_invocation
def targets_command(invocation: Invocation, as_json: bool) -> None:
    """Show where checkpoints are sent, and each target's last success and failure."""
    services = invocation.services()
    chosen = services.settings.audit.targets
    every = {each.name: each.every for each in chosen}
    with services.database.read() as session:
        standing = log_standing(session, services.place.owner_id, chosen, utc_now())
    rows = [
        {
            "target": each.name,
            "kind": each.kind,
            "every": every[each.name],
            "last_success": format_utc(each.succeeded_at) if each.succeeded_at else "never",
            "size": each.size if each.size is not None else "",
            "last_failure": format_utc(each.failed_at) if each.failed_at else "",
            "failures": each.failures,
            "reason": each.reason,
        }
        for each in standing.targets
    ]
    print_rows(
        rows, as_json=as_json, empty="none: set [[audit.targets]]; without copies outside, the log proves little"
    )
    if standing.restore is not None:
        raise GatewayError(restored(standing.restore))
    if any(each.alarm for each in standing.targets):
        raise GatewayError("a target has had nothing for long; see its reason")


@click.command("keys")
@pass_invocation
def keys_command(invocation: Invocation) -> None:
    """Print every public key that the log has had, oldest first; the last one signs now."""
    services = invocation.services()
    with services.database.read() as session:
        click.echo(public_keys(session, services.place), nl=False)


@click.command("rotate-key")
@click.option("--reason", required=True, help="Why; recorded in the log.")
@click.option("--by", default="command line", help="Who does it.")
@pass_invocation
def rotate_key_command(invocation: Invocation, reason: str, by: str) -> None:
    """Replace the log's signing key by a new one, which the old one signs; the old private key is destroyed."""
    services = invocation.services()
    path = signing_key_path(services.settings)
    try:
        new = rotate_key(services.database, services.place, path, by=by, reason=_stated(reason), now=utc_now())
    except OSError as error:
        raise GatewayError(f"{path} can't be replaced: {error.strerror}") from error
    write_public_keys(services.settings, services.database, services.place)
    click.echo(f"the log is signed by {new} from now on")
    click.echo("give it to your witnesses, whose settings name your keys; auditors find it in each bundle and log.vkey")
    click.echo("guests' receipts from now on need the new log.vkey: hand it to auditors; bundles do not")


@click.command("acknowledge-restore")
@click.option("--reason", required=True, help="What happened; recorded in the log.")
@click.option("--by", default="command line", help="Who acknowledges it.")
@pass_invocation
def acknowledge_command(invocation: Invocation, reason: str, by: str) -> None:
    """Say that the database was restored from a backup, so that signing goes on; it becomes an entry of the log."""
    services = invocation.services()
    with services.database.write() as session:
        found = acknowledge_restore(session, services.place, by=by, reason=_stated(reason), now=utc_now())
        lost = f"from {found.known_size} entries, which {found.known_from} knows, to {found.size}"
    click.echo(f"the next entry of the log says that it was restored {lost}")


@click.command("witness-key")
@pass_invocation
def witness_key_command(invocation: Invocation) -> None:
    """Print the public key with which others' logs are witnessed here; made when there is none."""
    click.echo(str(open_witness_key(invocation.services().settings).verifier))


def _chosen(services: Services, names: Sequence[str]) -> tuple[AnyTarget, ...]:
    chosen = services.settings.audit.targets
    if not chosen:
        raise UsageError("there is nowhere to send checkpoints to; set [[audit.targets]]")
    unknown = [name for name in names if name not in {each.name for each in chosen}]
    if unknown:
        raise UsageError(f"no target {unknown[0]!r}; there are: {', '.join(each.name for each in chosen)}")
    with services.database.read() as session:
        standing = log_standing(session, services.place.owner_id, chosen, utc_now())
    if standing.restore is not None:
        raise GatewayError(restored(standing.restore))
    return only(chosen, names)


def restored(found: RestoreStanding) -> str:
    """What is to be done about a restore that waits."""
    return (
        f"the database holds {found.size} log entries, and {found.known_from} knows {found.known_size}: it was"
        " restored. Nothing is signed or sent until you say so: gjestenett audit acknowledge-restore --reason '…'"
    )


def _stated(reason: str) -> str:
    if not reason.strip():
        raise UsageError("--reason can't be empty")
    return reason.strip()


COMMANDS = (
    push_command,
    targets_command,
    keys_command,
    rotate_key_command,
    acknowledge_command,
    witness_key_command,
)
