"""`gjestenett lists`: where lists come from, switching them on, and bringing them in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.clock import utc_now
from gateway.commands.lists_rows import every_source, one_source, refreshes
from gateway.commands.progress import bars
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists import due as to_refresh
from gateway.lists import sources, store
from gateway.lists.catalogue import catalogue
from gateway.lists.errors import DownloadError
from gateway.lists.refresh import Refresh, import_file
from gateway.lists.source import HOUR_S, Source, key_from
from gateway.lists.urls import check_url
from gateway.storage import lists as stored


@click.group(cls=Group)
def lists() -> None:
    """Show, add, import, refresh and remove lists."""


@lists.command()
@click.argument("key", required=False)
@click.option("--on", "only_on", is_flag=True, help="Leave out what is not switched on.")
@json_option
@pass_invocation
def show(invocation: Invocation, key: str | None, only_on: bool, as_json: bool) -> None:
    """Print every source, those of the catalogue too; or all that is known of the source KEY, and its history."""
    services = invocation.services()
    rows = every_source(services, only_on=only_on) if key is None else one_source(services, key)
    print_rows(rows, as_json=as_json, empty="no list is switched on; see: gjestenett lists show")


@lists.command()
@click.argument("what", metavar="KEY|URL")
@click.option("--category", help="What the list is about; needed for a URL.")
@click.option("--name", help="The key of the new source; from the URL by default.")
@click.option("--format", "format_", default="auto", show_default=True)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="member, column, zone, exact, permits …")
@click.option("--hours", type=click.FloatRange(0.25, 24 * 31), help="How often it is refreshed.")
@click.option("--internal", is_flag=True, help="It may lie at a private address.")
@click.option("--licence", default="")
@click.option("--by", default="command line", help="Who adds it.")
@pass_invocation
def add(
    invocation: Invocation,
    what: str,
    category: str | None,
    name: str | None,
    format_: str,
    options: tuple[str, ...],
    hours: float | None,
    internal: bool,
    licence: str,
    by: str,
) -> None:
    """Switch on the source KEY of the catalogue, or add a list at a URL of one's own."""
    services = invocation.services()
    if "://" not in what:
        with services.database.read() as session:
            found = sources.find(session, services.place, what)
        if found is not None and not found.url:
            found = catalogue().get(what, found)  # imported by hand before, fetched from now on
        if found is None:
            raise UsageError(f"the catalogue has no source {what!r}; see: gjestenett lists show")
        source = replace(found, enabled=True, category=category or found.category)
    else:
        try:
            check_url(what)
        except DownloadError as error:
            raise UsageError(str(error)) from error
        if category is None:
            raise UsageError("say what the list is about, with --category")
        source = Source(
            key=name or key_from(what.split("://", 1)[1]),
            category=category,
            title=what,
            url=what,
            format=format_,
            options=_options(options),
            licence=licence,
            internal=internal,
        )
    if hours is not None:
        source = replace(source, interval_s=int(hours * HOUR_S))
    with services.database.write() as session:
        to_refresh.add(session, services.place, source, by, utc_now())
    click.echo(f"{source.key} is on; it is fetched within a minute where jobs runs, or at once with: lists sync")


@lists.command("import")
@click.argument("category")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", help="The key of the source; CATEGORY and the file's name by default.")
@click.option("--format", "format_", default="auto", show_default=True)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="member, column, zone, exact, permits …")
@click.option("--licence", default="")
@click.option("--accept", is_flag=True, help="Take it even when it shrank or grew beyond belief.")
@click.option("--by", default="command line", help="Who imports it.")
@json_option
@pass_invocation
def import_(
    invocation: Invocation,
    category: str,
    file: Path,
    name: str | None,
    format_: str,
    options: tuple[str, ...],
    licence: str,
    accept: bool,
    by: str,
    as_json: bool,
) -> None:
    """Bring in FILE, a list of any format or an archive of one, as a list of CATEGORY."""
    services = invocation.services()
    key = name or key_from(f"{category}-{file.stem}")
    known = catalogue().get(key)  # its list, carried here by hand
    source = Source(
        key=key,
        category=category,
        title=known.title if known else file.name,
        format=format_,
        options=_options(options),
        licence=licence or (known.licence if known else ""),
    )
    with services.database.read() as session:
        before = stored.source(session, services.place.owner_id, key)
        if before is not None and before.url:
            raise UsageError(f"{key} is fetched from {before.url}; choose another --name, or remove it first")
    with bars(wanted=not as_json) as bar:
        done = import_file(
            services.settings.state, source, file, services.clock, accept=accept, progress=bar(source.key)
        )
    with services.database.write() as session:
        if done.outcome in ("updated", "unchanged"):
            sources.put(session, services.place, source, by, utc_now())
        sources.record_refresh(session, services.place, done)
    _print_refreshes([done], as_json)


