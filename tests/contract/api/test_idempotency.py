"""A call that is sent again is not done again, on each database: the answer is the first one, byte for byte."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from captive_portal.api import calls, courses, idempotency
from captive_portal.api.idempotency import read_key
from captive_portal.auth import accounts, api_tokens
from captive_portal.console.look import Look
from captive_portal.console.route import Call
from captive_portal.console_app import create_app
from gateway.access.retention import Retention
from gateway.audit.erasing import erase_leaves
from gateway.context import Services
from gateway.lists import generations
from gateway.storage import kept_answers, staff
from gateway.storage.api_models import KeptAnswer
from gateway.storage.course_models import Course
from gateway.storage.log_models import StagedLeaf
from tests.conftest import StoppedClock
from tests.unit.console.conftest import HASH, Browser

COURSES = "/api/v1/courses"


@dataclass
class Program:
    """A program with a token of an IT account's."""

    services: Services
    browser: Browser
    token: str

    def send(self, key: str, body: dict[str, Any], path: str = COURSES, method: str = "POST") -> Any:
        headers = {"authorization": f"Bearer {self.token}", **({"idempotency-key": key} if key else {})}
        return self.browser.request(method, path, json=body, headers=headers)

    def count(self, table: type[Any]) -> int:
        with self.services.database.read() as session:
            return int(session.query(table).count())


def token_of(services: Services, username: str, now: Any) -> str:
    place = services.place
    with services.database.write() as session:
        link = accounts.add_account(session, place, username, "it", now)
        assert accounts.redeem(session, place, link.token, username, HASH, now) == "done"
        account = staff.by_username(session, place.owner_id, username)
        assert account is not None
        made = api_tokens.make(session, place, account.id, "test", api_tokens.SCOPES, now + timedelta(days=30), now)
    assert isinstance(made, api_tokens.Made)
    return made.secret


@pytest.fixture
def program(services: Services, clock: StoppedClock) -> Program:
    with services.database.write() as session:
        if generations.has_draft(session, services.place):
            generations.publish(session, services.place, "it", "", clock())
    return Program(services, Browser(create_app(services), "192.0.2.9"), token_of(services, "kari", clock()))


def course(clock: StoppedClock, title: str = "Kurs", **more: Any) -> dict[str, Any]:
    begins = clock() + timedelta(hours=2)
    times = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=3)).isoformat()}
    return {"title": title, "unit": "Skole", **times, **more}


KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=40)
WISHES = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Kurs", "Regneark", "", "x" * 121]),
        "max_devices": st.sampled_from([1, 60, 1000]),
        "group": st.sampled_from(["default", "none"]),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS, wish=WISHES, other=WISHES)
def test_a_replay_equals_the_first_answer_and_changes_nothing(
    program: Program, clock: StoppedClock, key: str, wish: dict[str, Any], other: dict[str, Any]
) -> None:
    with program.services.database.write() as session:
        session.query(KeptAnswer).delete()  # an earlier example may have had the key
    asked = course(clock, **wish)
    first = program.send(key, asked)
    after = program.count(Course), program.count(StagedLeaf)
    again = program.send(f'"{key}"', asked)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers.get("location") == first.headers.get("location")
    assert again.headers["idempotent-replayed"] == "true"
    assert (first.status_code == 201) == (wish["title"] in ("Kurs", "Regneark") and wish["group"] == "default")
    if other != wish:
        reused = program.send(key, course(clock, **other))
        assert (reused.status_code, reused.json()["type"]) == (422, "urn:gjestenett:problem:key-reused")
    assert (program.count(Course), program.count(StagedLeaf)) == after


def test_without_a_key_it_is_done_each_time_and_another_key_or_person_is_another_call(
    program: Program, clock: StoppedClock
) -> None:
    asked = course(clock)
    assert [program.send("", asked).status_code for _ in range(2)] == [201, 201]
    assert program.send("a", asked).status_code == 201
    assert program.send("b", asked).status_code == 201
    other = Program(program.services, program.browser, token_of(program.services, "ola", clock()))
    assert "idempotent-replayed" not in other.send("a", asked).headers
    assert program.count(Course) == 5
    reused = program.send("a", {}, "/api/v1/lists/refresh-all")
    assert (reused.status_code, reused.json()["type"]) == (422, "urn:gjestenett:problem:key-reused")


