"""`gjestenett config`: what the settings are, and whether they can be read."""

from __future__ import annotations

import json

import click

from gateway import checks
from gateway.clock import utc_now
from gateway.commands.session import Group, Invocation, json_option, pass_invocation
from gateway.settings import Settings


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
