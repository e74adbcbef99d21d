"""The starter lists block the obvious, and nothing that a course or a citizen needs."""

from datetime import UTC, datetime

import pytest

from gateway.lists.compile import compile_policy, starter_lists
from policies.categories import CATEGORIES, REQUIRED
from policies.decide import decide
from policies.document import default_document
from policies.never_blocked import NEVER_BLOCKED
from policies.snapshot import Snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def everything_closed() -> Snapshot:
    document = default_document()
    document["groups"]["default"]["closed"] = list(CATEGORIES)
    return open_snapshot(
        compile_policy(document, 1, hygiene=False)
    )  # the lists by themselves, with nothing to save them


def category(name: str, snapshot: Snapshot) -> str | None:
    group = snapshot.group("default")
    assert group is not None
    return decide(name, group, NOW, snapshot).category


def test_the_four_required_categories_each_have_forty_to_a_hundred_and_twenty_names() -> None:
    sizes = {each.category: len(each.entries) for each in starter_lists()}
    assert set(sizes) == set(REQUIRED)
    assert all(40 <= size <= 120 for size in sizes.values()), sizes


def test_no_name_stands_in_two_lists_and_none_is_a_bare_top_level() -> None:
    names = [name for each in starter_lists() for name in each.entries]
    assert len(names) == len(set(names))
    assert all("." in name for name in names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("store.steampowered.com", "gaming"),
        ("www.roblox.com", "gaming"),
        ("www.epicgames.com", "gaming"),
        ("minecraft.net", "gaming"),
        ("www.spillespill.no", "gaming"),
        ("123spill.no", "gaming"),
        ("tinder.com", "dating"),
        ("www.sukker.no", "dating"),
        ("xn--mteplassen-0cb.no", "dating"),
        ("victoriamilan.no", "dating"),
        ("thepiratebay.org", "file_sharing"),
        ("www.1337x.to", "file_sharing"),
        ("norbits.net", "file_sharing"),
        ("www.pornhub.com", "adult"),
        ("realescort.eu", "adult"),
    ],
)
def test_the_obvious_is_closed(name: str, expected: str, everything_closed: Snapshot) -> None:
    assert category(name, everything_closed) == expected


NEEDED = """
    onedrive.live.com onedrive.com 1drv.ms dropbox.com www.dropbox.com dropboxusercontent.com
    teams.microsoft.com teams.live.com login.microsoftonline.com sharepoint.com office.com
    drive.google.com docs.google.com classroom.google.com icloud.com wetransfer.com box.com
    jottacloud.no jottacloud.com filemail.com kahoot.com kahoot.it create.kahoot.it mentimeter.com
    menti.com quizlet.com education.minecraft.net padlet.com zoom.us canva.com youtube.com
    github.com unrealengine.com unity.com discord.com facebook.com linkedin.com finn.no vg.no nrk.no
    nrksuper.no salaby.no gyldendal.no skolestudio.no ndla.no creaza.com lego.com chess.com gamer.no
    gaysir.no cupido.no archive.org ubuntu.com debian.org norsk-tipping.no spotify.com fandom.com
    gravatar.com
"""


@pytest.mark.parametrize("name", NEEDED.split())
def test_what_courses_and_citizens_need_stays_open(name: str, everything_closed: Snapshot) -> None:
    assert category(name, everything_closed) is None


def test_no_never_blocked_name_is_hit(everything_closed: Snapshot) -> None:
    # A games console has to find its login window, whatever else of its maker is closed.
    assert [(each.name, each.never_blocked) for each in everything_closed.overruled] == [
        ("nintendo.net", "ctest.cdn.nintendo.net")
    ]
    for name in NEVER_BLOCKED:
        assert everything_closed.lookup(name) == () or name == "ctest.cdn.nintendo.net"
        assert category(name, everything_closed) is None
