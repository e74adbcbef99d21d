"""Schemathesis over the whole of the API: whatever is sent, no call fails, and each answers as its document says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from secrets import token_hex

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from captive_portal.api.examples import BY_NAME
from captive_portal.auth import api_tokens
from gateway.access import blocking, exemption_requests
from gateway.access.course_openings import open_category, openings, policy_in_force
from gateway.access.course_plan import Wish
from gateway.access.courses import add
from gateway.audit.periods import parse_period
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.settings import Settings
from gateway.storage import checkpoints, outages, rules, staff
from gateway.storage.models import Acceptance
from gateway.terms import drafting, proposing
from gateway.terms.draft import Draft
from policies.snapshot import NamedList
from tests.unit.console.conftest import World
from tests.unit.console.test_courses import join
from tests.unit.console.test_rules_writing import PRIVACY

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
LISTS = (NamedList("test/gaming", "gaming", "0" * 64, ("game.example",)),)
EXAMPLES = 5


@pytest.fixture
def world(tmp_path):
    """As everywhere, with what guests are told of their data."""
    made = World(Settings(state=tmp_path, privacy=PRIVACY))
    yield made
    made.services.database.close()


@pytest.fixture
def busy(world):
    """A console on which every kind of thing that calls name is there; `known` are their names, by parameter."""
    world.publish_all()
    place, services = world.services.place, world.services
    with services.database.write() as session:
        listed = draft_edits.with_host_categories(generations.draft(session, place), ["gaming", "dating"])
        generations.save_draft(session, place, listed, world.now)
        generations.publish(session, place, "it", "", world.now)
    with services.database.read() as session:
        publish(world.settings.state, compile_policy(generations.draft(session, place), 2, lists=LISTS))
    grants = [world.accepted(f"Gjest {number}", f"02:00:00:00:00:0{number}").grant_id for number in range(1, 4)]
    world.seal()
    with services.database.write() as session:
        wish = Wish("Kurs", "Skole", world.now, world.now + timedelta(hours=5), "default", 20)
        course = add(session, place, wish, ["default"], by="it", now=world.now)
        blocked = blocking.Wish("02:00:5e:10:00:09", "spam")
        blocking.block(
            session, place, blocked, keep=parse_period(world.settings.privacy.acceptances), by="it", now=world.now
        )
        [network] = outages.networks(session, place.owner_id, world.now)
    join(world, course.code, 4)
    with services.database.write() as session:
        guest = Neighbour("lo", "02:00:00:00:00:04")
        wanted = [exemption_requests.Wanted(name, ("gaming",), "kurs") for name in ("game.example", "a.game.example")]
        requests = [exemption_requests.ask(session, place, guest, each, world.now).request_id for each in wanted]
        open_category(session, place, course.id, "dating", 1, reason="kurs", by="vert", now=world.now)
        [opening] = openings(policy_in_force(session, place.owner_id), course, world.now)
    world.account("kari", "it")
    world.account("vert", "host", unit="Skole")
    world.account("ola", "it")
    tokens = [made(world, "kari") for _ in range(2)]
    with services.database.read() as session:
        [version] = rules.versions(session, place.owner_id)
        host, ola = (staff.by_username(session, place.owner_id, name) for name in ("vert", "ola"))
        [acceptance, *_] = session.query(Acceptance)
        [checkpoint, *_] = checkpoints.newest(session, place.owner_id, below=None, limit=1)
    with services.database.write() as session:
        written = Draft({"nb": "# Regler\n\nNye."}, "2", "nb")
        draft = drafting.keep(session, place, "", written, "", "ola", world.now)
        proposal = proposing.propose(
            session, place, "", draft.edition, languages=("nb",), choice=drafting.Choice(),
            by=proposing.Person(ola.id, "ola"), now=world.now,
        )  # fmt: skip
    world.known = {
        "grant": grants, "course": [course.id], "request": requests, "token": [tokens[1].row.id],
        "group": ["default", "-"], "category": ["gaming", "dating"], "generation": ["1"], "version": [version.id],
        "index": ["0", "2"], "size": [str(checkpoint.size)], "name": ["game.example"], "username": ["kari"],
        "mac": ["02:00:5e:10:00:09"], "network": [network.id], "opening": [opening.id], "account": [host.id],
        "acceptance": [acceptance.id], "sha256": [proposal.sha256],
        "until": [(world.now + timedelta(hours=1)).isoformat()],
        "setting": ["owner.helpdesk_hours", "courses.host_groups"], "old": [version.id], "new": [version.id],
    }  # fmt: skip
    world.token = tokens[0].secret
    return world


def made(world: World, username: str) -> api_tokens.Made:
    """A token that may do all that its account may."""
    place = world.services.place
    with world.services.database.write() as session:
        account = staff.by_username(session, place.owner_id, username)
        ends = world.now + timedelta(days=300)
        scopes = api_tokens.scopes_of(account.role)
        token = api_tokens.make(session, place, account.id, token_hex(4), scopes, ends, world.now)
    assert isinstance(token, api_tokens.Made)
    return token


def reachable(document: dict, known: dict[str, list[str]]) -> dict:
    """The document with parameters that also are names of what is there, so that calls get beyond 404 and 412."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                named = parameter["in"] == "path" or parameter["name"] in ("old", "new")
                wanted = known.get(parameter["name"]) if named else None
                if parameter["name"] == "If-Match":
                    wanted = ["*"]
                if wanted:
                    parameter["schema"] = {"anyOf": [{"enum": wanted}, parameter["schema"]]}
    return document


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_call_fails_and_all_answer_as_the_document_says(busy):
    console = busy.browser("192.0.2.9")
    console.headers = {"authorization": f"Bearer {busy.token}"}
    document = console.get("/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(reachable(document, busy.known))
    called: dict[str, set[int]] = {}
    failed: list[str] = []

    def run(operation, mode: GenerationMode) -> None:
        strategy = operation.as_strategy(generation_mode=mode)

        @hypothesis.seed(7)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=strategy)
        def send(case) -> None:
            sent(operation, case)

        send()

    def sent(operation, case) -> None:
        asked = case.as_transport_kwargs(base_url="https://console.test:8081")
        given = {name: value for name, value in asked.pop("headers", {}).items() if name.lower() != "authorization"}
        answer = console.request(asked["method"], asked["url"], headers=given, **kept(asked))
        answer.elapsed = timedelta(0)
        case.validate_response(answer, checks=CHECKS)
        called.setdefault(operation.label, set()).add(answer.status_code)

    for result in sorted(schema.get_all_operations(), key=lambda each: when(each.ok())):
        with told(failed, result.ok().label):
            sent(result.ok(), shown(result.ok(), document, busy.known))
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with told(failed, result.ok().label):
                try:
                    run(result.ok(), mode)
                except hypothesis.errors.Unsatisfiable:
                    assert mode == GenerationMode.NEGATIVE, result.ok().label  # there is no way to ask it wrongly
    assert failed == []
    assert called.keys() == {
        f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations
    }
    worked = {label for label, statuses in called.items() if any(status < 300 for status in statuses)}
    assert len(worked) > 0.75 * len(called), sorted(called.keys() - worked)
    assert all(status != 401 for statuses in called.values() for status in statuses)


