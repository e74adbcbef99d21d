"""`gjestenett policy`: what is closed for whom, why, and publishing a change. A command is loaded when it is used."""

from __future__ import annotations

import click

from gateway.commands.session import Group, json_option, print_rows
from policies.categories import CATEGORIES

LAZY = {
    "classify": "gateway.commands.policy_asking:classify",
    "close": "gateway.commands.policy_draft:close_",
    "diff": "gateway.commands.policy_draft:diff",
    "draft": "gateway.commands.policy_draft:draft",
    "exemptions": "gateway.commands.policy_edits:exemptions",
    "explain": "gateway.commands.policy_asking:explain",
    "export": "gateway.commands.policy_draft:export",
    "forbid": "gateway.commands.policy_edits:forbid",
    "groups": "gateway.commands.policy_edits:groups",
    "history": "gateway.commands.policy_publishing:history",
    "import": "gateway.commands.policy_draft:import_",
    "judge": "gateway.commands.judge:judge",
    "open": "gateway.commands.policy_draft:open_",
    "overrule": "gateway.commands.policy_quarantine:overrule",
    "permit": "gateway.commands.policy_edits:permit",
    "publish": "gateway.commands.policy_publishing:publish",
    "quarantine": "gateway.commands.policy_quarantine:quarantine",
    "report": "gateway.commands.policy_draft:report",
    "rollback": "gateway.commands.policy_publishing:rollback",
    "safe-search": "gateway.commands.policy_edits:safe_search",
    "top-names": "gateway.commands.policy_edits:top_names",
    "unset": "gateway.commands.policy_edits:unset",
}


@click.group(cls=Group, lazy=LAZY)
def policy() -> None:
    """Explain, change and publish the policy."""


@policy.command()
@json_option
def categories(as_json: bool) -> None:
    """Print the categories that a policy can close."""
    rows = [
        {"category": key, "name": each.names["nb"], "about": each.descriptions["en"]}
        for key, each in CATEGORIES.items()
    ]
    print_rows(rows, as_json=as_json, empty="")
