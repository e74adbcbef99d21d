"""What is asked of every page: axe-core, and that it does not scroll sideways.

Passes are counted, not described: describing them takes longer than finding what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

Rules = Mapping[str, str | Sequence[str]]
WCAG: Rules = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS: Rules = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""All that a darker or lighter scheme can change."""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""How many pixels a page scrolls sideways (WCAG 1.4.10), which axe does not look at."""


def examine(page: Page, rules: Rules | None = WCAG) -> AxeResults:
    """What axe finds, by these rules or by all that it has. A page is given axe once: it is half a megabyte."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules is not None else {})
    results = AxeResults(page.evaluate("options => axe.run(options)", options))
    assert results.response["passes"] or rules is COLOURS, "axe examined nothing"
    return results
