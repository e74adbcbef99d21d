"""`gjestenett audit export` and `audit entries`: the acceptances as evidence, and the log as lines for a SIEM."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.audit import export as exporting
from gateway.audit import fields
from gateway.audit.note import parse_verifiers
from gateway.audit.sample import Sample
from gateway.clock import MUNICIPAL_ZONE, utc_now
from gateway.commands.progress import bars
from gateway.commands.session import Invocation, pass_invocation
from gateway.context import Services
from gateway.errors import GatewayError, UsageError
from gateway.installation import public_key_path
from gateway.storage import leaves, places, rules


class Day(click.DateTime):
    """A day or a minute; what is neither is answered in the form that people write."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day; write it as YYYY-MM-DD, or YYYY-MM-DDTHH:MM", param, ctx)


DAY = Day(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
FOLLOW_EVERY_S = 1.0

_NARROWING = (
    click.option("--site", default="", help="Only this site."),
    click.option("--version", default="", help="Only this version of the rules."),
    click.option("--course", default="", help="Only this course code."),
    click.option("--name", default="", help="Only names that hold this text, in capitals or not."),
    click.option("--device", default="", help="Only this device: its MAC address, or the last digits of it."),
)


def _narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_NARROWING):
        command = option(command)
    return command


@click.command()
@click.option("--from", "since", type=DAY, required=True, help="From this day or minute on (Europe/Oslo).")
@click.option("--to", "until", type=DAY, required=True, help="Up to, not including, this day or minute.")
@_narrowing
@click.option("--withhold-names", is_flag=True, help="Withhold what identifies a person or a device.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Also draw N rows (stikkprøve).")
@click.option("--number", default="", help="The auditor's own number, which the draw is made with.")
@click.option("--xlsx", is_flag=True, help="Add the table as an Excel workbook (at most 100,000 rows).")
@click.option("--report", is_flag=True, help="Add a report as PDF.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("bundle.zip"), show_default=True)
@click.option("--reason", required=True, help="What the export is for; recorded in the log.")
@click.option("--by", default="command line", help="Who exports.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@pass_invocation
def export(
    invocation: Invocation,
    /,
    since: datetime,
    until: datetime,
    withhold_names: bool,
    sample: int | None,
    number: str,
    out: Path,
    reason: str,
    by: str,
    **rest: Any,
) -> None:
    """Write the acceptances of a period as a bundle that verifies offline."""
    if since >= until:
        raise UsageError("--from must come before --to")
    if (sample is None) != (not number.strip()):
        raise UsageError("--sample and --number belong together: how many rows, and the auditor's own number")
    services = invocation.services()
    if not reason.strip():
        raise UsageError("--reason says what the export is for and can't be empty")
    if out.exists():
        raise UsageError(f"{out} exists and is not overwritten; move it or choose another --out")
    _check_known(services, rest["site"], rest["version"])
    first, last = (moment.replace(tzinfo=MUNICIPAL_ZONE) for moment in (since, until))
    order = exporting.Order(
        first.astimezone(UTC),
        last.astimezone(UTC),
        by,
        reason,
        owner_name=services.settings.owner.name,
        fields=fields.visible(names_withheld=withhold_names),
        sample=Sample(sample, number.strip()) if sample is not None else None,
        **rest,
    )
    keys = parse_verifiers(public_key_path(invocation.settings).read_text(encoding="utf-8"))
    try:
        with bars() as bar:
            summary = exporting.export(services.database, services.place, keys, order, out, utc_now(), bar("export"))
    except OSError as error:
        raise GatewayError(f"{out} can't be written: {error.strerror}") from error
    click.echo(f"{summary.bundle}: acceptances from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} (Europe/Oslo)")
    click.echo(f"acceptances in the table: {summary.rows}")
    click.echo(f"it holds all {summary.entries} entries of the log, so that nothing can be left out unseen")
    if summary.sidecar is None:
        raise GatewayError(
            f"the sealer did not make the signature (.zip.note) in time. {summary.bundle} is there, and verifies with"
            " --no-sidecar, which leaves unproved who exported and why; or delete it, start the sealer"
            " (gjestenett up) and export again"
        )
    click.echo(f"{summary.sidecar}: the signature (.zip.note); it belongs to the bundle")


def _check_known(services: Services, site: str, version: str) -> None:
    """Raises: UsageError for a site or version that there is not: a table without rows would look like an answer."""
    with services.database.read() as session:
        sites = places.site_keys(session, services.place.owner_id)
        versions = [each.label for each in rules.versions(session, services.place.owner_id)]
    if site and site not in sites:
        raise UsageError(f"there is no site {site!r}; there are {', '.join(sites)}")
    if version and version not in versions:
        raise UsageError(f"there is no version {version!r} of the rules; there are {', '.join(versions) or 'none'}")


@click.command()
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="The first leaf to print.")
@click.option("--follow", is_flag=True, help="Go on as the log grows, until interrupted.")
@pass_invocation
def entries(invocation: Invocation, first: int, follow: bool) -> None:
    """Print the sealed entries as JSON lines for a SIEM: leaf number and entry, never a personal field in clear."""
    services = invocation.services()
    while True:
        with services.database.read() as session:
            head = leaves.find_head(session, services.place.owner_id)
            size = head.size if head is not None else 0
            for index, _, entry in leaves.entries(session, services.place.owner_id, first, size):
                click.echo(json.dumps({"index": index, "entry": json.loads(entry)}, ensure_ascii=False))
        first = max(first, size)
        if not follow:
            return
        time.sleep(FOLLOW_EVERY_S)
