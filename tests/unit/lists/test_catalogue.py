"""The catalogue is data of a known shape: every source can be switched on as it stands, and none is on."""

from urllib.parse import urlsplit

from gateway.lists.catalogue import catalogue
from policies.categories import CATEGORIES, REQUIRED


def test_every_source_is_whole_and_off() -> None:
    assert len(catalogue()) > 90
    for key, source in catalogue().items():
        assert source.key == key
        assert not source.enabled
        assert not source.internal
        assert source.category in CATEGORIES
        assert urlsplit(source.url).scheme == "https"
        assert "{" not in source.url + source.member
        assert source.licence
        assert source.title
        assert source.interval_s >= 24 * 3600
        assert source.reading is not None


def test_addresses_are_each_used_once() -> None:
    used = [(source.url, source.member) for source in catalogue().values()]
    assert len(used) == len(set(used))


def test_the_publishers_that_were_asked_for_serve_each_required_category() -> None:
    publishers = {key.partition("-")[0] for key in catalogue()}
    assert publishers >= {
        *("ut1", "shadowwhisperer", "v2fly", "hagezi", "oisd", "stevenblack"),
        *("blocklistproject", "uklans", "dibdot", "nextdns"),
    }
    for category in REQUIRED:
        assert sum(source.category == category for source in catalogue().values()) >= 3


def test_recommended_permits_are_permits() -> None:
    permits = {key for key, source in catalogue().items() if source.permits}
    assert permits == {"ut1-sexual_education", "ut1-educational_games"}
