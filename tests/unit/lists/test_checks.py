import pytest

from gateway.lists.checks import Findings, check
from gateway.lists.errors import RefusedError


def refused(entries: int, rejected: int = 0, last: int | None = None, findings: Findings | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        check(entries, rejected, findings or Findings(), last)
    return caught.value.reason


def test_what_can_not_be_right_is_refused() -> None:
    assert refused(0) == "empty"
    assert refused(10, rejected=11) == "mostly_rejects"
    assert refused(499, last=1000) == "shrunk"
    assert refused(1_000_001, last=100_000) == "grown"
    assert refused(1000, findings=Findings(public_suffixes=51)) == "public_suffixes"
    assert refused(100, findings=Findings(never_blocked=21)) == "never_blocked"


@pytest.mark.parametrize(
    ("entries", "rejected", "last"),
    [(1, 0, None), (1, 1, None), (500, 0, 1000), (1, 0, 19), (99_999, 0, 20), (1_000_000, 0, 100_000)],
)
def test_what_can_be_right_is_taken(entries: int, rejected: int, last: int | None) -> None:
    check(entries, rejected, Findings(public_suffixes=5, never_blocked=5), last)


def test_a_list_of_permits_opens_more_as_it_grows() -> None:
    check(1000, 0, Findings(), 50)
    check(500, 0, Findings(), 50, permits=True)
    with pytest.raises(RefusedError) as caught:
        check(501, 0, Findings(), 50, permits=True)
    assert caught.value.reason == "grown"


def test_traps_of_real_lists_are_noted_by_name() -> None:
    findings = Findings()
    for name in (
        "bologna.it",
        "in.th",
        "com",
        "game.tw",
        "sexogpolitikk.no",
        "www.helsenorge.no",
        "gstatic.com",
        "a.no",
    ):
        findings.look(name)
    assert findings.suffix_examples == ["bologna.it", "in.th", "com", "game.tw"]
    assert {"sexogpolitikk.no", "www.helsenorge.no", "gstatic.com"} <= set(findings.never_blocked_examples)
    assert "a.no" not in findings.never_blocked_examples
