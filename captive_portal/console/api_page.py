"""What programs can do: the OpenAPI document as a page that is read without the internet and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from captive_portal.auth.accounts import console_url
from captive_portal.console.entry.tokens import ROOMS
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit

WHO = {
    "it": N_("IT"),
    "auditor": N_("auditors and IT"),
    "host": N_("hosts and IT"),
    "staff": N_("everybody with an account"),
}
ANY = "api"


@dataclass(frozen=True)
class Shown:
    """A call as the page shows it. `bodies` are what is asked and answered, as JSON."""

    method: str
    path: str
    summary: str
    permission: str
    scope: str
    parameters: tuple[Mapping[str, Any], ...]
    curl: str
    asked: str
    answered: str
    statuses: str

    @property
    def anchor(self) -> str:
        """What links to the call name it by."""
        return re.sub(r"[^a-z]+", "-", f"{self.method} {self.path}".lower()).strip("-")


class ApiPage:
    """The page, of the document that `built` makes when it is first asked for; `permissions` are by method and path."""

    def __init__(self, built: Callable[[], Mapping[str, Any]], permissions: Mapping[tuple[str, str], str]) -> None:
        self._built, self._permissions = built, permissions

    def show(self, visit: Visit) -> Response:
        """GET /api"""
        document, address = self._built(), console_url(visit.services.settings.console)
        rooms: dict[str, list[Shown]] = {}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                permission = self._permissions[method.upper(), path]
                shown = _shown(method.upper(), path, operation, permission, address)
                rooms.setdefault(operation["tags"][0], []).append(shown)
        return visit.page("api.html", rooms=rooms, names={**ROOMS, ANY: N_("Every token")}, who=WHO, address=address)


def _shown(method: str, path: str, operation: Mapping[str, Any], permission: str, address: str) -> Shown:
    asked = _example(operation.get("requestBody", {}))
    answers = operation["responses"]
    good = next(status for status in answers if status < "400")
    return Shown(
        method,
        path,
        operation["summary"],
        permission,
        " ".join(operation["security"][0]["token"]),
        tuple(operation["parameters"]),
        _curl(method, path, operation, asked, address),
        asked,
        _example(answers[good]),
        ", ".join(answers),
    )


def _curl(method: str, path: str, operation: Mapping[str, Any], asked: str, address: str) -> str:
    """The call as one types it, with the examples of the document for what it needs."""
    filled, query = path, []
    lines = ['-H "Authorization: Bearer $TOKEN"']
    for each in operation["parameters"]:
        if each["in"] == "path":
            filled = filled.replace(f"{{{each['name']}}}", str(each["example"]))
        elif each["in"] == "query" and each["required"]:
            query.append(f"{each['name']}={(each['schema'].get('examples') or ['…'])[0]}")
        elif each["in"] == "header" and each["required"]:
            lines.append(f"-H '{each['name']}: {each['example']}'")
    if method != "GET":
        lines.insert(0, f"-X {method}")
    if asked:
        lines += ["-H 'Content-Type: application/json'", f"-d '{_one_line(asked)}'"]
    url = f"{address}{filled}" + (f"?{'&'.join(query)}" if query else "")
    return "curl " + " \\\n  ".join([*lines, f"'{url}'"])


def _one_line(asked: str) -> str:
    """The body of an example, short enough to type; a long one is a file."""
    text = json.dumps(json.loads(asked), ensure_ascii=False).replace("'", "'\\''")
    return text if len(text) < 300 else "@body.json"


def _example(described: Mapping[str, Any]) -> str:
    for content in described.get("content", {}).values():
        if "example" in content:
            return json.dumps(content["example"], ensure_ascii=False, indent=2)
    return ""
