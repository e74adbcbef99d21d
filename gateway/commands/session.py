"""What every command shares: its settings, its way of printing data, and errors as one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.clock import utc_now
from gateway.errors import GatewayError
from gateway.settings import Settings, load

if TYPE_CHECKING:
    from gateway.context import Services


class Invocation:
    """One run of the command line: where its settings come from, read on first use."""

    def __init__(self, config: Path | None, state: Path | None) -> None:
        self.config = config
        self.state = state
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings. Raises: UsageError."""
        if self._settings is None:
            self._settings = load(self.config, self.state)
        return self._settings

    def services(self) -> Services:
        """The prepared installation, with what IT has changed of the settings since.

        Raises: GatewayError when it has not been prepared.
        """
        from gateway.installation import open_services  # noqa: PLC0415 - the DNS service must not load the database
        from gateway.settings.now import as_changed  # noqa: PLC0415

        return as_changed(open_services(self.settings, utc_now))


pass_invocation = click.make_pass_decorator(Invocation)
json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Group(click.Group):
    """A group whose commands end GatewayErrors as one clear line, and whose subgroups load when used."""

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._lazy:
            import importlib  # noqa: PLC0415 - only for groups

            module, _, attribute = self._lazy[cmd_name].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            click.echo(f"gjestenett: {' '.join(str(error).split())}", err=True)
            ctx.exit(error.exit_code)


def print_rows(rows: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a JSON array, or as aligned columns under their names; `empty` when there are none."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=str))
        return
    if not rows:
        click.echo(empty)
        return
    names = list(rows[0])
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in names}
    for line in ({name: name for name in names}, *rows):
        click.echo("  ".join(str(line[name]).ljust(widths[name]) for name in names).rstrip())
