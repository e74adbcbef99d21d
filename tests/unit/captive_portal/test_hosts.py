"""A host's word on the guests' form: where it is needed, with the group's own rules, hours and fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.access import host_requests as access
from gateway.access.host_mail import message
from gateway.access.recognised import terms_of
from gateway.context import Services
from gateway.settings import GroupForm, Settings
from gateway.storage.course_models import HostRequest
from gateway.storage.models import Acceptance, Grant, Network
from gateway.terms.publish import short_texts
from tests.unit.captive_portal.test_group_rules import add_group, publish_for

HOST = "vert@nybo.example.no"
Hosted = Callable[..., Services]


@pytest.fixture
def hosted(gateway_services: Services) -> Hosted:
    """A gateway whose guest network belongs to `group`, where a host is needed in the group `library`."""
    add_group(gateway_services, "library")

    def make(group: str = "library", **portal: Any) -> Services:
        with gateway_services.database.write() as session:
            session.scalars(select(Network).where(Network.interface == "guest0")).one().group_key = group
        settings: Settings = gateway_services.settings
        hosts = settings.hosts.model_copy(update={"groups": ("library",), "domains": ("nybo.example.no",)})
        sessions = settings.sessions.model_copy(update={"hours_by_group": {"library": 2.0}})
        settings = settings.model_copy(
            update={"hosts": hosts, "sessions": sessions, "portal": settings.portal.model_copy(update=portal)}
        )
        return Services(settings, gateway_services.database, gateway_services.place, gateway_services.clock)

    return make


def approve(services: Services) -> None:
    with services.database.write() as session:
        asked = session.scalars(select(HostRequest)).one()
        durations = terms_of(services.settings).durations
        done = access.answer(session, services.place, asked.id, "approved", durations=durations, now=services.clock())
        assert isinstance(done, access.Answered), done


def test_a_host_lets_in_under_the_groups_own_rules_and_for_its_hours(hosted: Hosted, make_guest: Any) -> None:
    services = hosted()
    version = publish_for(services, "library", short_texts(), "bibliotek 1")
    guest = make_guest(services)
    assert guest.accept(host_email=HOST).headers["location"] == "/waiting"
    assert "venter" in guest.http.get("/waiting").text.lower()
    approve(services)
    with services.database.read() as session:
        [acceptance], [grant] = session.query(Acceptance), session.query(Grant)
        assert (acceptance.rules_version_id, acceptance.identified_by) == (version.id, "host_approved")
        assert grant.ends_at - grant.starts_at == timedelta(hours=2)


def test_a_guest_who_is_asked_for_no_name_is_called_a_guest(hosted: Hosted, make_guest: Any) -> None:
    services = hosted()
    make_guest(services).accept(host_email=HOST)
    with services.database.read() as session:
        asked = session.scalars(select(HostRequest)).one()
    assert asked.name == ""
    said = message(asked, "Nybø", "gjest@nybo.example.no", "https://x.example/", services.clock()).get_content()
    for part in ("En gjest ber om", "Ein gjest bed om", "A guest asks for"):
        assert part in said


def test_where_no_host_is_needed_a_required_code_stays_required(hosted: Hosted, make_guest: Any) -> None:
    guest = make_guest(hosted("default", ask_course_code="required"))
    assert guest.accept().status_code == 422
    assert 'id="course_code"' in guest.http.get("/").text


def test_where_no_host_is_needed_no_code_is_asked_for(hosted: Hosted, make_guest: Any) -> None:
    assert 'id="course_code"' not in make_guest(hosted("default")).http.get("/").text


def test_where_a_host_is_needed_a_code_can_be_written_instead_and_the_notice_tells(
    hosted: Hosted, make_guest: Any
) -> None:
    guest = make_guest(hosted(ask_course_code="required"))
    assert 'id="course_code"' in guest.http.get("/").text
    assert "kurskoden" in guest.http.get("/privacy").text
    assert guest.accept(host_email=HOST).headers["location"] == "/waiting"


@pytest.mark.parametrize(("own", "asked"), [("no", False), ("optional", True), ("required", True)])
def test_a_group_says_itself_whether_a_code_is_asked_for(
    hosted: Hosted, make_guest: Any, own: Any, asked: bool
) -> None:
    form = GroupForm(ask_name="required", ask_course_code=own)
    for everybody in ("no", "required"):
        guest = make_guest(hosted("default", ask_course_code=everybody, groups={"default": form}))
        assert ('id="course_code"' in guest.http.get("/").text) is asked
        assert ("kurskoden" in guest.http.get("/privacy").text) is asked
        if own == "required":
            assert guest.accept().status_code == 422


def test_what_is_right_but_does_not_suffice_is_said_at_the_form(hosted: Hosted, make_guest: Any, clock: Any) -> None:
    """A receipt of a network that asked for nobody's name, used where a host is needed."""
    services = hosted("default")
    first = make_guest(services)
    first.accept()
    with services.database.read() as session:
        code = session.scalars(select(Acceptance.receipt_code)).one()
    clock.advance(timedelta(days=1))
    guest = make_guest(hosted("library"), "192.0.2.2")
    answer = guest.http.post("/add?lang=en", data={"token": guest.token("/add?lang=en"), "words": code})
    assert answer.headers["location"] == "/form?lang=en&more_asked=1"
    page = guest.http.get(answer.headers["location"]).text
    assert "What you wrote is right, but this network asks for more" in page
    assert "What you wrote" not in guest.http.get("/form?lang=en").text
