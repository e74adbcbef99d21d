"""Accounts, one-time links that are used once, and browsers that are signed in until they are not."""

from __future__ import annotations

import time

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.storage import staff
from gateway.storage.engine import Database
from gateway.storage.places import Place
from gateway.storage.staff_models import SetupLink, Staff, StaffSession
from tests.contract.storage.records import HOUR, NOW, at_once


def add_staff(database: Database, place: Place, username: str = "ola", role: str = "it") -> str:
    with database.write() as session:
        account = Staff(owner_id=place.owner_id, username=username, role=role, created_at=NOW)
        session.add(account)
        session.flush()
        return account.id


def test_an_account_is_found_by_name_within_its_owner(database: Database, place: Place) -> None:
    account_id = add_staff(database, place)
    add_staff(database, place, "kari", "auditor")
    with database.read() as session:
        found = staff.by_username(session, place.owner_id, "ola")
        assert found is not None
        assert (found.id, found.password_hash) == (account_id, None)
        assert staff.by_username(session, place.owner_id, "per") is None
        assert staff.by_username(session, "another", "ola") is None
        assert [one.username for one in staff.accounts(session, place.owner_id)] == ["kari", "ola"]


def test_a_name_is_taken_once_and_a_role_is_one_of_two(database: Database, place: Place) -> None:
    add_staff(database, place)
    with pytest.raises(IntegrityError):
        add_staff(database, place)
    with pytest.raises(IntegrityError):
        add_staff(database, place, "kari", "root")


def test_a_setup_link_used_by_two_at_once_works_once(database: Database, place: Place) -> None:
    account_id = add_staff(database, place)
    with database.write() as session:
        session.add(SetupLink(token_sha256="a" * 64, staff_id=account_id, expires_at=NOW + HOUR))

    def use(_number: int) -> bool:
        with database.write() as session:
            found = staff.setup_link(session, "a" * 64)
            assert found is not None
            link, account = found
            assert account.username == "ola"
            if link.used_at is not None:
                return False
            time.sleep(0.1)  # so that the others look before this one has committed
            link.used_at = NOW
            return True

    assert sorted(at_once(3, use)) == [False, False, True]
    with database.read() as session:
        assert staff.setup_link(session, "b" * 64) is None


def test_a_session_lives_until_it_is_ended_or_has_run_out(database: Database, place: Place) -> None:
    account_id = add_staff(database, place)
    with database.write() as session:
        for token, hours in (("a", 1), ("b", 2), ("c", 3)):
            session.add(
                StaffSession(
                    token_sha256=token * 64,
                    staff_id=account_id,
                    created_at=NOW,
                    seen_at=NOW,
                    expires_at=NOW + hours * HOUR,
                )
            )
    with database.write() as session:
        found = staff.session_by_token(session, "b" * 64)
        assert found is not None
        assert found.staff.username == "ola"
        staff.end_expired_sessions(session, NOW + HOUR)
        staff.end_session(session, "c" * 64)
    with database.read() as session:
        alive = [token for token in "abc" if staff.session_by_token(session, token * 64) is not None]
    assert alive == ["b"]
