"""`gjestenett policy publish | rollback | history`: what is in force, and what was."""

from __future__ import annotations

import click

from gateway.clock import format_utc, utc_now
from gateway.commands.policy_draft import tell, warn, warn_of_courses
from gateway.commands.session import Invocation, json_option, pass_invocation, print_rows
from gateway.lists import generations
from gateway.lists.group_users import missed
from gateway.storage import generations as stored
from policies.diff import changes
from policies.diff_words import in_words
from policies.document import parse_document


@click.command()
@click.option("--note", default="", help="Why, for the history.")
@click.option("--by", default="command line", help="Who publishes.")
@click.option("--over", is_flag=True, help="Also when the draft takes back what was published after it was begun.")
@pass_invocation
def publish(invocation: Invocation, note: str, by: str, over: bool) -> None:
    """Put the draft in force as the next generation."""
    services = invocation.services()
    with services.database.write() as session:
        number = generations.publish(session, services.place, by, note, utc_now(), over=over)
        published = parse_document(generations.document_of(session, services.place, number))
        warn_of_courses(session, services.place, published)
        told_of = missed(session, services.place, services.settings.dns.sources, published.groups)
    warn(invocation, published)
    tell(told_of)
    click.echo(f"generation {number} is published")


@click.command()
@click.argument("generation", type=int)
@click.option("--note", default="", help="Why, for the history.")
@click.option("--by", default="command line", help="Who does it.")
@pass_invocation
def rollback(invocation: Invocation, generation: int, note: str, by: str) -> None:
    """Put what GENERATION said in force again, as a new generation, and say what changes.

    Exemptions that were ended since stay ended.
    """
    services = invocation.services()
    with services.database.write() as session:
        place = services.place
        planned = generations.rolled_back(session, place, generation)
        standing = stored.in_force(session, place.owner_id)
        if standing is not None:
            after = parse_document(planned.document)
            for change in changes(parse_document(standing.document), after):
                click.echo(in_words(change, "en", after.zone))
        for each in planned.ended:
            click.echo(f"left out, since it has ended after generation {generation}: exemption {each}")
        number = generations.rollback(session, place, generation, by, note, utc_now())
        wanted = parse_document(planned.document)
        warn_of_courses(session, place, wanted)
        tell(missed(session, place, services.settings.dns.sources, wanted.groups))
    told = ", apart from that" if planned.ended else ""
    click.echo(f"generation {number} is published; it says what generation {generation} said{told}")


@click.command()
@json_option
@pass_invocation
def history(invocation: Invocation, as_json: bool) -> None:
    """Print the published generations, newest first."""
    services = invocation.services()
    with services.database.read() as session:
        rows = [
            {
                "generation": row.generation,
                "published": format_utc(row.published_at),
                "by": row.published_by,
                "note": row.note,
                "sha256": row.sha256,
            }
            for row in stored.history(session, services.place.owner_id)
        ]
    print_rows(rows, as_json=as_json, empty="no policy is published")