TAKES_AWAY = ("/publish", "/rollback", "/end", "/suspend", "/reset", "/approve", "/decline")


def when(operation) -> tuple[bool, int]:
    """Where the call stands in the run: what takes away what others need comes last, the innermost of it first."""
    if operation.method.upper() != "DELETE" and not operation.path.endswith(TAKES_AWAY):
        return False, 0
    return True, -operation.path.count("/")


@contextmanager
def told(failed: list[str], label: str) -> Iterator[None]:
    """Go on after what does not conform, so that one run tells of all calls."""
    try:
        yield
    except (FailureGroup, Failure) as failure:
        failed.append(f"{label}: {getattr(failure, 'exceptions', [failure])}")


def shown(operation, document: dict, known: dict[str, list[str]]):
    """The call with the example of the document, on what is there."""
    described = document["paths"][operation.path][operation.method.lower()]
    which = -1 if operation.path.startswith(("/api/v1/rules/", "/api/v1/exemptions/")) else 0
    given = {
        part: {
            each["name"]: known.get(each["name"], [each.get("example")])[which]
            if part == "path" or each["name"] in ("old", "new")
            else (each["schema"].get("examples") or [BY_NAME.get(each["name"])])[0]
            for each in described["parameters"]
            if each["in"] == part and each["required"]
        }
        for part in ("path", "query")
    }  # fmt: skip
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if isinstance(body, dict) and "until" in body:
        body = body | {"until": known["until"][0]}
    edition = f'"{known["sha256"][0]}"' if "/proposals/" in operation.path else "*"
    headers = {"If-Match": edition} if any(each["name"] == "If-Match" for each in described["parameters"]) else {}
    return operation.Case(
        path_parameters=given["path"], query=given["query"], headers=headers,
        **({"body": body, "media_type": "application/json"} if body is not None else {}),
    )  # fmt: skip


def kept(asked: dict) -> dict:
    """What httpx takes of the arguments that were made for `requests`."""
    names = {"data": "content", "json": "json", "params": "params"}
    found = {names[name]: value for name, value in asked.items() if name in names and value is not None}
    if isinstance(found.get("content"), dict | list):
        found["data"] = found.pop("content")
    return found


def test_the_document_names_its_models_plainly_and_its_examples_are_right(busy):
    import jsonschema_rs

    console = busy.browser("192.0.2.9")
    console.headers = {"authorization": f"Bearer {busy.token}"}
    document = console.get("/api/v1/openapi.json").json()
    names = document["components"]["schemas"]
    assert [name for name in names if "__" in name or re.search("-(In|Out)put$", name)] == []
    identifiers = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(identifiers) == len(set(identifiers)) > 110
    shown = 0
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (each for body in bodies for each in body.get("content", {}).values()):
                if "example" in content:
                    shown += 1
                    schema = content["schema"] | {"components": document["components"]}
                    jsonschema_rs.validator_for(schema).validate(content["example"])
    assert shown > 110
