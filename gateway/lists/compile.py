"""From a policy document and the lists of this installation to the octets of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from gateway.errors import GatewayError
from policies.categories import CATEGORIES
from policies.formats import parse_domains
from policies.names import PolicyError
from policies.snapshot import NamedList, compile_snapshot


class ListsError(GatewayError):
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


def compile_policy(
    document: Mapping[str, Any],
    generation: int,
    *,
    own_names: Iterable[str] = (),
    lists: Iterable[NamedList] | None = None,
) -> bytes:
    """A snapshot of `document` with the starter lists (or `lists`); `own_names` are never blocked (the
    portal's host name).

    Raises: ListsError with the compiler's reason, in one line.
    """
    try:
        return compile_snapshot(document, starter_lists() if lists is None else lists, generation, own_names)
    except PolicyError as problem:
        raise ListsError(f"the policy cannot be published: {problem}") from problem
