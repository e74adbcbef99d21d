"""The overview as data: warnings, figures over time, and how services, lists, copies and certificates stand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.checkpoints import Target
from captive_portal.api.paging import Asked, answered
from captive_portal.console.overview.accepted import AcceptedDays
from captive_portal.console.overview.room import accepted_a_day, refused_by_category
from captive_portal.console.overview.series import OTHERS, Table
from captive_portal.console.overview.standing import Gatherer, Heard, Standing
from captive_portal.console.overview.warnings import warnings
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.storage import checkpoints
from gateway.storage import overview as stored
from gateway.telemetry import Totals

ROOM = "overview"
NAMES = {"": "private", OTHERS: "others"}


class OverviewAsked(Asked):
    """For which time lookups that were refused are counted: 24 hours, by the hour, or 30 days, by the day."""

    period: Literal["day", "month"] = "day"


class WarnedOf(BaseModel):
    """What is wrong and what to do; `key` is for programs, `path` the console's page for it."""

    key: Annotated[str, Field(examples=["upstream"])]
    grave: Annotated[bool, Field(examples=[False])]
    text: Annotated[str, Field(examples=["A name server that DNS asks does not answer: 192.0.2.53."])]
    remedy: Annotated[str, Field(examples=["Check it, or take it out of dns.upstreams in the settings."])]
    path: Annotated[str, Field(examples=["/#upstreams"])]


class AcceptedDay(BaseModel):
    """Acceptances of a Norwegian day, which begins `at`."""

    at: datetime
    acceptances: int


class LogHead(BaseModel):
    """The newest checkpoint, null until there is one, and where copies of checkpoints go."""

    size: int | None
    signed_at: datetime | None
    targets: list[Target]


class Service(BaseModel):
    """A service or a gateway, and when it was last heard of (null: never)."""

    name: Annotated[str, Field(examples=["sealer"])]
    heard_at: datetime | None
    silent: Annotated[bool, Field(examples=[False])]


class OnlineNow(BaseModel):
    """How many devices have access in a group, of a course or (null) of none."""

    group: str
    course: Annotated[str | None, Field(examples=["019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3"])]
    title: str | None
    devices: int


class RefusedIn(BaseModel):
    """Name lookups that were refused in the hour or day that begins `at`, by category: the five most frequent of the
    period and all `others`; `it` was closed by name, and `private` would have led to a private address.
    """

    at: datetime
    refused: Annotated[dict[str, int], Field(examples=[{"gaming": 12, "others": 3}])]


class AskedServer(BaseModel):
    """A name server that DNS asks: how many of the DNS workers that know it hold it for up, and how long it lately took
    at most.
    """

    server: Annotated[str, Field(examples=["192.0.2.53:53"])]
    up: int
    workers: int
    rtt_s: Annotated[float, Field(examples=[0.012])]


class Operation(BaseModel):
    """What IT sees. While no gateway `drives_firewall`, what is ordered is kept, but lets nobody in and keeps nobody
    out. `dns_workers` is null while it is not known yet; `compiled` is the generation in front of DNS, null
    without any; `held_up`: devices with access that are not let through; `gateways` are there where there are several.
    """

    drives_firewall: Annotated[bool, Field(examples=[True])]
    online: list[OnlineNow]
    refused: list[RefusedIn]
    dns_workers: int | None
    servers: list[AskedServer]
    gateways: list[Service]
    generation: int
    published_at: datetime | None
    compiled: int | None
    lists_on: int
    lists_troubled: Annotated[list[str], Field(examples=[["own-list"]])]
    held_up: int
    requests_waiting: int
    portal_certificate_ends_at: datetime | None
    console_certificate_ends_at: datetime | None


class Overview(BaseModel):
    """How everything stands `at` this moment. `operation` is for IT, and null for auditors."""

    at: datetime
    warnings: list[WarnedOf]
    acceptances: list[AcceptedDay]
    log: LogHead
    services: list[Service]
    operation: Operation | None


class OverviewApi:
    """The call, over the compiled policy and what DNS workers reported."""

    def __init__(self, snapshot: SnapshotReader, dns: Totals) -> None:
        self._gatherer, self._accepted = Gatherer(snapshot, dns), AcceptedDays()

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        path = "/api/v1/overview"
        return (Call("GET", path, "auditor", self.show, "read", OverviewAsked, Overview, "How all stands", ROOM),)

    def show(self, visit: Visit) -> Response:
        """GET /api/v1/overview"""
        standing, role = self._gatherer.gather(visit), visit.member.role
        translate, accepted = visit.look.translator(visit.language), accepted_a_day(visit, self._accepted)
        facts = {
            "at": visit.now,
            "warnings": [
                {
                    "key": each.key,
                    "grave": each.is_grave,
                    "text": translate(each.text, **each.values),
                    "remedy": translate(each.remedy),
                    "path": each.path,
                }
                for each in warnings(standing.facts, role)
            ],
            "acceptances": [
                {"at": at, "acceptances": row[0]} for at, row in zip(accepted.moments, accepted.rows, strict=True)
            ],
            "log": _log(visit, standing),
            "services": [_heard(each) for each in standing.services if role == "it" or each.name == "sealer"],
            "operation": _operation(visit, standing) if role == "it" else None,
        }
        return answered(Overview, facts)


def _log(visit: Visit, standing: Standing) -> dict[str, Any]:
    found = checkpoints.newest(visit.session, visit.services.place.owner_id, below=None, limit=1)
    newest = found[0] if found else None
    return {
        "size": newest.size if newest is not None else None,
        "signed_at": newest.signed_at if newest is not None else None,
        "targets": [{name: getattr(each, name) for name in Target.model_fields} for each in standing.log.targets],
    }


def _operation(visit: Visit, standing: Standing) -> dict[str, Any]:
    facts = standing.facts
    online = stored.online(visit.session, visit.services.place.owner_id, visit.now)
    names = ("dns_workers", "generation", "published_at", "compiled", "lists_on", "held_up")
    return {name: getattr(facts, name) for name in names} | {
        "drives_firewall": facts.is_driven,
        "online": [
            {"group": each.group, "course": each.course_id, "title": each.course, "devices": each.devices}
            for each in online
        ],
        "refused": _refused(refused_by_category(visit, visit.asked.period)),
        "servers": [
            {name: getattr(each, name) for name in AskedServer.model_fields} for each in standing.dns.upstreams
        ],
        "gateways": [_heard(each) for each in standing.gateways],
        "lists_troubled": list(facts.lists_troubled),
        "requests_waiting": facts.requests,
        "portal_certificate_ends_at": facts.portal_ends,
        "console_certificate_ends_at": facts.console_ends,
    }


def _heard(each: Heard) -> dict[str, Any]:
    return {"name": each.name, "heard_at": each.at, "silent": each.is_silent}


def _refused(table: Table) -> list[dict[str, Any]]:
    columns = [NAMES.get(key, key) for key in table.columns]
    return [
        {"at": at, "refused": dict(zip(columns, row, strict=True))}
        for at, row in zip(table.moments, table.rows, strict=True)
    ]
