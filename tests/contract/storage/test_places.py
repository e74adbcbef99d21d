"""A place is set up once, by however many gateways at once, and found by its keys."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.errors import UsageError
from gateway.storage.engine import Database
from gateway.storage.places import Place, add_place, find_place, network_on
from tests.contract.storage.records import NOW, at_once, scalar


def set_up(
    database: Database,
    gateway_key: str = "gateway-1",
    interfaces: Sequence[str] = ("lo",),
    owner_key: str = "nybo",
    log_origin: str = "example.org/nybo",
    owner_name: str = "Nybø kommune",
) -> Place:
    with database.write() as session:
        return add_place(
            session,
            owner_key=owner_key,
            owner_name=owner_name,
            log_origin=log_origin,
            site_key="hovedbygg",
            gateway_key=gateway_key,
            interfaces=interfaces,
            now=NOW,
        )


def test_a_place_that_was_not_set_up_is_not_found(database: Database, place: Place) -> None:
    with database.read() as session:
        assert find_place(session, "nybo", "hovedbygg", "gateway-2") is None
        assert find_place(session, "nybo", "other", "gateway-1") is None
        assert find_place(session, "other", "hovedbygg", "gateway-1") is None


def test_a_place_is_found_by_its_keys(database: Database, place: Place) -> None:
    with database.read() as session:
        assert find_place(session, "nybo", "hovedbygg", "gateway-1") == place
    assert (place.owner_key, place.log_origin) == ("nybo", "example.org/nybo")


def test_setting_up_again_changes_nothing(database: Database, place: Place) -> None:
    assert set_up(database) == place
    for table in ("owner", "site", "gateway", "network"):
        assert scalar(database, f"SELECT count(*) FROM {table}") == 1, table


def test_an_interface_can_be_added_and_the_old_network_stays(database: Database, place: Place) -> None:
    with database.read() as session:
        before = network_on(session, place.gateway_id, "lo")
    set_up(database, interfaces=["lo", "br-guest"])
    with database.read() as session:
        after, added = network_on(session, place.gateway_id, "lo"), network_on(session, place.gateway_id, "br-guest")
        assert network_on(session, place.gateway_id, "eth9") is None
    assert before is not None
    assert after is not None
    assert added is not None
    assert before.id == after.id != added.id
    assert added.group_key == "default"


def test_gateways_that_are_set_up_at_once_share_owner_and_site(database: Database) -> None:
    places = at_once(4, lambda number: set_up(database, f"gateway-{number % 2}"))
    assert len({one.owner_id for one in places}) == 1
    assert len({one.site_id for one in places}) == 1
    assert len({one.gateway_id for one in places}) == 2
    assert scalar(database, "SELECT count(*) FROM network") == 2


def test_two_owners_can_not_share_a_log(database: Database, place: Place) -> None:
    with pytest.raises(UsageError, match="nybo"):
        set_up(database, owner_key="other")
    assert scalar(database, "SELECT count(*) FROM owner") == 1
    set_up(database, owner_key="alver", log_origin="example.org/alver")
    assert scalar(database, "SELECT count(*) FROM owner") == 2


def test_an_owner_may_be_renamed_but_its_log_may_not(database: Database, place: Place) -> None:
    set_up(database, owner_name="Nybo nye kommune")
    assert scalar(database, "SELECT name FROM owner") == "Nybo nye kommune"
    with pytest.raises(UsageError, match="for ever"):
        set_up(database, log_origin="example.org/another")
