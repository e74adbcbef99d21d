"""Mark first, then source; never less policy than the default."""

from ipaddress import ip_address

import pytest

from gateway.dns.cache import FinishedAnswers
from gateway.dns.errors import DnsError
from gateway.dns.plan import Accepted, NotAccepted
from gateway.dns.views import View, Views
from policies.snapshot import Snapshot, compile_snapshot, open_snapshot


def snapshot() -> Snapshot:
    group = {"closed": [], "permit": [], "forbid": []}
    document = {
        "version": 1,
        "block_answer": "zero",
        "groups": {"default": {"mark": 1, **group}, "kurs": {"mark": 2, **group}},
    }
    return open_snapshot(compile_snapshot(document, [], 1))


SOURCES = (("10.0.0.0/8", "default"), ("10.1.0.0/16", "kurs"), ("fd00::/8", "default"))


def group_of(view: View) -> str | None:
    assert isinstance(view.asker, Accepted)
    return view.asker.group.key if view.asker.group else None


def test_marks_and_sources() -> None:
    views = Views(SOURCES, FinishedAnswers())
    views.adopt(snapshot())
    assert group_of(views.find(2, b"\x0a\0\0\1")) == "kurs"
    assert group_of(views.find(9, b"\x0a\0\0\1")) == "default"  # a group still to come
    assert group_of(views.find(0, ip_address("10.0.0.1").packed)) == "default"
    assert group_of(views.find(0, ip_address("10.1.0.1").packed)) == "kurs"
    assert group_of(views.find(0, ip_address("fd00::1").packed)) == "default"
    assert isinstance(views.find(0, ip_address("192.0.2.1").packed).asker, NotAccepted)
    assert isinstance(views.find(0, ip_address("2001:db8::1").packed).asker, NotAccepted)


def test_without_policy_and_adopting_one() -> None:
    views = Views(SOURCES, FinishedAnswers())
    assert group_of(views.find(1, b"")) is None
    assert group_of(views.find(0, b"\x0a\0\0\1")) is None
    views.adopt(snapshot())
    assert group_of(views.find(1, b"")) == "default"
    assert group_of(views.find(0, b"\x0a\0\0\1")) == "default"


def test_a_bad_source_is_told() -> None:
    with pytest.raises(DnsError, match="not a network"):
        Views((("x", "default"),), FinishedAnswers())


def test_a_group_that_the_policy_has_not_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    views = Views((*SOURCES, ("10.2.0.0/16", "nogroup"), ("10.3.0.0/16", "nogroup")), FinishedAnswers())
    assert caplog.messages == []  # no policy yet is not the settings' fault
    views.adopt(snapshot())
    views.adopt(snapshot())
    [said] = caplog.messages
    assert "no group 'nogroup' in the policy in force" in said
