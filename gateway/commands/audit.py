"""`gjestenett audit`: export the acceptances as evidence, verify such an export, show the checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.audit import verify_bundle as verifying
from gateway.commands.audit_export import entries, export
from gateway.commands.session import Group, Invocation, pass_invocation
from gateway.errors import GatewayError
from gateway.storage import leaves


@click.group(cls=Group)
def audit() -> None:
    """Export and verify the acceptance log."""


audit.add_command(export)
audit.add_command(entries)


@audit.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The log's public key (vkey).")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="An earlier checkpoint that you kept.")
@click.option("--no-sidecar", is_flag=True, help="There is no signed hash of the file (BUNDLE.note).")
def verify(bundle: Path, key: Path, checkpoint: Path | None, no_sidecar: bool) -> None:
    """Verify BUNDLE as the standalone verify_bundle.py does."""
    arguments = [str(bundle), "--key", str(key)]
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
