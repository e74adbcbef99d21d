"""`gjestenett certificate`: the console's certificate, its own or one of an internal CA."""

from __future__ import annotations

import json
from pathlib import Path

import click

from captive_portal.auth.certificate import describe
from captive_portal.auth.certificate_import import MAX_FILE_BYTES, make_request, take_in
from gateway.clock import format_utc, utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation
from gateway.errors import UsageError


@click.group(cls=Group)
def certificate() -> None:
    """Show, request and import the console's certificate."""


@certificate.command()
@json_option
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> None:
    """Print the certificate's issuer, names, fingerprint and how many days are left; exit code 1 when none are."""
    found = describe(invocation.settings.state)
    days = (found.ends_at - utc_now()).days
    said = {
        "certificate": str(found.path),
        "issuer": found.issuer,
        "own": found.is_ours,
        "names": list(found.names),
        "sha256": found.sha256,
        "ends": format_utc(found.ends_at),
        "days_left": days,
    }
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        click.echo(f"{found.path}: {'made by this installation' if found.is_ours else f'issued by {found.issuer}'}")
        click.echo(f"names: {', '.join(found.names)}")
        click.echo(f"SHA-256: {found.sha256}")
        click.echo(f"ends {format_utc(found.ends_at)}: {days} days left")
    if days < 0:
        click.get_current_context().exit(1)


@certificate.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there; else it is printed.")
@click.option("--fresh", is_flag=True, help="With a new key, also where one waits for its certificate.")
@pass_invocation
def request(invocation: Invocation, out: Path | None, fresh: bool) -> None:
    """Make a request for an internal CA (PKCS #10, PEM) with the console's names; its key stays here.

    `certificate import` takes in what the CA gives back. Until then the present certificate is served.
    """
    settings = invocation.settings
    text = make_request(settings.state, settings.console, settings.owner.name, fresh=fresh).decode("ascii")
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="ascii")
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}") from error
    click.echo(f"{out}: give it to the CA, then `gjestenett certificate import` what it gives back")


@certificate.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key, where FILE holds none.")
@click.option("--password-file", type=click.Path(path_type=Path, dir_okay=False), help="What opens FILE or its key.")
@pass_invocation
def import_(invocation: Invocation, file: Path, key: Path | None, password_file: Path | None) -> None:
    """Serve the certificate in FILE: PEM or PFX, with the certificates of its CA if it has any.

    Without a key in FILE it is for the key of `certificate request`. A running console serves it within seconds.
    """
    settings = invocation.settings
    password = None if password_file is None else _read(password_file).rstrip(b"\r\n")
    key_pem = None if key is None else _read(key)
    taken = take_in(settings.state, settings.console, _read(file), password, utc_now(), key_pem)
    for warning in taken.warnings:
        click.echo(f"note: the certificate {warning}", err=True)
    click.echo(f"SHA-256: {taken.sha256}")
    click.echo(f"ends {format_utc(taken.ends_at)}; a running console serves it within seconds")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}; correct the path or its mode") from error
