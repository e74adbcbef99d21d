"""`gjestenett audit`: the acceptances as evidence exported and verified, the checkpoint, and the rights of a person."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.audit import verify_bundle as verifying
from gateway.commands.audit_export import entries, export
from gateway.commands.audit_log import COMMANDS
from gateway.commands.session import Group, Invocation, pass_invocation
from gateway.commands.verifier import verifier
from gateway.errors import GatewayError
from gateway.storage import leaves


@click.group(
    cls=Group,
    lazy={
        "access-request": "gateway.commands.access_request:access_request",
        "erase": "gateway.commands.erase:erase",
        "erasure-list": "gateway.commands.erase:erasure_list",
    },
)
def audit() -> None:
    """Export and verify the acceptance log, and look after it; tell a person what is held on them, or erase it."""


for command in COMMANDS:
    audit.add_command(command)


audit.add_command(export)
audit.add_command(entries)
audit.add_command(verifier)


@audit.command()
@click.argument("bundle", metavar="BUNDLE|RECEIPT", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The log's public key (vkey).")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="An earlier checkpoint that you kept.")
@click.option("--entry", type=click.Path(path_type=Path), help="The entry of a receipt that does not hold it.")
@click.option("--no-sidecar", is_flag=True, help="There is no signature (.zip.note) of the bundle.")
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
@click.option("--cosigned", is_flag=True, help="The newest one that a witness has cosigned, with the cosignatures.")
@pass_invocation
def checkpoint(invocation: Invocation, cosigned: bool) -> None:
    """Print the newest signed checkpoint, for a copy outside this machine."""
    services = invocation.services()
    if cosigned:
        with services.database.read() as session:
            found = leaves.cosigned_checkpoint(session, services.place.owner_id)
        if found is None:
            raise GatewayError("no witness has cosigned yet; see: gjestenett audit targets")
        click.echo(found, nl=False)
        return
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
    if head is None or not head.checkpoint:
        raise GatewayError("nothing is sealed yet; start the sealer (gjestenett up)")
    click.echo(head.checkpoint, nl=False)
