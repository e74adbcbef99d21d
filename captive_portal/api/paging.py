"""Long answers in pages: `limit` and `cursor` in the query, `next` in the answer and in its Link header (RFC 8288)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from captive_portal.api.problems import problem
from captive_portal.console.tables import Shown
from captive_portal.console.visit import Visit
from gateway.storage.keyset import Part

LIMIT, MOST = 50, 200
CURSOR_MAX_CHARS = 500
Row = TypeVar("Row")
Key = tuple[str, ...]


class Asked(BaseModel):
    """Unknown keys are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Paged(Asked):
    """Which part of a long answer."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most.")] = LIMIT
    cursor: Annotated[
        str, Field(max_length=CURSOR_MAX_CHARS, description="Where to go on: of `next` in the page before.")
    ] = ""


class Page(BaseModel):
    """A part of a long answer; `next` is the address of the part after it, null in the last."""

    next: Annotated[str | None, Field(examples=["/api/v1/grants?cursor=WyIwMSJd&limit=50"])] = None


def read_cursor(visit: Visit, parts: int) -> Key | Response | None:
    """Where the page begins: what `page` was given as `key`; None at the start; 422 for a cursor that is none."""
    text = visit.asked.cursor
    if not text:
        return None
    try:
        found = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) != parts or not all(_is_text(each) for each in found):
        return no_cursor()
    return tuple(found)


def moment_place(after: Key | Response | None) -> tuple[datetime, str] | Response | None:
    """The place of a cursor that holds a moment, here in UTC, and an id, for lists that the database pages by both."""
    if after is None or isinstance(after, Response):
        return after
    try:
        moment = datetime.fromisoformat(after[0])
        return (moment.astimezone(UTC), after[1]) if moment.tzinfo is not None else no_cursor()
    except (ValueError, OverflowError):  # in UTC some of the first and the last hours that can be written are none
        return no_cursor()


def no_cursor() -> Response:
    """422: a cursor that no page gave."""
    wrong = "take it from `next` of the page before"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"cursor: {wrong}", {"cursor": wrong}, kind="unreadable")


def part(
    rows: Sequence[Row], visit: Visit, key: Callable[[Row], Key], *, parts: int = 1, newest_first: bool = False
) -> tuple[Sequence[Row], str | None] | Response:
    """The page of rows that are all at hand, and the address of the next one. They are ordered by `key`."""
    after = read_cursor(visit, parts)
    if isinstance(after, Response):
        return after
    ordered = sorted(rows, key=key, reverse=newest_first)
    if after is not None:
        ordered = [row for row in ordered if (key(row) < after if newest_first else key(row) > after)]
    limit = visit.asked.limit
    return ordered[:limit], address(visit, key(ordered[limit - 1])) if len(ordered) > limit else None


def following(visit: Visit, page: Part[Row], place: Callable[[Row], tuple[datetime | str, str]]) -> str | None:
    """The address of the page after one of the database's, whose rows stand in the order of `place`."""
    if page.is_last or not page.rows:
        return None
    value, own = place(page.rows[-1])
    return address(visit, (value.isoformat() if isinstance(value, datetime) else value, own))


def shown_after(visit: Visit, shown: Shown[Any]) -> str | None:
    """The address of the page after one of a console's table: its cursor is the place that the table's link names."""
    place = dict(parse_qsl(urlsplit(shown.after).query)).get("after", "")
    return address(visit, (place,)) if place else None


def address(visit: Visit, key: Key) -> str:
    """The address of the page after the row with this key."""
    cursor = urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).rstrip(b"=").decode("ascii")
    return f"{visit.path}?{urlencode({**visit.query, 'cursor': cursor, 'limit': str(visit.asked.limit)})}"


def answered(model: type[BaseModel], facts: object, *, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> Response:
    """Facts as the JSON that the model promises; a mismatch is a fault of ours. A page also says where the next is."""
    built = model.model_validate(facts)
    answer = Response(built.model_dump_json(by_alias=True), status, media_type="application/json")
    following = getattr(built, "next", None) if isinstance(built, Page) else None
    if following is not None:
        answer.headers["Link"] = f'<{following}>; rel="next"'
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer


def no_content() -> Response:
    """204: done, and there is nothing to say."""
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) < 200
