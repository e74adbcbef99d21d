"""The format is told from the text; what is no list is recognised as such."""

from __future__ import annotations

import pytest

from policies.formats import NotAListError, detect

TEXTS = {
    "domains": "# list\n\na.no\nb.example.com\n.c.no\n",
    "hosts": "# hosts\n127.0.0.1 localhost\n0.0.0.0 a.no\n0.0.0.0 b.no\n",
    "wildcards": "*.a.no\n*.b.no\nc.no\n",
    "adblock": "[Adblock Plus]\n! Title: x\n||a.no^\n@@||b.no^\n",
    "rpz": "$TTL 60\n@ SOA a. b. 1 2 3 4 5\na.no CNAME .\n*.a.no CNAME .\n",
    "dnsmasq": "# x\naddress=/a.no/0.0.0.0\nserver=/b.no/\n",
    "v2fly": "include:x\nfull:a.no @cn\nb.no\nc.no\n",
    "csv": "id,host,seen\n1,a.no,today\n2,b.no,today\n",
}


@pytest.mark.parametrize("key", TEXTS)
def test_each_format(key: str) -> None:
    assert detect(TEXTS[key].encode().splitlines()) == key
    assert detect(("\ufeff" + TEXTS[key]).encode().splitlines(keepends=True)) == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "html"),
        (b"\n\n  <HTML>\n", "html"),
        (b"<?xml version='1.0'?>\n", "html"),
        (b"\xef\xbb\xbf<html>\n", "html"),
        (b'{"error": "not found"}', "json"),
        (b'[{"a": 1}]', "json"),
        (b"", "empty"),
        (b"# only\n! remarks\n", "empty"),
        (b"\x00\x01\x02\n\x00\x03", "binary"),
        (b"this is some prose\nwith nothing of use\nin it !!\n", "unknown"),
    ],
)
def test_what_is_no_list(text: bytes, reason: str) -> None:
    with pytest.raises(NotAListError) as caught:
        detect(text.splitlines())
    assert caught.value.reason == reason
