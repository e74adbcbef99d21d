"""Whatever lists say, what a course instructor needs works under the default policy."""

from datetime import UTC, datetime

import pytest

from gateway.lists.compile import compile_policy
from policies.categories import CATEGORIES
from policies.corrections import SERVICES
from policies.decide import decide
from policies.document import default_document
from policies.names import parents
from policies.snapshot import NamedList, Snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEEDED = """
    onedrive.live.com api.onedrive.com 1drv.ms teams.microsoft.com teams.live.com teams.cdn.office.net
    kahoot.it create.kahoot.it kahoot.com mentimeter.com www.menti.com quizlet.com education.minecraft.net
    drive.google.com docs.google.com forms.google.com classroom.google.com discord.com cdn.discordapp.com
    gateway.discord.gg web.whatsapp.com static.whatsapp.net dropbox.com www.dropbox.com content.dropboxapi.com
    padlet.com zoom.us us02web.zoom.us meet.google.com whereby.com canva.com login.microsoftonline.com
    contoso.sharepoint.com icloud.com
"""


@pytest.fixture(scope="module")
def hostile() -> Snapshot:
    """Every category's list names every service, its parents of two labels, and each needed name."""
    names = {parent for name in (*SERVICES, *NEEDED.split()) for parent in parents(name)}
    lists = [NamedList("hostile/list", category, "", sorted(names)) for category in CATEGORIES]
    return open_snapshot(compile_policy(default_document(), 1, lists=lists))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_open_by_default_even_when_every_list_names_it_and_what_is_above(
    name: str, hostile: Snapshot
) -> None:
    group = hostile.group("default")
    assert group is not None
    assert decide(name, group, NOW, hostile).permitted


@pytest.mark.parametrize("name", NEEDED.split())
def test_what_is_needed_is_open_whatever_lists_of_kinds_of_sites_say(name: str) -> None:
    kinds = ("gaming", "file_sharing", "dating", "adult", "messaging", "social_media", "gambling")
    lists = [NamedList("hostile/list", category, "", tuple(parents(name))) for category in kinds]
    snapshot = open_snapshot(compile_policy(default_document(), 1, lists=lists))
    group = snapshot.group("default")
    assert group is not None
    assert decide(name, group, NOW, snapshot).permitted


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("dropbox.com", "cloud_storage"),
        ("onedrive.live.com", "cloud_storage"),
        ("content.dropboxapi.com", "cloud_storage"),
        ("teams.microsoft.com", "meetings"),
        ("us02web.zoom.us", "meetings"),
        ("cdn.discordapp.com", "messaging"),
        ("web.whatsapp.com", "messaging"),
        ("minecraft.net", "gaming"),
        ("www.minecraft.net", "gaming"),
        ("education.minecraft.net", None),
        ("kahoot.it", None),
    ],
)
def test_the_category_is_that_of_the_service(name: str, category: str | None) -> None:
    document = default_document()
    document["groups"]["default"]["closed"] = list(CATEGORIES)
    lists = [
        NamedList("coarse/files", "file_sharing", "", ("dropbox.com", "onedrive.live.com", "dropboxapi.com")),
        NamedList("coarse/games", "gaming", "", ("minecraft.net", "discordapp.com", "kahoot.it")),
        NamedList("coarse/chat", "messaging", "", ("teams.microsoft.com", "zoom.us")),
    ]
    snapshot = open_snapshot(compile_policy(document, 1, lists=lists))
    group = snapshot.group("default")
    assert group is not None
    assert decide(name, group, NOW, snapshot).category == category


def test_every_service_names_known_categories() -> None:
    assert {category for own in SERVICES.values() for category in own} <= CATEGORIES.keys()


def test_a_recommended_permit_undoes_every_list_of_its_category() -> None:
    lists = [
        NamedList("a/adult", "adult", "", ("sexual-education.example", "other.example")),
        NamedList("b/adult", "adult", "", ("sexual-education.example",)),
        NamedList("b/sexual_education", "adult", "", (), permits=("sexual-education.example",)),
    ]
    snapshot = open_snapshot(compile_policy(default_document(), 1, lists=lists))
    group = snapshot.group("default")
    assert group is not None
    assert decide("www.sexual-education.example", group, NOW, snapshot).permitted
    assert not decide("other.example", group, NOW, snapshot).permitted


def test_it_may_still_forbid_a_service_and_use_public_suffixes_of_its_own() -> None:
    document = default_document()
    document["groups"]["default"]["forbid"] = ["kahoot.it", "kommune.no"]
    document["groups"]["default"]["permit"] = ["ringebu.no"]
    snapshot = open_snapshot(compile_policy(document, 1))
    group = snapshot.group("default")
    assert group is not None
    assert not decide("create.kahoot.it", group, NOW, snapshot).permitted
    assert not decide("www.lom.kommune.no", group, NOW, snapshot).permitted
    assert decide("www.ringebu.no", group, NOW, snapshot).reasons[0].kind == "permitted_by_it"
