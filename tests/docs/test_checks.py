"""The table of connectivity checks in the guide is the product's own."""

from __future__ import annotations

from pathlib import Path

from captive_portal.probes import NAME_CHECKS, PROBES

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "checks.md"


def test_the_guide_has_every_check_as_the_product_has_it() -> None:
    before = {"redirect": "302", "reset": "refused"}
    rows = [f"| {probe.system} | `{probe.url}` | {before[probe.before]} | {probe.online.status} |" for probe in PROBES]
    rows += [f"| {check.system} | `{check.name}` by DNS | its addresses | its addresses |" for check in NAME_CHECKS]
    assert [line for line in GUIDE.read_text().splitlines() if line.startswith("| ")][1:] == rows
