"""Routes of the evidence."""

from __future__ import annotations

from captive_portal.console.evidence import acceptances, checkpoints, proof, timeline
from captive_portal.console.evidence.export_pages import ExportPages
from captive_portal.console.evidence.exports import ExportShelf
from captive_portal.console.route import Page


def pages(shelf: ExportShelf) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    exports = ExportPages(shelf)
    return (
        Page("GET", "/acceptances", "auditor", acceptances.show, "read"),
        Page("GET", "/acceptances/export", "auditor", exports.ask, "read"),
        Page("POST", "/acceptances/export", "auditor", exports.make, "read"),
        Page("GET", "/acceptances/{id}", "auditor", proof.acceptance, "read"),
        Page("GET", "/log", "auditor", timeline.show, "read"),
        Page("GET", "/log/{index}", "auditor", proof.show, "read"),
        Page("GET", "/log/{index}/proof", "auditor", proof.proof, "read"),
        Page("GET", "/log/{index}/entry", "auditor", proof.entry, "read"),
        Page("GET", "/checkpoints", "auditor", checkpoints.show, "read"),
        Page("GET", "/checkpoints/{size}", "auditor", checkpoints.download, "read"),
        Page("GET", "/exports", "auditor", timeline.exports, "read"),
        Page("GET", "/acceptances/exports/{key}", "auditor", exports.show, "none"),
        Page("GET", "/acceptances/exports/{key}/{file}", "auditor", exports.download, "none"),
        Page("POST", "/acceptances/exports/{key}/remove", "auditor", exports.remove, "none"),
    )
