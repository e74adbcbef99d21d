"""`gjestenett audit`: export the acceptances as evidence, verify such an export, show the checkpoint."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.audit import export as exporting
from gateway.audit import verify_bundle as verifying
from gateway.audit.note import VerifierKey, parse_verifiers
from gateway.clock import MUNICIPAL_ZONE, utc_now
from gateway.commands.session import Group, Invocation, pass_invocation
from gateway.commands.verifier import verifier
from gateway.errors import GatewayError, UsageError
from gateway.installation import public_key_path
from gateway.storage import leaves

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group(cls=Group)
def audit() -> None:
    """Export and verify the acceptance log."""


audit.add_command(verifier)


@audit.command()
@click.option("--from", "since", type=DAY, required=True, help="From this day or minute on (Europe/Oslo).")
@click.option("--to", "until", type=DAY, required=True, help="Up to, not including, this day or minute.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("bundle.zip"), show_default=True)
@click.option("--reason", required=True, help="What the export is for; recorded in the log.")
@click.option("--by", default="command line", help="Who exports.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@pass_invocation
def export(
    invocation: Invocation, since: datetime, until: datetime, out: Path, reason: str, by: str, language: str
) -> None:
    """Write the acceptances of a period as a bundle that verifies offline."""
    if since >= until:
        raise UsageError("--from must come before --to")
    services = invocation.services()
    if not reason.strip():
        raise UsageError("--reason says what the export is for and can't be empty")
    if out.exists():
        raise UsageError(f"{out} exists and is not overwritten; move it or choose another --out")
    first, last = (moment.replace(tzinfo=MUNICIPAL_ZONE) for moment in (since, until))
    order = exporting.Order(first.astimezone(UTC), last.astimezone(UTC), by, reason, language)
    try:
        summary = exporting.export(services.database, services.place, public_keys(invocation), order, out, utc_now())
    except OSError as error:
        raise GatewayError(f"{out} can't be written: {error.strerror}") from error
    click.echo(f"{summary.bundle}: acceptances from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} (Europe/Oslo)")
    click.echo(f"it holds all {summary.entries} entries of the log, so that nothing can be left out unseen")
    if summary.sidecar is None:
        raise GatewayError(
            "the sealer did not sign the file's hash in time; start it (gjestenett up) and export again, or verify with"
            " --no-sidecar, which leaves unproved who exported and why"
        )
    click.echo(f"{summary.sidecar}: signed hash of the file; it belongs to the bundle")


@audit.command()
@click.argument("bundle", metavar="BUNDLE|RECEIPT", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The log's public key (vkey).")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="An earlier checkpoint that you kept.")
@click.option("--entry", type=click.Path(path_type=Path), help="The entry of a receipt that does not hold it.")
@click.option("--no-sidecar", is_flag=True, help="There is no signed hash of the file (BUNDLE.note).")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def verify(
    bundle: Path, key: Path, checkpoint: Path | None, entry: Path | None, no_sidecar: bool, as_json: bool
) -> None:
    """Verify a bundle or a guest's receipt as the standalone verify_bundle.py does."""
    arguments = [str(bundle), "--key", str(key)]
    if as_json:
        arguments.append("--json")
    if entry is not None:
        arguments += ["--entry", str(entry)]
    if checkpoint is not None:
        arguments += ["--checkpoint", str(checkpoint)]
    if no_sidecar:
        arguments.append("--no-sidecar")
    sys.exit(verifying.main(arguments))


@audit.command()
@pass_invocation
def checkpoint(invocation: Invocation) -> None:
    """Print the newest signed checkpoint, for a copy outside this machine."""
    services = invocation.services()
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
    if head is None or not head.checkpoint:
        raise GatewayError("nothing is sealed yet; start the sealer (gjestenett up)")
    click.echo(head.checkpoint, nl=False)


def public_keys(invocation: Invocation) -> tuple[VerifierKey, ...]:
    """The log's public keys."""
    return parse_verifiers(public_key_path(invocation.settings).read_text(encoding="utf-8"))
