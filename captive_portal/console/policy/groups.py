"""Groups of devices: making, renaming and removing them, and what a group has of its own beside the table: names that
are permitted or forbidden, safe search, and the judge of unlisted names. All of it in the draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.look import LANGUAGES, N_
from captive_portal.console.policy import try_name
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.room import (
    LINE_PROBLEMS,
    MEANWHILE,
    NO_GROUP,
    change,
    digest,
    never,
    open_room,
    shared,
    titles,
)
from captive_portal.console.visit import Visit
from gateway.access.course_openings import PREFIX
from gateway.dns.judging import SECTION
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.lists.judge_examples import JUDGED
from policies import matrix
from policies.diff_words import hours_in_words
from policies.document import DEFAULT_GROUP
from policies.names import NameError_, PolicyError, from_person
from policies.no_effect import Rule, idle_rules, obstacle
from policies.safe_search import ONE_OF, PROVIDERS

KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
TITLE_MAX_CHARS = 200
NAMES_MAX = 100
BAD_KEY = N_("Write a short key of a–z, 0–9, - and _ that begins with a letter, such as course.")
TAKEN = N_("There is a group with that key already.")
BAD_PERCENT = N_("Write whole per cent from 50 to 100, or nothing.")
RIVALS = N_("Choose one of the two for YouTube.")
TOO_MANY = N_("At most 100 names at once.")

SECTIONS = ("titles", "safe_search", "judge")
ENGINES = {
    "google": "Google",
    "bing": "Bing",
    "duckduckgo": "DuckDuckGo",
    "brave": "Brave",
    "qwant": "Qwant",
    "ecosia": "Ecosia",
    "pixabay": "Pixabay",
    "youtube_strict": N_("YouTube, strict"),
    "youtube_moderate": N_("YouTube, moderate"),
}


class GroupPages:
    """What the pages of groups show and do."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def overview(self, visit: Visit) -> Response:
        """GET /policy/groups"""
        return self._overview(visit)

    def add(self, visit: Visit) -> Response:
        """POST /policy/groups: a new group, like another one or as a fresh installation has it."""
        key, like = visit.form.get("key").strip(), visit.form.get("like")
        title, wrong = clean_line(visit.form.get("title"), TITLE_MAX_CHARS)
        problems = {"title": LINE_PROBLEMS[wrong]} if wrong is not None else {}
        problems = added(visit, key, like, title, problems)
        if not problems:
            return visit.go(f"/policy/groups/{key}")
        return self._overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems, typed=(key[:60], title, like))

    def show(self, visit: Visit) -> Response:
        """GET /policy/groups/{key}"""
        return self._group(visit)

    def rename(self, visit: Visit) -> Response:
        """POST /policy/groups/{key}/titles: what people call it, in each language."""
        wanted: dict[str, str] = {}
        for language in LANGUAGES:
            wanted[language], wrong = clean_line(visit.form.get(f"title-{language}"), TITLE_MAX_CHARS)
            if wrong is not None:
                problems = {f"title-{language}": LINE_PROBLEMS[wrong]}
                return self._group(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems)
        return self._set(
            visit, "titles", lambda document: draft_edits.with_titles(document, visit.params["key"], wanted)
        )

    def safe_search(self, visit: Visit) -> Response:
        """POST /policy/groups/{key}/safe-search: exactly the engines that are ticked."""
        wanted = set(visit.form.all("engine"))
        if any(len(wanted & rivals) > 1 for rivals in ONE_OF):
            return self._group(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"safe-search": RIVALS})
        chosen = [key for key in PROVIDERS if key in wanted]
        return self._set(
            visit, "safe_search", lambda document: draft_edits.with_safe_search(document, visit.params["key"], chosen)
        )

    def judge(self, visit: Visit) -> Response:
        """POST /policy/groups/{key}/judge: from which confidence judged names are blocked, and whether names are kept
        for a day.
        """
        thresholds: dict[str, float] = {}
        for category in JUDGED:
            typed = visit.form.get(f"judge-{category}").strip()
            if not typed:
                continue
            if not (typed.isascii() and typed.isdigit() and len(typed) < 4 and 50 <= int(typed) <= 100):
                problems = {f"judge-{category}": BAD_PERCENT}
                return self._group(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems=problems)
            thresholds[category] = int(typed) / 100
        key, names_kept = visit.params["key"], visit.form.get("top_names") == "1"

        def edit(document: dict[str, Any]) -> dict[str, Any]:
            return draft_edits.with_top_names(draft_edits.with_judge(document, key, thresholds), key, on=names_kept)

        return self._set(visit, "judge", edit)

    def names(self, visit: Visit) -> Response:
        """POST /policy/groups/{key}/names: permit or forbid names, one a line; or take a name's rule away."""
        key, wanted = visit.params["key"], visit.form.get("rule")
        rule: Rule | None = "permit" if wanted == "permit" else "forbid" if wanted == "forbid" else None
        lines = [line.strip() for line in visit.form.get("names").splitlines() if line.strip()]
        if key not in draft_edits.ruled_groups(open_room(visit).document):
            return visit.failed(HTTPStatus.NOT_FOUND)
        problem = ruled(visit, key, lines, rule)
        if problem:
            typed = visit.form.get("names")[:8000]
            return self._group(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"names": problem}, typed=typed)
        return visit.go(f"/policy/groups/{key}?notice=kept#names")

    def ask_remove(self, visit: Visit) -> Response:
        """GET /policy/groups/{key}/remove: removes nothing yet."""
        room, key = open_room(visit), visit.params["key"]
        if key not in draft_edits.ruled_groups(room.document) or key == DEFAULT_GROUP:
            return visit.failed(HTTPStatus.NOT_FOUND)
        exemptions = [each for each in room.policy.exemptions if each.group == key]
        called = titles(visit, room.policy)[key]
        return visit.page("policy_group_remove.html", key=key, called=called, exemptions=exemptions, **shared(room))

    def remove(self, visit: Visit) -> Response:
        """POST /policy/groups/{key}/remove"""
        key = visit.params["key"]
        if key == DEFAULT_GROUP or key not in draft_edits.ruled_groups(open_room(visit).document):
            return visit.failed(HTTPStatus.NOT_FOUND)
        problem = change(visit, lambda document: draft_edits.without_group(document, key))
        if problem:
            return self._overview(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"": problem})
        return visit.go("/policy/groups?notice=removed")

    def _set(self, visit: Visit, section: str, edit: Any) -> Response:
        """A part of the group that is replaced as a whole: only when it still is what the form was made of."""
        key = visit.params["key"]
        met: list[bool] = []

        def guarded(document: dict[str, Any]) -> dict[str, Any]:
            group = document["groups"].get(key)
            if group is None or group.get("like") or visit.form.get("seen") != seen(group, section):
                met.append(group is None or "like" in group)
                return document
            changed: dict[str, Any] = edit(document)
            return changed

        problem = change(visit, guarded)
        if met:
            if met[0]:
                return visit.failed(HTTPStatus.NOT_FOUND)
            return self._group(visit, HTTPStatus.CONFLICT, problems={"": MEANWHILE})
        if problem:
            return self._group(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"": problem})
        return visit.go(f"/policy/groups/{key}?notice=kept")

    def _overview(
        self,
        visit: Visit,
        status: int = HTTPStatus.OK,
        *,
        problems: Mapping[str, str] | None = None,
        typed: tuple[str, str, str] = ("", "", DEFAULT_GROUP),
    ) -> Response:
        room = open_room(visit)
        return visit.page(
            "policy_groups.html",
            status,
            titles=titles(visit, room.policy),
            courses=sum(each.key.startswith(PREFIX) and bool(each.like) for each in room.policy.groups.values()),
            problems=problems or {},
            typed=typed,
            notice=visit.query.get("notice", ""),
            **shared(room),
        )

    def _group(
        self,
        visit: Visit,
        status: int = HTTPStatus.OK,
        *,
        problems: Mapping[str, str] | None = None,
        typed: str = "",
    ) -> Response:
        room, key = open_room(visit), visit.params["key"]
        group = room.document["groups"].get(key)
        if group is None or group.get("like"):
            return visit.failed(HTTPStatus.NOT_FOUND)
        compiled = self._snapshot.read()
        has_judge = compiled is not None and compiled.snapshot.section(SECTION) is not None
        idle = [each for each in idle_rules(room.policy, never(visit, room.policy)) if each.group == key]
        said = visit.look.translator(visit.language).language
        return visit.page(
            "policy_group.html",
            status,
            key=key,
            group=group,
            called=titles(visit, room.policy)[key],
            seen={section: seen(group, section) for section in SECTIONS},
            hours=[
                (category, [hours_in_words(each, said) for each in found])  # type: ignore[arg-type]
                for category in shared(room)["categories"]
                if (found := [each for each in room.policy.groups[key].schedules if category in each.categories])
            ],
            state=matrix.state,
            engines=ENGINES,
            judged=JUDGED,
            has_judge=has_judge,
            idle=idle,
            words=try_name,
            problems=problems or {},
            typed=typed,
            notice=visit.query.get("notice", ""),
            **shared(room),
        )


