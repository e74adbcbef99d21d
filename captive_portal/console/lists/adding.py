"""Adding a list of one's own: by its address, or by a file. The file is kept as it came; the jobs service reads it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.lists.view import one_row
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.errors import UsageError
from gateway.lists import due, sources, store
from gateway.lists.catalogue import catalogue
from gateway.lists.errors import DownloadError
from gateway.lists.source import AUTO, HOUR_S, KEY, RESERVED, Source, key_from
from gateway.lists.urls import check_url
from gateway.storage import lists as stored
from policies.categories import CATEGORIES
from policies.formats import FORMATS

UPLOAD_MAX_BYTES = 16 << 20
TEXT_MAX_CHARS = 200
URL_MAX_CHARS = 2000
HOURS = (6, 24, 72, 168)

BAD_URL = N_("Write the whole address, such as one that begins with https and ends with the name of a file.")
TAKEN = N_("This address is one of the sources already.")
NO_CATEGORY = N_("Choose what the list is about.")
TOO_LARGE = N_(
    "The file is larger than 16 MB. Pack it with gzip, or bring it in on the machine itself: gjestenett lists import"
)
NO_FILE = N_("Choose the file.")
EMPTY_FILE = N_("The file is empty.")
BAD_TEXT = N_("This has characters that can’t be used, or is too long.")
NEEDS_COLUMN = N_("Say which column holds the names: its number or its heading.")


def show(visit: Visit) -> Response:
    """GET /lists/add"""
    return _page(visit)


def add(visit: Visit) -> Response:
    """POST /lists/add: a list at an address."""
    made = added(visit)
    return _page(visit, made) if isinstance(made, dict) else visit.go(f"/lists/source/{made.key}")


def added(visit: Visit) -> Source | dict[str, str]:
    """The list at an address that the form describes, to be fetched at once; or what is wrong, by field."""
    form = visit.form
    source, problems = _described(visit)
    url, problem = clean_line(form.get("url"), URL_MAX_CHARS, required=True)
    hours = form.get("hours")
    try:
        check_url(url)
    except DownloadError:
        problem = problem or "characters"
    if problem is not None:
        problems["url"] = BAD_URL
    known = [*sources.configured(visit.session, visit.services.place), *catalogue().values()]
    if url and any(each.url == url for each in known):
        problems["url"] = TAKEN
    if problems:
        return problems
    interval_s = (int(hours) if hours in map(str, HOURS) else 24) * HOUR_S
    made = replace(
        source, key=_free_key(visit, source.title or url.split("://", 1)[1]), title=source.title or url, url=url,
        interval_s=interval_s,
    )  # fmt: skip
    due.add(visit.session, visit.services.place, made, visit.member.username, visit.now)
    return made


def upload(visit: Visit) -> Response:
    """POST /lists/upload: a list in a file."""
    file = visit.form.files.get("file")
    made = uploaded(visit, file.name if file is not None else "", file.content if file is not None else None)
    if isinstance(made, dict):
        return _page(visit, made, uploading=True)
    return visit.go(f"/lists/source/{made.key}")


def uploaded(visit: Visit, file_name: str, content: bytes | None) -> Source | dict[str, str]:
    """The list in a file that the form describes (`content` None: without one); or what is wrong, by field."""
    source, problems = _described(visit)
    if content is None:
        problems["file"] = NO_FILE
    elif not content:
        problems["file"] = EMPTY_FILE
    if problems or content is None:
        return problems
    name = _shown_name(file_name)
    made = replace(source, key=_free_key(visit, source.title or name), title=source.title or name)
    due.upload(visit.session, visit.services.place, made, name, content, visit.member.username, visit.now)
    return made


def too_large(visit: Visit) -> Response:
    """Of a file above `UPLOAD_MAX_BYTES`: the form again. What was typed beside it came with it and is not known."""
    return _page(visit, {"file": TOO_LARGE}, uploading=True)


def upload_again(visit: Visit) -> Response:
    """POST /lists/source/{key}/upload: a newer file for a list that came from one."""
    key = visit.params["key"]
    row = one_row(visit.session, visit.services, key, visit.now) if KEY.fullmatch(key) else None
    file = visit.form.files.get("file")
    if row is None or not row.own or row.source.url:
        return visit.failed(HTTPStatus.NOT_FOUND)
    if file is None or not file.content:
        return visit.go(f"/lists/source/{key}?notice=no-file")
    renewed(visit, row.source, file.name, file.content)
    return visit.go(f"/lists/source/{key}")


def renewed(visit: Visit, source: Source, file_name: str, content: bytes) -> None:
    """A newer file for a list that came from one."""
    due.upload(
        visit.session, visit.services.place, source, _shown_name(file_name), content, visit.member.username, visit.now
    )


def _described(visit: Visit) -> tuple[Source, dict[str, str]]:
    """What both forms say of a list, under a key that is to be replaced; and what is wrong with it, by field."""
    form, problems = visit.form, dict[str, str]()
    title, problem = clean_line(form.get("title"), TEXT_MAX_CHARS)
    if problem is not None:
        problems["title"] = BAD_TEXT
    licence, problem = clean_line(form.get("licence"), TEXT_MAX_CHARS)
    if problem is not None:
        problems["licence"] = BAD_TEXT
    column, problem = clean_line(form.get("column"), TEXT_MAX_CHARS)
    if problem is not None:
        problems["column"] = BAD_TEXT
    category, chosen = form.get("category"), form.get("format") or AUTO
    if category not in CATEGORIES:
        problems["category"] = NO_CATEGORY
    if chosen == "csv" and not column:
        problems["column"] = NEEDS_COLUMN
    options = {"column": int(column) if column.isdecimal() and len(column) < 4 else column} if column else {}
    try:
        made = Source(
            "new", category if category in CATEGORIES else "malware", title=title, format=chosen, options=options,
            licence=licence,
        )  # fmt: skip
    except UsageError:  # no such format: the form offers none
        problems["format"] = BAD_TEXT
        made = Source("new", "malware")
    return made, problems


def _free_key(visit: Visit, text: str) -> str:
    """A key made of `text` that no list has or had: what a removed one left in the history or on disk is not its."""
    wanted, services = key_from(text)[:50], visit.services
    taken = stored.keys_ever_used(visit.session, services.place.owner_id) | catalogue().keys() | RESERVED
    candidates = [wanted if KEY.fullmatch(wanted) else "list", *(f"{wanted}-{number}" for number in range(2, 1000))]
    state = services.settings.state
    return next(each for each in candidates if each not in taken and not store.folder_of(state, each).exists())


def _shown_name(name: str) -> str:
    """A file's name as it can be shown again."""
    line, problem = clean_line(name, TEXT_MAX_CHARS)
    return "list.txt" if problem == "characters" or not line else line


def _page(visit: Visit, problems: dict[str, str] | None = None, *, uploading: bool = False) -> Response:
    return visit.page(
        "list_add.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        problems={} if uploading else problems or {},
        upload_problems=(problems or {}) if uploading else {},
        typed={
            key: visit.form.get(key) for key in ("url", "title", "category", "format", "column", "hours", "licence")
        },
        categories=CATEGORIES,
        formats=[AUTO, *(key for key in FORMATS if key != "stored")],
        hours=HOURS,
        max_mb=UPLOAD_MAX_BYTES >> 20,
    )