@lists.command()
@click.argument("keys", nargs=-1)
@click.option("--due", is_flag=True, help="Only those whose time has come.")
@click.option("--accept", is_flag=True, help="Take a list even when it shrank or grew beyond belief.")
@json_option
@pass_invocation
def sync(invocation: Invocation, keys: tuple[str, ...], due: bool, accept: bool, as_json: bool) -> None:
    """Refresh the sources KEYS, or all that are on. A list that fails leaves the one in use."""
    from gateway.dns.config import from_settings  # noqa: PLC0415 - only here
    from gateway.lists.addresses import upstream_resolver  # noqa: PLC0415
    from gateway.lists.leftovers import sweep  # noqa: PLC0415
    from gateway.lists.round import refresh_all  # noqa: PLC0415

    services = invocation.services()
    place, state = services.place, services.settings.state
    with services.database.read() as session:
        configured = sources.configured(session, place)
        if due:
            damaged = store.marked_damaged(state, (each.key for each in configured))
            wanted = to_refresh.due(session, place, utc_now(), damaged)
        else:
            wanted = to_refresh.every(session, place)
    wanted = [replace(each, accept=each.accept or accept) for each in wanted if not keys or each.source.key in keys]
    if unknown := set(keys) - {each.source.key for each in wanted} if not due else set():
        raise UsageError(f"{sorted(unknown)[0]!r} is not a source with an address that is on; see: lists show --on")
    dns = from_settings(services.settings)
    resolve = upstream_resolver(dns.upstreams, dns.upstream_ca)
    with bars(wanted=not as_json) as bar:
        done = refresh_all(services.database, place, state, wanted, resolve, services.clock, progress=bar)
    if due:
        sweep(state, {each.key for each in configured}, services.clock())
    if done or not due:
        _print_refreshes(done, as_json)


@lists.command()
@click.argument("key")
@click.option("--keep", is_flag=True, help="Only switch it off; its settings and its list stay.")
@click.option("--by", default="command line", help="Who removes it.")
@pass_invocation
def remove(invocation: Invocation, key: str, keep: bool, by: str) -> None:
    """Take the source KEY out of use, and remove its list."""
    services = invocation.services()
    with services.database.write() as session:
        source = sources.find(session, services.place, key)
        if source is None or stored.source(session, services.place.owner_id, key) is None:
            raise GatewayError(f"{key!r} is not in use; see: gjestenett lists show --on")
        if keep:
            sources.put(session, services.place, replace(source, enabled=False), by, utc_now())
        else:
            sources.drop(session, services.place, key)
    if not keep:
        store.remove(services.settings.state, key)
    click.echo(f"{key} is {'off' if keep else 'removed'}")


def _print_refreshes(done: Sequence[Refresh], as_json: bool) -> None:
    print_rows(refreshes(done), as_json=as_json, empty="nothing to refresh: no source with an address is on")
    bad = [each for each in done if each.outcome in ("refused", "failed")]
    if bad:
        raise GatewayError(f"{len(bad)} of {len(done)} not taken: {bad[0].source}: {bad[0].message}")


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name in ("exact", "permits"):
            found[name] = value.lower() in ("", "1", "true", "yes")
        elif not equals:
            raise UsageError(f"--option {pair!r}: write NAME=VALUE")
        elif name in ("only", "without"):
            found[name] = value.split(",")
        else:
            found[name] = int(value) if name.endswith("column") and value.isdigit() else value
    return found
