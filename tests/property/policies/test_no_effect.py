"""A rule is called idle exactly when no name below it is decided otherwise without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.compiler import NamedList, compile_snapshot
from policies.decide import decide
from policies.document import default_document
from policies.no_effect import obstacle
from policies.snapshot import open_snapshot

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
BELOW = ("", "www.", "a.b.")
NEVER = ("nav.no", "www.apple.com", "lencr.org")
names = st.builds(str.__add__, st.sampled_from(BELOW), st.sampled_from((*NEVER, "no", "apple.com", "org", "x.example")))
SNAPSHOT = open_snapshot(
    compile_snapshot(default_document(), [NamedList("t/gaming", "gaming", "0" * 64, ("game.example",))], 1)
)


@given(rule=names, below=st.sampled_from(BELOW))
@settings(max_examples=200, deadline=None)
def test_a_forbidding_rule_is_idle_exactly_when_it_closes_nothing(rule: str, below: str) -> None:
    group = replace(SNAPSHOT.policy.groups["default"], forbid=frozenset((rule,)))
    closes = [not decide(name, group, NOW, SNAPSHOT).permitted for name in (rule, below + rule)]
    idle = obstacle("forbid", rule, SNAPSHOT.never_blocked) is not None
    assert idle == (not any(closes))
    assert idle == any(rule == name or rule.endswith(f".{name}") for name in NEVER)
