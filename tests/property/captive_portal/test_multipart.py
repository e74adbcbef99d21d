"""Forms with a file: what a browser sends is read back exactly, whatever the file holds; what is no form is refused."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from captive_portal.console.multipart import MAX_PARTS, Upload, boundary_of, parse

NAMES = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)
BOUNDARIES = st.from_regex(r"[A-Za-z0-9'()+_./:=?-]{1,70}", fullmatch=True)


def as_browsers_write(boundary: str, fields: dict[str, str], name: str, file: bytes) -> bytes:
    """An independent writer (RFC 7578 §4; WHATWG: the quotes in a file's name are percent-encoded)."""
    body = b""
    for key, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'.encode()
    return body + b"Content-Type: application/octet-stream\r\n\r\n" + file + f"\r\n--{boundary}--\r\n".encode()


@given(BOUNDARIES, st.dictionaries(NAMES, st.text(alphabet=st.characters(codec="utf-8"))), st.binary(max_size=3000))
def test_what_a_browser_sends_is_read_back(boundary: str, fields: dict[str, str], file: bytes) -> None:
    assume("file" not in fields)
    mark = f"\r\n--{boundary}".encode()
    assume(not any(mark in b"\r\n" + value.encode() + b"\r\n" for value in fields.values()))
    assume(mark not in b"\r\n" + file)
    body = as_browsers_write(boundary, fields, "liste.txt", file)
    assert parse(body, boundary.encode()) == (
        {key: [value] for key, value in fields.items()},
        {"file": Upload("liste.txt", file)},
    )


@given(st.binary(max_size=400), st.binary(min_size=1, max_size=5))
def test_whatever_comes_nothing_is_raised(body: bytes, boundary: bytes) -> None:
    for each in (body, b"--" + boundary + body, b"--" + boundary + b"\r\n" + body + b"\r\n--" + boundary + b"--"):
        found = parse(each, boundary)
        assert found is None or len(found) == 2


@given(st.data())
def test_a_form_that_was_cut_is_none(data: st.DataObject) -> None:
    body = as_browsers_write("b0undary", {"a": "1"}, "x", b"line\r\n" * 20)
    cut = data.draw(st.integers(0, len(body) - len(b"--\r\n") - 1))
    assert parse(body[:cut], b"b0undary") is None


def test_the_folder_of_a_file_name_is_dropped_and_an_empty_field_is_no_file() -> None:
    for name in ("C:\\mine\\liste.txt", "../../liste.txt", "/etc/liste.txt"):
        parsed = parse(as_browsers_write("b", {}, name, b"x"), b"b")
        assert parsed is not None
        assert parsed[1]["file"].name == "liste.txt"
    empty = parse(as_browsers_write("b", {}, "", b""), b"b")
    assert empty == ({}, {})


def test_too_many_parts_are_refused() -> None:
    fields = {f"f{number}": "x" for number in range(MAX_PARTS)}
    assert parse(as_browsers_write("b", fields, "x", b""), b"b") is None


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=----WebKitFormBoundaryx1", b"----WebKitFormBoundaryx1"),
        ('Multipart/Form-Data; boundary="a b"', b"a b"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/mixed; boundary=x", None),
        ("multipart/form-data; boundary=" + "x" * 71, None),
        ("application/x-www-form-urlencoded", None),
    ],
)
def test_boundaries(header: str, boundary: bytes | None) -> None:
    assert boundary_of(header) == boundary
