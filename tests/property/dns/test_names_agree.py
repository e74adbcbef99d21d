"""The gateway's reading of names on the wire and the policies' own give one and the same normal form."""

import dns.message
import dns.name
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.wire import name_text, parse_query
from policies.names import from_labels, listable, normalise, parents, to_wire

labels = st.lists(st.binary(min_size=1, max_size=63), max_size=6).filter(
    lambda parts: sum(len(part) + 1 for part in parts) < 255
)
hosts = st.lists(st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True), min_size=1, max_size=5).map(".".join)


@given(labels)
def test_wire_names_equal_policies_names(parts: list[bytes]) -> None:
    wire = b"".join(bytes((len(part),)) + part for part in parts) + b"\0"
    text = name_text(wire)
    assert text == from_labels(parts)
    assert to_wire(text) == wire.lower()
    assert len([*parents(text)]) == len(parts)
    query = dns.message.make_query(dns.name.from_wire(wire, 0)[0], "A", use_edns=False).to_wire()
    assert parse_query(query).name == text


@given(hosts)
def test_host_names_there_and_back(host: str) -> None:
    wire = to_wire(host)
    assert name_text(wire) == host
    assert wire == dns.name.from_text(host).to_wire()
    if not host.replace(".", "").isdigit():
        assert normalise(host.upper() + ".") == listable(host) == host
