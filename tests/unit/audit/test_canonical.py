"""Canonical JSON against examples of RFC 8785 and hostile text."""

from typing import Any

import pytest

from gateway.audit import canonical
from gateway.audit.errors import CanonicalError


def test_rfc_8785_string_escapes_and_key_order() -> None:
    # the string of §3.2.2.2 and the key order of §3.2.3
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    assert canonical.encode(text) == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(canonical.decode(canonical.encode(dict.fromkeys(keys, 0)))) == ordered


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, b"x", object(), {"a": [0.5]}]
)
def test_values_without_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "text",
    [
        b"", b" 1", b"1 ", b"1.0", b"1e2", b"-0", b"01", b"NaN", b"Infinity", b'{"a":1,"a":1}', b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'"\\u0041"', b'"\\/"', b'"\\u000A"', b"\xff", b'"\\ud800"', b"[" * 100_000, b"9" * 5_000,
        b"9007199254740992", b"[1,]",
        b"\xef\xbb\xbf1",
    ],
)  # fmt: skip
def test_other_spellings_are_refused(text: bytes) -> None:
    with pytest.raises(CanonicalError):
        canonical.decode(text)
