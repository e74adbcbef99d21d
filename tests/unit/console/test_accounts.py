from datetime import timedelta

import pytest

from captive_portal.auth import accounts
from captive_portal.auth.setup import first_setup_link
from gateway.errors import UsageError
from gateway.settings import Console
from gateway.storage.staff_models import SetupLink


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def redeem(world, token, username="kari"):
    with world.services.database.write() as session:
        return accounts.redeem(session, world.services.place, token, username, "$argon2id$x", world.now)


def test_first_start_gives_a_link_and_none_once_it_has_been_used(world):
    url = first_setup_link(world.services)
    assert url is not None
    assert url.startswith("https://localhost:8081/setup/")
    assert redeem(world, token_of(url)) == "done"
    assert first_setup_link(world.services) is None
    assert redeem(world, token_of(url), "ola") == "link"


def test_only_the_newest_link_works_and_only_its_hash_is_kept(world):
    old, new = first_setup_link(world.services), first_setup_link(world.services)
    with world.services.database.read() as session:
        kept = [row.token_sha256 for row in session.query(SetupLink)]
    assert len(kept) == 1
    assert token_of(new) not in kept
    assert redeem(world, token_of(old)) == "link"
    assert redeem(world, token_of(new)) == "done"


def test_a_link_lives_24_hours(world):
    url = first_setup_link(world.services)
    world.now += timedelta(hours=24)
    assert redeem(world, token_of(url)) == "link"


def test_accounts_from_the_command_line(world):
    place = world.services.place
    with world.services.database.write() as session:
        link = accounts.add_account(session, place, "Revisor", "auditor", world.now, by="cli")
        with pytest.raises(UsageError, match="exists"):
            accounts.add_account(session, place, "revisor", "it", world.now)
        with pytest.raises(UsageError, match="no role"):
            accounts.add_account(session, place, "ola", "root", world.now)
        for bad in ("", "?", "a", "x" * 65, "a b", "<b>", "a\0b", "\u202eevil"):
            with pytest.raises(UsageError, match="no user name"):
                accounts.add_account(session, place, bad, "it", world.now)
    assert redeem(world, link.token, "ignored") == "done"
    with world.services.database.write() as session:
        assert [(row.username, row.state) for row in accounts.list_accounts(session, place, world.now)] == [
            ("revisor", "ready")
        ]
        again = accounts.reset_account(session, place, "revisor", world.now)
        assert accounts.list_accounts(session, place, world.now)[0].state == "waiting"
        with pytest.raises(UsageError, match="no account"):
            accounts.reset_account(session, place, "ola", world.now)
    assert first_setup_link(world.services) is not None, "an auditor is no IT account"
    assert redeem(world, again.token, "ignored") == "done"


def test_the_first_account_cant_take_a_name_that_is_taken(world):
    with world.services.database.write() as session:
        accounts.add_account(session, world.services.place, "kari", "auditor", world.now)
    assert redeem(world, token_of(first_setup_link(world.services)), "kari") == "taken"


def test_the_address_of_the_console():
    assert accounts.console_url(Console(port=443, hostname="konsoll.example.test")) == "https://konsoll.example.test"
    assert accounts.console_url(Console(hostname="::1")) == "https://[::1]:8081"
