"""The page of name lookups: what its table adds up to, and names only where IT has them kept."""

from datetime import timedelta

from captive_portal.console.lookups import GroupRow, by_group
from gateway.lists import draft_edits, generations
from gateway.storage import dns_counters
from gateway.storage.dns_counters import Answers, hour_of
from tests.unit.console.conftest import World


def count(world: World, **names: int) -> None:
    place, hour = world.services.place, hour_of(world.now)
    counts = {
        (hour, "default", "answered", ""): 90,
        (hour, "default", "refused", "gaming"): 7,
        (hour, "default", "refused", "it"): 2,
        (hour - timedelta(hours=25), "default", "refused", "gaming"): 1000,
        (hour, "_not_accepted", "answered", ""): 5,
    }
    with world.services.database.write() as session:
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
        for name, asked in names.items():
            key = (hour, "default", "judged", "gambling", f"{name}.example")
            dns_counters.add_names(session, place.owner_id, place.gateway_id, {key: asked})


def test_rows_add_up_by_group_and_category() -> None:
    rows = by_group(
        [
            Answers("default", "answered", "", 10),
            Answers("default", "judged_refused", "gaming", 3),
            Answers("default", "refused", "adult", 4),
            Answers("default", "refused", "gaming", 2),
            Answers("course", "judged", "gaming", 1),
        ]
    )
    assert rows == {"course": GroupRow(1, 0, []), "default": GroupRow(19, 9, [("gaming", 5), ("adult", 4)])}
    assert list(rows) == ["course", "default"]


def test_the_last_24_hours_are_shown(world: World) -> None:
    world.publish_all()
    browser = world.signed_in("it")
    assert "Nothing has been counted yet" in browser.get("/lookups").text
    count(world)
    text = browser.get("/lookups").text
    assert 'data-label="Lookups">99<' in text
    assert 'data-label="Refused">9<' in text
    assert "Online games: 7<br>Closed by IT by name: 2<" in text
    assert "Devices that have not accepted" in text
    assert "at least five devices" not in text


def test_names_are_shown_only_where_they_are_kept(world: World) -> None:
    world.publish_all()
    browser = world.signed_in("it")
    count(world, casino=8)
    assert "casino.example" not in browser.get("/lookups").text
    place, now = world.services.place, world.now
    with world.services.database.write() as session:
        draft = draft_edits.with_top_names(generations.draft(session, place), "default", on=True)
        generations.save_draft(session, place, draft, now)
        generations.publish(session, place, "test", "", now)
    text = browser.get("/lookups").text
    assert "casino.example" in text
    assert "Suspected, answered" in text
    assert 'data-label="Lookups">8<' in text
