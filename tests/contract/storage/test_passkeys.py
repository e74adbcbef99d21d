"""Passkeys as the databases keep them: told apart by the name that they were made at, and by owner."""

from __future__ import annotations

import pytest

from gateway.storage import passkeys
from gateway.storage.engine import Database
from gateway.storage.passkey_models import Passkey
from gateway.storage.places import Place, add_place
from tests.contract.storage.records import NOW
from tests.contract.storage.test_staff import add_staff

HERE = "konsoll.nybo.example"


@pytest.fixture
def neighbour(database: Database) -> Place:
    """Another owner in the same database."""
    with database.write() as session:
        return add_place(
            session,
            owner_key="granli",
            owner_name="Granli kommune",
            log_origin="example.org/granli",
            site_key="raadhus",
            gateway_key="gateway-9",
            interfaces=["lo"],
            now=NOW,
        )


def register(database: Database, staff_id: str, credential: bytes, rp_id: str) -> None:
    with database.write() as session:
        session.add(
            Passkey(
                staff_id=staff_id,
                name="YubiKey",
                rp_id=rp_id,
                credential_id=credential,
                public_key=b"\xa5",
                sign_count=0,
                backup_eligible=False,
                created_at=NOW,
            )
        )


def elsewhere(database: Database, owner: Place, rp_id: str = HERE) -> int:
    with database.read() as session:
        return passkeys.count_elsewhere(session, owner.owner_id, rp_id)


def test_those_of_another_name_are_counted_over_all_accounts(database: Database, place: Place) -> None:
    assert elsewhere(database, place) == 0
    ola, kari = add_staff(database, place), add_staff(database, place, "kari", "auditor")
    register(database, ola, b"1", HERE)
    assert elsewhere(database, place) == 0
    register(database, ola, b"2", "localhost")
    register(database, ola, b"3", "gammel.nybo.example")
    register(database, kari, b"4", "localhost")
    assert elsewhere(database, place) == 3
    assert elsewhere(database, place, "localhost") == 2, "what is elsewhere depends on where we are"


@pytest.mark.parametrize("like", [f"x{HERE}", f"{HERE}.", HERE.upper(), HERE.replace(".", "_"), "%", ""])
def test_a_name_that_is_only_like_it_is_another(database: Database, place: Place, like: str) -> None:
    register(database, add_staff(database, place), b"1", like)
    assert elsewhere(database, place) == 1
    assert elsewhere(database, place, like) == 0


def test_those_of_another_owner_are_not_counted(database: Database, place: Place, neighbour: Place) -> None:
    register(database, add_staff(database, neighbour), b"1", "localhost")
    assert (elsewhere(database, place), elsewhere(database, neighbour)) == (0, 1)


def test_those_that_were_forgotten_are_not_counted(database: Database, place: Place) -> None:
    ola = add_staff(database, place)
    register(database, ola, b"1", "localhost")
    with database.write() as session:
        assert passkeys.forget_all(session, ola) == 1
    assert elsewhere(database, place) == 0
