"""`gjestenett audit verifier`: the verifiers and the public key as files, to hand over to an auditor once."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import click

from gateway.commands.session import Invocation, pass_invocation
from gateway.errors import GatewayError, UsageError
from gateway.installation import public_key_path

VERIFIERS = ("verify.html", "verify_bundle.py")
KEY = "log.vkey"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write to; made if needed.")
@pass_invocation
def verifier(invocation: Invocation, out: Path) -> None:
    """Write verify.html, verify_bundle.py and the log's public key, for an auditor.

    The printed SHA-256 of the verifiers are those of this release: the auditor compares them with a copy of the release
    that came another way.
    """
    try:
        contents = {name: (files("gateway.audit") / name).read_bytes() for name in VERIFIERS}
        contents[KEY] = public_key_path(invocation.settings).read_bytes()
        out.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            path = out / name
            if path.exists() and path.read_bytes() != data:
                raise UsageError(f"{path} exists with other contents and is not overwritten; choose another --out")
            path.write_bytes(data)
    except OSError as error:
        raise GatewayError(f"{error.filename} can't be read or written: {error.strerror}") from error
    for name, data in contents.items():
        click.echo(f"{hashlib.sha256(data).hexdigest()}  {out / name}")
    click.echo(
        "hand these over once, another way than bundles; the auditor compares the sums with those of the release"
    )
