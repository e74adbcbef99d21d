"""The real published lists, where `PUBLISHED_LISTS` names a folder that holds them: traps, services, never-blocked
names and the obvious.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.lists.compile import compile_policy, starter_lists
from policies.corrections import SERVICES
from policies.decide import decide
from policies.document import default_document
from policies.formats import Entry, Rejects, read_entries
from policies.hygiene import quarantined
from policies.never_blocked import NEVER_BLOCKED
from policies.snapshot import NamedList, Snapshot, open_snapshot

FOLDER = os.environ.get("PUBLISHED_LISTS", "")
pytestmark = [
    pytest.mark.published_lists,
    pytest.mark.skipif(not FOLDER, reason="PUBLISHED_LISTS names no folder of published lists"),
]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
READ = {
    "ut1/gaming": ("gaming", "domains"),
    "ut1/dating": ("dating", "domains"),
    "ut1/file_sharing": ("file_sharing", "domains"),
    "ut1/mixed_adult": ("adult", "domains"),
    "ut1/doh": ("encrypted_dns", "domains"),
    "ut1/vpn": ("proxy_vpn", "domains"),
    "ut1/remote_access": ("remote_access", "domains"),
    "ut1/chat": ("messaging", "domains"),
    "ut1/malware_topn": ("malware", "domains"),
    "ut1/gambling": ("gambling", "domains"),
    "shadowwhisperer/adult": ("adult", "domains"),
    "blocklistproject/torrent_p2p": ("file_sharing", "hosts"),
    "blocklistproject/phishing": ("phishing", "hosts"),
    "v2fly/gaming": ("gaming", "v2fly"),
    "v2fly/file_sharing": ("file_sharing", "v2fly"),
}


def entries(key: str) -> Iterator[Entry]:
    with (Path(FOLDER) / f"{key}.raw").open("rb") as lines:
        yield from read_entries(READ[key][1], lines, Rejects())


@pytest.fixture(scope="module")
def real() -> Snapshot:
    lists = [NamedList(key, READ[key][0], "", (each.name for each in entries(key))) for key in READ]
    return open_snapshot(compile_policy(default_document(), 1, lists=[*starter_lists(), *lists]))


def permitted(name: str, snapshot: Snapshot) -> bool:
    group = snapshot.group("default")
    assert group is not None
    return decide(name, group, NOW, snapshot).permitted


def test_no_never_blocked_name_and_no_service_is_closed(real: Snapshot) -> None:
    assert [name for name in (*NEVER_BLOCKED, *SERVICES) if not permitted(name, real)] == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gravatar.com", "misfiled"),
        ("fandom.com", "misfiled"),
        ("discordapp.net", "misfiled"),
        ("apple-dns.net", "infrastructure"),
        ("yahoodns.net", "infrastructure"),
        ("salesforceliveagent.com", "infrastructure"),
        ("azure-devices.net", "infrastructure"),
        ("archive.org", "misfiled"),
        ("bologna.it", "public_suffix"),
        ("in.th", "public_suffix"),
        ("sex.hu", "public_suffix"),
        ("caprino.no", "misfiled"),
        ("larsen.no", "misfiled"),
        ("viaplay.no", "misfiled"),
        ("sexogpolitikk.no", "never_blocked"),
    ],
)
def test_the_traps_are_there_and_are_held_back(name: str, why: str, real: Snapshot) -> None:
    assert quarantined(real.section("quarantine"), name)[0].reason == why
    assert permitted(name, real)
    assert permitted("www." + name, real)


@pytest.mark.parametrize(
    "name",
    ["www.pornhub.com", "tinder.com", "store.steampowered.com", "www.roblox.com", "thepiratebay.org", "dns.google"],
)
def test_the_obvious_is_closed(name: str, real: Snapshot) -> None:
    assert not permitted(name, real)
