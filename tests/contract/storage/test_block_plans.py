"""What asks for blocked devices on SQLite reads blocks, and not every device of the owner: the enforcer, the jobs and
the help desk ask it all the time.
"""

from __future__ import annotations

from sqlalchemy import Connection, event

from gateway.storage import blocks
from gateway.storage.engine import Database
from gateway.storage.places import Place
from tests.contract.storage.records import MAC, NOW


def test_no_question_walks_all_devices(database: Database, place: Place) -> None:
    plans: list[str] = []

    def explain(connection: Connection, _cursor: object, statement: str, parameters: object, *_other: object) -> None:
        if "device_block" in statement and database.is_sqlite:
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.write() as session:
        assert blocks.of_gateway(session, place.gateway_id, NOW) == []
        assert blocks.in_force(session, place.owner_id, NOW) == []
        assert blocks.among(session, place.owner_id, [MAC], NOW) == frozenset()
        assert blocks.forget_ended(session, place.owner_id, NOW) == 0
    assert bool(plans) == database.is_sqlite
    assert not [plan for plan in plans if plan.endswith("(owner_id=?)") or plan == "SCAN device"]
