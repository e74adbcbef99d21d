"""From a policy document and the lists of this installation to the octets of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib import resources
from typing import Any

from gateway.errors import UsageError
from gateway.lists.public_suffixes import installed_suffixes
from policies.categories import CATEGORIES
from policies.compiler import ListLike, NamedList, compile_snapshot, never_blocked
from policies.corrections import SERVICES
from policies.document import parse_document
from policies.formats import parse_domains
from policies.hygiene import Hygiene
from policies.names import PolicyError
from policies.widely_used import WIDELY_USED


class ListsError(UsageError):
    """Lists or a policy that cannot be compiled or published; what was in force stays in force."""


def starter_lists() -> tuple[NamedList, ...]:
    """The lists that come with the product, by category, as `starter/<category>`.

    Raises: ListsError for a file that is not named after a category, cannot be read, or has a line that is
        no name (a damaged installation).
    """
    found: list[NamedList] = []
    try:
        folder = resources.files("policies").joinpath("starter")
        files = sorted((each for each in folder.iterdir() if each.name.endswith(".txt")), key=lambda each: each.name)
        contents = [(each.name.removesuffix(".txt"), each.read_bytes()) for each in files]
    except OSError as problem:
        raise ListsError(f"the starter lists cannot be read ({problem}): install the product again") from problem
    for category, content in contents:
        if category not in CATEGORIES:
            raise ListsError(f"starter list {category!r}: no such category, name the file after one")
        parsed = parse_domains(content.splitlines(keepends=True))
        if parsed.rejects:
            first = parsed.examples[0]
            raise ListsError(f"starter list {category!r}, line {first.line}: {first.text!r} ({first.reason}), mend it")
        found.append(NamedList(f"starter/{category}", category, parsed.sha256, parsed.entries, parsed.exceptions))
    if not found:
        raise ListsError("there are no starter lists: install the product again")
    return tuple(found)


def built_in_lists() -> tuple[NamedList, ...]:
    """What the product knows of well-known services, by category, as `built-in/<category>`: so that a policy
    can close cloud storage or meetings with no list at all, and Dropbox is not file sharing.
    """
    found: dict[str, set[str]] = {}
    for name, categories in (*SERVICES.items(), *WIDELY_USED.items()):
        for category in categories:
            found.setdefault(category, set()).add(name)
    made: list[NamedList] = []
    for category, names in sorted(found.items()):
        text = "".join(f"{name}\n" for name in sorted(names))
        made.append(NamedList(f"built-in/{category}", category, sha256(text.encode()).hexdigest(), sorted(names)))
    return tuple(made)


def compile_policy(
    document: Mapping[str, Any],
    generation: int,
    *,
    own_names: Iterable[str] = (),
    lists: Iterable[ListLike] | None = None,
    sections: Mapping[str, bytes] | None = None,
    hygiene: bool = True,
) -> bytes:
    """A snapshot of `document` with the starter lists (or `lists`), and the built-in ones; `own_names` are
    never blocked (the portal's host name); `sections` go in as they are.

    Every name passes hygiene, which obeys the document's overrules; what it keeps out stands in section
    `quarantine`. `hygiene=False` takes every list at its word, for measurements.

    Raises: ListsError with the compiler's reason, in one line.
    """
    given = starter_lists() if lists is None else tuple(lists)
    try:
        if not hygiene:
            return compile_snapshot(document, given, generation, own_names, sections=sections)
        policy = parse_document(document)
        judge = Hygiene(
            never_blocked(policy, own_names),
            installed_suffixes(),
            frozenset(policy.overrules),
            policy.quarantine_private_suffixes,
        )
        return compile_snapshot(
            document, (*built_in_lists(), *given), generation, own_names, sections=sections, hygiene=judge
        )
    except PolicyError as problem:
        raise ListsError(f"the policy cannot be published: {problem}") from problem
