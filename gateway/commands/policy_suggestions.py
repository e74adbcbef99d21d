"""What would turn a decision round, as whole command lines that can be copied into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

from policies.decide import read_exemption_text

EXEMPTION = timedelta(days=1)
"""How long the suggested exemption lasts; who copies it sees the moment, and changes it."""
FILE = "policy.toml"
_ALL_OF = {"open_categories": "open"}
_ONE_OF = {"close_any_category": "close"}
_NAME = {"permit_name": "permit", "forbid_name": "forbid"}


def suggestions(answer: dict[str, Any], zone: tzinfo) -> Iterator[str]:
    """One line for each way, of commands joined by `&&` that end with publishing."""
    for change in answer["changes"]:
        if change["action"] == "judge_off":  # thresholds stand in the document only
            what = f"{', '.join(change['categories'])} out of judge for group {answer['group']}"
            edit = (_line("export", "--out", FILE), f"${{EDITOR:-vi}} {FILE}", _line("import", FILE), _line("publish"))
            yield f"{' && '.join(edit)}  # take {what}"
        for commands in _ways(change, answer, zone):
            yield _published(commands)
    for name in dict.fromkeys(each["name"] for each in answer["quarantine"] if each["reason"] != "never_blocked"):
        yield _published([("overrule", name)])


def _published(commands: list[tuple[str, ...]]) -> str:
    return " && ".join(_line(*words) for words in (*commands, ("publish",)))


def _ways(change: dict[str, Any], answer: dict[str, Any], zone: tzinfo) -> Iterator[list[tuple[str, ...]]]:
    """The commands of each way to make a change (`policies.explain.explain`)."""
    action, keys = change["action"], change.get("categories") or []
    of = () if answer["group"] == "default" else ("--group", answer["group"])
    if action in _NAME:
        yield [(_NAME[action], change["name"], *of)]
    elif action in _ALL_OF:
        yield [(_ALL_OF[action], key, *of) for key in keys]
    elif action in _ONE_OF:
        for key in keys:
            yield [(_ONE_OF[action], key, *of)]
    elif action == "exempt_categories":
        until = f"{(datetime.fromisoformat(answer['at']) + EXEMPTION).astimezone(zone):%Y-%m-%dT%H:%M}"
        told = ("--until", until, "--approved-by", "NAME", "--reason", "WHY")
        yield [("exemptions", "add", *keys, "--group", answer["group"], *told)]
    elif action == "end_exemptions":
        for key in keys:
            yield [("exemptions", "end", identity) for identity in _exemptions(answer, key)]


def _exemptions(answer: dict[str, Any], category: str) -> list[str]:
    """The ids of the exemptions that lift a category now."""
    lifted = [each for each in answer["reasons"] if each["kind"] == "exempted" and each["category"]["key"] == category]
    return list(dict.fromkeys(read_exemption_text(each["detail"])[0] for each in lifted))


def _line(*words: str) -> str:
    return shlex.join(("gjestenett", "policy", *words))
