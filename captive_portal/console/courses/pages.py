"""Routes of courses and of what hosts answer."""

from __future__ import annotations

from captive_portal.console.courses import form as course_form
from captive_portal.console.courses import openings, posters
from captive_portal.console.courses import rooms as courses
from captive_portal.console.courses.host_answers import HostAnswers
from captive_portal.console.courses.requests import RequestPages
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Page
from gateway.context import Services


def pages(services: Services, snapshot: SnapshotReader) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    answers, requests = HostAnswers(services.settings), RequestPages(snapshot)
    request = "/courses/{course}/requests/{request}"
    return (
        Page("GET", "/host/{token}", "public", answers.show, "read"),
        Page("POST", "/host/{token}", "public", answers.answer, "write"),
        Page("GET", "/courses", "host", courses.show, "read"),
        Page("GET", "/courses/new", "host", course_form.new, "read"),
        Page("POST", "/courses/new", "host", course_form.add, "write"),
        Page("GET", "/courses/{course}", "host", courses.one, "read"),
        Page("GET", "/courses/{course}/edit", "host", course_form.edit, "read"),
        Page("POST", "/courses/{course}/edit", "host", course_form.change, "write"),
        Page("GET", "/courses/{course}/end", "host", courses.ask_end, "read"),
        Page("POST", "/courses/{course}/end", "host", courses.end, "write"),
        Page("GET", request, "host", requests.show, "read"),
        Page("POST", f"{request}/grant", "host", requests.grant, "write"),
        Page("POST", f"{request}/decline", "host", requests.decline, "write"),
        Page("POST", f"{request}/pass-on", "host", requests.pass_on, "write"),
        Page("GET", "/courses/{course}/open", "host", openings.ask, "read"),
        Page("POST", "/courses/{course}/open", "host", openings.open_, "write"),
        Page("POST", "/courses/{course}/openings/{opening}/close", "host", openings.close, "write"),
        Page("GET", "/courses/{course}/poster", "host", posters.poster, "read"),
        Page("GET", "/courses/{course}/slide", "host", posters.slide, "read"),
    )