def test_after_a_day_the_key_is_forgotten_and_the_answer_deleted(program: Program, clock: StoppedClock) -> None:
    assert program.send("a", course(clock)).status_code == 201
    clock.advance(timedelta(hours=23, minutes=59))
    retention = Retention(program.services.database, program.services.place, program.services.settings, clock)
    retention.poll()
    assert program.count(KeptAnswer) == 1
    clock.advance(timedelta(minutes=1))
    assert program.send("a", course(clock)).status_code == 201
    assert (program.count(Course), program.count(KeptAnswer)) == (2, 1)
    clock.advance(timedelta(days=1))
    Retention(program.services.database, program.services.place, program.services.settings, clock).poll()
    assert program.count(KeptAnswer) == 0


def test_who_is_erased_stands_in_no_kept_answer(program: Program, clock: StoppedClock) -> None:
    assert program.send("a", course(clock)).status_code == 201
    with program.services.database.write() as session:
        erase_leaves(session, program.services.place, [], "request", clock())
    assert program.count(KeptAnswer) == 0


def test_what_is_refused_leaves_nothing_behind(program: Program, clock: StoppedClock) -> None:
    before = program.count(StagedLeaf)
    assert program.send("a", course(clock, group="none")).status_code == 422
    assert (program.count(Course), program.count(StagedLeaf), program.count(KeptAnswer)) == (0, before, 1)


def test_a_refusal_of_the_moment_is_not_kept(program: Program, services: Services) -> None:
    statuses = iter((409, 429, 500, 200))

    def moody(_visit: Any) -> JSONResponse:
        return JSONResponse({}, next(statuses))

    call = Call("POST", "/api/v1/moody", "it", moody, "write", None, None, "Moody")
    browser = Browser(Starlette(routes=calls.routes([call], services, Look())), "192.0.2.9")
    headers = {"authorization": f"Bearer {program.token}", "idempotency-key": "k"}
    answers = [browser.post("/api/v1/moody", headers=headers).status_code for _ in range(5)]
    assert answers == [409, 429, 500, 200, 200]
    assert program.count(KeptAnswer) == 1


def test_a_call_under_way_is_409_in_this_process_and_in_another(
    program: Program, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = courses.form.added

    def slow(*arguments: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return real(*arguments)

    monkeypatch.setattr(courses.form, "added", slow)
    asked, answers = course(clock), []
    first = threading.Thread(target=lambda: answers.append(program.send("a", asked)))
    first.start()
    assert inside.wait(30)
    second = program.send("a", asked)
    assert (second.status_code, second.json()["type"]) == (409, "urn:gjestenett:problem:key-in-use")
    if not program.services.database.is_sqlite:  # there, another process waits for its turn to write
        elsewhere = Program(program.services, Browser(create_app(program.services), "192.0.2.10"), program.token)
        third = elsewhere.send("a", asked)
        assert (third.status_code, third.json()["type"]) == (409, "urn:gjestenett:problem:key-in-use")
    go_on.set()
    first.join()
    assert answers[0].status_code == 201
    assert program.send("a", asked).content == answers[0].content
    assert program.count(Course) == 1


def test_many_at_once_make_one(program: Program, clock: StoppedClock) -> None:
    asked, answers = course(clock), []
    threads = [threading.Thread(target=lambda: answers.append(program.send("a", asked))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert program.count(Course) == 1


def test_a_change_whose_answer_can_not_be_kept_is_not_made(
    program: Program, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(idempotency.kept_answers, "keep", fail)
    assert program.send("a", course(clock)).status_code == 500
    assert program.count(Course) == 0


@pytest.mark.parametrize("key", ["", '""', "a b", '"a', "æ", "x" * 256, '"' + "x" * 256 + '"'])
def test_what_is_no_key_is_told_so(key: str) -> None:
    assert read_key(key) is None


@pytest.mark.parametrize(("header", "key"), [("a", "a"), ('"a b"', "a b"), ('  "x"  ', "x"), ("x" * 255, "x" * 255)])
def test_keys_are_read_with_quotation_marks_and_without(header: str, key: str) -> None:
    assert read_key(header) == key


def test_a_change_that_the_database_refuses_is_told_and_rolled_back(
    program: Program, clock: StoppedClock, services: Services
) -> None:
    def twice(visit: Any) -> JSONResponse:
        kept_answers.keep(
            visit.session, "nobody", "k", asked_sha256="", status=200, headers="{}", body=b"", now=visit.now
        )
        return JSONResponse({})

    call = Call("POST", "/api/v1/broken", "it", twice, "write", None, None, "Broken")
    routes = calls.routes([call], services, Look())
    browser = Browser(Starlette(routes=routes), "192.0.2.9")
    answer = browser.post("/api/v1/broken", headers={"authorization": f"Bearer {program.token}"})
    assert (answer.status_code, answer.json()["detail"]) == (
        409, "somebody else changed this at the same moment: try again",
    )  # fmt: skip
    assert program.count(KeptAnswer) == 0
