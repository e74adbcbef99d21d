from hashlib import sha256

from policies.formats import Reject, parse_domains


def test_names_comments_exceptions_and_repeats() -> None:
    text = (
        "\ufeffExample.no\r\n# comment\n\n  møteplassen.no # with a remark\n@@good.example.no\nexample.no.\n".encode()
    )
    parsed = parse_domains(text.splitlines(keepends=True))
    assert parsed.entries == ("example.no", "xn--mteplassen-0cb.no")
    assert parsed.exceptions == ("good.example.no",)
    assert parsed.duplicates == 1
    assert parsed.rejects == {}
    assert parsed.sha256 == sha256(text).hexdigest()


def test_every_rejected_line_is_counted_by_reason_with_examples() -> None:
    lines = [b"192.0.2.1", b"ok.no", b"\xff\xfe.no", b"a b.no", b"x" * 5000, b"*.no", b"@@", b"@@ ", b"."]
    parsed = parse_domains(lines + [b"10.0.0.%d" % number for number in range(20)])
    assert parsed.entries == ("ok.no", "no")
    assert parsed.rejects == {
        "bad_character": 1,
        "empty": 2,
        "encoding": 1,
        "ip_address": 21,
        "line_too_long": 1,
        "root": 1,
    }
    assert parsed.examples[0] == Reject(1, "192.0.2.1", "ip_address")
    assert sum(example.reason == "ip_address" for example in parsed.examples) == 5
    assert all(len(example.text) <= 80 for example in parsed.examples)


def test_an_html_page_gives_no_names() -> None:
    page = b"<!DOCTYPE html>\n<html>\n<body class=x>\n</body></html>\n"
    parsed = parse_domains(page.splitlines(keepends=True))
    assert parsed.entries == ()
    assert sum(parsed.rejects.values()) == 4
