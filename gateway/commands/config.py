"""`gjestenett config`: what the settings are, whether they can be read, and a file to begin with."""

from __future__ import annotations

import json
from pathlib import Path

import click

import gateway
from gateway import checks
from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation
from gateway.settings import Settings

STARTER = Path(gateway.__file__).with_name("starter.toml")


@click.group(cls=Group)
def config() -> None:
    """Check or show the settings."""


@config.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Read the settings and say whether they are sound; warnings are on standard error."""
    warnings = checks.check(invocation.settings, utc_now())
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo("settings are sound" if not warnings else "everything starts, but see the warnings")


@config.command()
def starter() -> None:
    """Print a settings file to begin with; with it everything is as without one."""
    click.echo(STARTER.read_text(encoding="utf-8"), nl=False)


@config.command()
@json_option
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> None:
    """Print every setting; defaults are marked, secrets hidden."""
    settings = invocation.settings
    values = settings.model_dump(mode="json")
    if values["database"]["url"] and not values["database"]["url"].startswith("sqlite"):
        values["database"]["url"] = "(hidden)"
    if as_json:
        click.echo(json.dumps(values, ensure_ascii=False, indent=2))
        return
    defaults = Settings.model_construct().model_dump(mode="json")
    for section, value in values.items():
        if not isinstance(value, dict):
            click.echo(f"{section} = {json.dumps(value)}{_mark(value == defaults[section])}")
    for section, value in values.items():
        if isinstance(value, dict):
            click.echo(f"\n[{section}]")
            for key, one in value.items():
                click.echo(f"{key} = {json.dumps(one, ensure_ascii=False)}{_mark(one == defaults[section][key])}")


def _mark(is_default: bool) -> str:
    return "  # default" if is_default else ""
