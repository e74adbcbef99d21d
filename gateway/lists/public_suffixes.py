"""The public suffix list of the installed package, as the plain sets that `policies.hygiene` asks for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import publicsuffixlist

from policies.hygiene import Suffixes
from policies.names import NameError_, normalise


def read_suffixes(text: str) -> Suffixes:
    """Both sections of a list in the format of publicsuffix.org/list ("Format"); a rule that is no name is
    left out.
    """
    icann = _section(text, "ICANN DOMAINS")
    private = _section(text, "PRIVATE DOMAINS")
    return Suffixes(icann[""], private[""], icann["*."], icann["!"] | private["!"])


@cache
def installed_suffixes() -> Suffixes:
    """The list that came with the package `publicsuffixlist`."""
    path = Path(publicsuffixlist.__file__).with_name("public_suffix_list.dat")
    return read_suffixes(path.read_text(encoding="utf-8"))


def _section(text: str, title: str) -> dict[str, frozenset[str]]:
    section = text.partition(f"===BEGIN {title}===")[2].partition(f"===END {title}===")[0]
    found: dict[str, set[str]] = {"": set(), "*.": set(), "!": set()}
    for line in section.splitlines():
        rule = line.partition(" ")[0].strip()
        if not rule or rule.startswith("//"):
            continue
        mark = "*." if rule.startswith("*.") else "!" if rule.startswith("!") else ""
        try:
            found[mark].add(normalise(rule.removeprefix(mark)))
        except NameError_:
            continue
    return {mark: frozenset(names) for mark, names in found.items()}