def added(visit: Visit, key: str, like: str, title: str, problems: Mapping[str, str] | None = None) -> dict[str, str]:
    """A new group in the draft, like another one or ("") as a fresh installation has it; {} when it is done, else what
    stands in the way, by field, with the `problems` found already.
    """
    found, groups = dict(problems or {}), open_room(visit).document["groups"]
    if not KEY.fullmatch(key):
        found["key"] = BAD_KEY
    elif key in groups:
        found["key"] = TAKEN
    if like and like not in draft_edits.ruled_groups({"groups": groups}):
        found["like"] = NO_GROUP
    if found:
        return found
    given = publishing.marks(visit.session, visit.services.place)
    told = change(
        visit,
        lambda document: draft_edits.with_group(document, key, like=like or None, mark=None, title=title, given=given)[
            0
        ],
    )
    return {"": told} if told else {}


def ruled(visit: Visit, key: str, lines: Sequence[str], rule: Rule | None) -> str:
    """Permit or forbid names in a group of the draft, or take their rule away; "" when it is done."""
    problem = try_name.NOTHING_TYPED if not lines else TOO_MANY if len(lines) > NAMES_MAX else ""
    blocked = never(visit, open_room(visit).policy)
    for line in lines if not problem else ():
        problem = problem or _why_not(visit, line, rule, blocked)

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        for line in lines:
            document = draft_edits.with_name(document, key, line, rule)[0]
        return document

    return problem or change(visit, edit)


def _why_not(visit: Visit, line: str, rule: Rule | None, blocked: Mapping[str, str]) -> str:
    translate = visit.look.translator(visit.language)
    try:
        name = from_person(line)
    except PolicyError as error:
        is_address = isinstance(error, NameError_) and error.reason == "ip_address"
        return f"{line[:100]}: {translate(try_name.ADDRESS if is_address else try_name.BAD_NAME)}"
    found = obstacle(rule, name, blocked) if rule is not None else None
    if rule is None or found is None:
        return ""
    because = try_name.overridden(translate, found.kind, found.name, found.service)
    return f"{translate(try_name.NO_EFFECT[rule], name=name)} {because}"


def seen(group: Mapping[str, Any], section: str) -> str:
    """What a part of a group says, as a hash that its form carries."""
    if section == "titles":
        return digest(group.get("names", {}))
    if section == "safe_search":
        return digest(group.get("safe_search", []))
    return digest([group.get("judge", {}), group.get("top_names", False)])
