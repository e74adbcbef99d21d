"""The guide names every setting that is changed while everything runs, with its bounds, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.settings.operational import OPERATIONAL

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "settings.md"


def test_the_guide_has_each_setting_with_its_bounds() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert list(rows) == list(OPERATIONAL)
    for key, setting in OPERATIONAL.items():
        bounds = {"number": (setting.least, setting.most), "line": (setting.most,), "phone": (setting.most,)}
        assert all(str(bound) in rows[key] for bound in bounds.get(setting.kind, ())), key
