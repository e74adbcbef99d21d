from __future__ import annotations

from gateway.dns.places import Places


def test_one_kind_does_not_use_up_anothers_places() -> None:
    places = Places(most=3, per_device_max=2)
    assert [places.enter("tls", bytes([number])) for number in range(5)] == [True, True, True, False, False]
    assert places.enter("tcp", b"\0")
    assert places.held("tls") == 3
    places.leave("tls", b"\1")
    assert places.enter("tls", b"\7")


def test_a_device_has_its_places_over_all_kinds_and_one_that_is_refused_holds_none() -> None:
    places = Places(most=9, per_device_max=2)
    assert places.enter("tls", b"a")
    assert places.enter("tcp", b"a")
    assert not places.enter("tcp", b"a")
    assert places.enter("tcp", b"b")
    places.leave("tls", b"a")
    assert places.enter("tls", b"a")
