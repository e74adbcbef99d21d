"""Zones with servers of their own."""

import pytest

from gateway.dns.upstreams.exchange import NoAnswer


@pytest.fixture
def servers(scripted, answer_truly):
    return [scripted(lambda packet, last=number: [answer_truly(packet, f"198.51.100.{last}")]) for number in range(3)]


def test_the_longest_zone_wins(outside, servers) -> None:
    at = [f"127.0.0.1:{server.port}" for server in servers]
    out = outside(at[0], zones={"kommune.no": [at[1]], "storvik.kommune.no": [at[2]]})
    asked = {
        "example.no": 0, "kommune.no": 1, "www.kommune.no": 1, "notkommune.no": 0, "storvik.kommune.no": 2,
        "intra.storvik.kommune.no": 2, "xstorvik.kommune.no": 1, "no": 0, ".": 0,
    }  # fmt: skip
    for name, server in asked.items():
        assert out.ask(name) == f"198.51.100.{server}", name


def test_the_ds_of_a_zone_is_its_parents(outside, servers) -> None:
    """RFC 4035 §3.1.4.1: else the chain of trust of what is public would break."""
    at = [f"127.0.0.1:{server.port}" for server in servers]
    out = outside(at[0], zones={"kommune.no": [at[1]]})
    out.ask("kommune.no", "DS")
    out.ask("a.kommune.no", "DS")
    assert [len(server.asked) for server in servers] == [1, 1, 0]


def test_a_zone_never_leaks_to_the_others(outside, scripted, servers) -> None:
    dead = scripted(lambda packet: [])
    out = outside(servers[0].port, zones={"kommune.no": [f"127.0.0.1:{dead.port}"]}, timeout_s=0.5)
    assert isinstance(out.ask("intra.kommune.no"), NoAnswer)
    assert servers[0].asked == []
    assert out.ask("example.no") == "198.51.100.0"


def test_zones_alone(outside, servers) -> None:
    out = outside(zones={"kommune.no": [f"127.0.0.1:{servers[1].port}"]})
    assert out.ask("www.kommune.no") == "198.51.100.1"
    assert out.ask("example.no") == NoAnswer(22, "no upstream")


def test_a_server_in_two_zones_is_one_server(outside, servers) -> None:
    at = f"127.0.0.1:{servers[0].port}"
    out = outside(at, zones={"kommune.no": [at]})
    out.ask("kommune.no")
    out.ask("example.no")
    (report,) = out.reports
    assert report.answered == 2
