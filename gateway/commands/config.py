"""`gjestenett config`: what the settings are, whether they can be read, and a file to begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import click

import gateway
from gateway import checks
from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation
from gateway.errors import GatewayError, UsageError
from gateway.installation import open_services
from gateway.installed import check_installed
from gateway.settings import Settings, config_path
from gateway.settings.operational import over
from gateway.settings.origin import rows, shown
from gateway.storage import operational

BESIDE = "gjestenett.toml"  # where `make run` keeps the settings
STARTER = Path(gateway.__file__).with_name("starter.toml")


@click.group(cls=Group)
def config() -> None:
    """Check or show the settings."""


@config.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Say whether the settings are sound and agree with what is installed; warnings are on standard error."""
    warnings = checks.check(invocation.settings, utc_now())
    if config_path(invocation.config) is None and Path(BESIDE).is_file():
        raise UsageError(f"{BESIDE} lies here and was not read; name it: gjestenett --config {BESIDE} config check")
    told = check_installed(invocation.settings)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo("settings are sound" if not warnings else "everything starts, but see the warnings")
    if told:
        click.echo(told)


@config.command()
def starter() -> None:
    """Print a settings file to begin with; with it everything is as without one."""
    click.echo(STARTER.read_text(encoding="utf-8"), nl=False)


@config.command()
@json_option
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> None:
    """Print every setting; defaults and what was changed in the console are marked, secrets hidden."""
    changed = _changed_in_console(invocation.settings)
    settings = over(invocation.settings, changed)
    if as_json:
        click.echo(json.dumps(shown(settings), ensure_ascii=False, indent=2))
        return
    found = sorted(rows(settings, changed.keys()), key=lambda row: row.section != "")
    for section, of_table in groupby(found, lambda row: row.section):
        if section:
            click.echo(f"\n[{section}]")
        for row in of_table:
            click.echo(f"{row.key} = {row.value}{_MARKS.get(row.origin, '')}")


def _changed_in_console(settings: Settings) -> Mapping[str, Any]:
    """What IT has changed while everything ran; nothing where no installation of this version can be read."""
    try:
        services = open_services(settings, utc_now)
    except GatewayError:
        return {}
    try:
        with services.database.read() as session:
            return {key: row.value for key, row in operational.all_of(session, services.place.owner_id).items()}
    finally:
        services.database.close()


_MARKS = {"default": "  # default", "console": "  # changed in the console"}
