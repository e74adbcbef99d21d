"""Every page of the console that guides have a picture of: how it is reached and what it is called.

A route without a parameter in its path is pictured as it is, under the name that its path makes. One with a parameter
has its way here, and what is no page for people stands in `NOT_PICTURED`; `tests/docs/test_console_guides.py` names
a route that is in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from captive_portal.console.route import Page as Route
from gateway.storage import passkeys, staff

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

    from tests.browser.filled_console import Filled

NOT_PICTURED: Collection[str] = frozenset(
    {
        "/overview/now",  # what the first page fetches
        "/healthz", "/readyz", "/metrics", "/static/{name:path}",  # for programs
        "/log/{index}/proof", "/log/{index}/entry", "/checkpoints/{size}",  # files
        "/acceptances/exports/{key}/{file}",
        "/sign-in/oidc", "/sign-in/oidc/done", "/sign-in/oidc/leave",  # lead to the provider and back
        "/sign-in/passkey", "/sign-in/code/passkey",  # what a script fetches
    }
)  # fmt: skip
AUDITORS = (
    "/acceptances",
    "/log",
    "/policy-then",
    "/checkpoints",
    "/exports",
    "/account/recovery-codes",
    "/account/passkeys",
)
"""Pictured as the auditor, who has an authenticator, sees them; what else staff may see is pictured as IT does."""
MOST_USED = ("helpdesk", "devices", "policy", "exemptions", "courses", "acceptances", "rules")
"""Pictured in bokmål and nynorsk too, on a phone in the dark."""
BESIDE = ("first-steps", "verify-html")
"""Pictures of no room of their own: the first page of a new installation, and a verdict outside the console."""


@dataclass(frozen=True)
class Way:
    """How a room with a parameter is reached in the filled state: its path there, and what is done on it before."""

    path: Callable[[Filled], str]
    then: Callable[[Page, Filled], None] | None = None

    def reach(self, page: Page, url: str, filled: Filled) -> Response | None:
        """Bring `page` there, at a console at `url`."""
        path = self.path(filled)
        answer = page.goto(path if path.startswith("https:") else f"{url}{path}")
        if self.then is not None:
            self.then(page, filled)
        return answer


def _on_the_code(page: Page, filled: Filled) -> None:
    from tests.browser.filled_console import OTHER_IT
    from tests.browser.test_console import PASSWORD

    page.locator("#username").fill(OTHER_IT)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").first.click()
    page.locator("#code").wait_for()


def _account(action: str) -> Callable[[Filled], str]:
    """The path of a page about the account of somebody else of IT."""

    def path(filled: Filled) -> str:
        from tests.browser.filled_console import OTHER_IT

        with filled.services.database.read() as session:
            found = staff.by_username(session, filled.place.owner_id, OTHER_IT)
        assert found is not None
        return f"/staff/{found.id}{action}"

    return path


def _passkey(filled: Filled) -> str:
    from tests.browser.filled_console import AUDITOR

    with filled.services.database.read() as session:
        found = staff.by_username(session, filled.place.owner_id, AUDITOR)
        assert found is not None
        return f"/account/passkeys/{passkeys.of_staff(session, found.id)[0].id}/remove"


def _export(page: Page, filled: Filled) -> None:
    page.locator("#reason").fill("Revisjon 2026, sak 26/112")
    page.locator("form[action='/acceptances/export'] button").click()
    page.locator("a[download]").first.wait_for()


def _as_installed(page: Page, filled: Filled) -> None:
    """Show files where an installation has them, not in the folder that was made for the pictures."""
    page.locator("h1").wait_for()
    replace = "(e, [from, to]) => e.forEach((each) => { each.textContent = each.textContent.replaceAll(from, to); })"
    page.locator("code.wrap").evaluate_all(replace, [str(filled.folder), "/var/lib/gjestenett"])


def _to_the_switch(page: Page, filled: Filled) -> None:
    page.locator("a[href$='/switch']").first.click()
    page.wait_for_url("**/switch")


WAYS: Mapping[str, Way] = {
    "/setup/{token}": Way(lambda filled: filled.setup_link),
    "/host/{token}": Way(lambda filled: filled.host_link),
    "/devices/{grant}/end": Way(lambda filled: f"/devices/{filled.grant}/end"),
    "/devices/{grant}/extend": Way(lambda filled: f"/devices/{filled.grant}/extend"),
    "/network/{network}/switch": Way(lambda filled: "/network", _to_the_switch),
    "/courses/{course}": Way(lambda filled: f"/courses/{filled.course}"),
    "/courses/{course}/edit": Way(lambda filled: f"/courses/{filled.course}/edit"),
    "/courses/{course}/end": Way(lambda filled: f"/courses/{filled.course}/end"),
    "/courses/{course}/open": Way(lambda filled: f"/courses/{filled.course}/open"),
    "/courses/{course}/requests/{request}": Way(
        lambda filled: f"/courses/{filled.course}/requests/{filled.course_request}"
    ),
    "/courses/{course}/poster": Way(lambda filled: f"/courses/{filled.course}/poster"),
    "/courses/{course}/slide": Way(lambda filled: f"/courses/{filled.course}/slide"),
    "/exemptions/{request}": Way(lambda filled: f"/exemptions/{filled.request}"),
    "/policy/groups/{key}": Way(lambda filled: "/policy/groups/course"),
    "/policy/groups/{key}/remove": Way(lambda filled: "/policy/groups/course/remove"),
    "/policy/groups/{key}/hours/{category}": Way(lambda filled: "/policy/groups/course/hours/streaming"),
    "/policy/rollback/{generation}": Way(lambda filled: "/policy/rollback/3"),
    "/lists/source/{key}": Way(lambda filled: "/lists/source/kommunens-gaming"),
    "/lists/source/{key}/remove": Way(lambda filled: "/lists/source/kommunens-gaming/remove"),
    **{f"/staff/{{id}}{action}": Way(_account(action)) for action in ("", "/suspend", "/reset", "/second-factor")},
    "/account/passkeys/{id}/remove": Way(_passkey),
    "/rules/{group}/edit": Way(lambda filled: "/rules/-/edit"),
    "/rules/{group}/preview": Way(lambda filled: "/rules/-/preview?text=nb"),
    "/rules/{group}/publish": Way(lambda filled: "/rules/-/publish"),
    "/rules/{group}/discard": Way(lambda filled: "/rules/-/discard"),
    "/rules/{group}/proposal": Way(lambda filled: "/rules/library/proposal"),
    "/rules/versions/{version}/withdraw": Way(lambda filled: f"/rules/versions/{filled.coming}/withdraw"),
    "/acceptances/{id}": Way(lambda filled: f"/acceptances/{filled.acceptance}"),
    "/log/{index}": Way(lambda filled: "/log/3"),
    "/acceptances/exports/{key}": Way(lambda filled: "/acceptances/export", _export),
}
BEFORE: Mapping[str, Way] = {
    "/devices/block": Way(lambda filled: "/devices/block?mac=02:00:5e:10:a3:2a"),
    "/devices/end": Way(lambda filled: f"/devices/end?course={filled.course}"),
    "/sign-in/code": Way(lambda filled: "/sign-in", _on_the_code),
    "/helpdesk": Way(lambda filled: "/helpdesk?device=a330"),
    "/try": Way(lambda filled: "/try?name=www.spillborg.example"),
    "/settings/started": Way(lambda filled: "/settings/started", _as_installed),
    "/policy/compare": Way(lambda filled: "/policy/compare?from=2&to=6"),
    "/policy-then": Way(lambda filled: f"/policy-then?at={filled.ago(days=10):%Y-%m-%dT12:00}"),
}
"""Rooms without a parameter that say more when something is asked of them."""


def pictured(routes: Iterable[Route]) -> dict[str, Route]:
    """The routes that a picture is taken of, by what it is called."""
    return {
        name_of(route.path): route
        for route in routes
        if route.method == "GET" and route.path not in NOT_PICTURED and ("{" not in route.path or route.path in WAYS)
    }


def without_a_way(routes: Iterable[Route]) -> list[str]:
    """The paths with a parameter that nobody has said how to reach."""
    return sorted(
        route.path
        for route in routes
        if route.method == "GET" and "{" in route.path and route.path not in WAYS and route.path not in NOT_PICTURED
    )


def gone(routes: Iterable[Route]) -> list[str]:
    """What is listed here and is no route any more; those of a provider exist only where one is set."""
    there = {route.path for route in routes}
    listed = {*WAYS, *BEFORE, *NOT_PICTURED}
    return sorted(path for path in listed - there if not path.startswith("/sign-in/oidc"))


def name_of(path: str) -> str:
    """What the picture of a route is called: `/policy/groups/{key}` → `policy-groups-key`."""
    kept = "".join(each if each.isalnum() else " " for each in path.replace("{token}", ""))
    return "-".join(kept.split()) or "overview"


def way(route: Route) -> Way:
    """How a room is reached."""
    return WAYS.get(route.path) or BEFORE.get(route.path) or Way(lambda filled: route.path)


def who(route: Route) -> str | None:
    """As whom a room is pictured: `it`, `auditor`, or nobody who has signed in."""
    if route.permission == "public":
        return None
    return "auditor" if route.path.startswith(AUDITORS) else "it"
