"""Which format a text is in, told from its first lines; and what is no list at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

SAMPLE_LINES = 2000

_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|script|meta|title|\?xml|!--)", re.IGNORECASE)
_JSON = re.compile(r'\{\s*(?:"|\}|$)|\[\s*(?:[\[{"]|$)')
_NAME = r"[\w-]+(?:\.[\w-]+)*\.?"
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[^ ]*:)[0-9A-Fa-f:.]+(?:%\w+)?)"
_CERTAIN = {  # nothing else looks like it, so a tenth of the lines is enough
    "rpz": re.compile(r"\$(?:TTL|ORIGIN)\s|\S+\s+(?:\d+\w?\s+)?(?:IN\s+)?(?:SOA|NS|CNAME|A|AAAA)\s", re.IGNORECASE),
    "dnsmasq": re.compile(r"(?:--)?(?:address|server|local)\s*=\s*/"),
    "adblock": re.compile(r"\[Adblock|(?:@@)?\|\|?[\w*.]|[^\s]*#@?[?$%]{0,2}#[^#\s]", re.IGNORECASE),
    "v2fly": re.compile(rf"(?:domain|full|keyword|regexp|include):\S|{_NAME}\s+@!?\w"),
}
_LIKELY = {  # the most frequent wins
    "hosts": re.compile(rf"{_ADDRESS}\s+\S"),
    "wildcards": re.compile(rf"(?:@@)?\*\.{_NAME}\s*(?:#|$)"),
    "domains": re.compile(rf"(?:@@)?\.?{_NAME}\s*(?:#|$)"),
    "csv": re.compile(r"[^\s,;|]*[,;|\t].*\w\.\w|.*\w\.\w[^,;|\t]*[,;|\t]"),
}


class NotAListError(ValueError):
    """The text is no list. `reason` is `html`, `json`, `empty`, `binary` or `unknown`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def detect(lines: Iterable[bytes]) -> str:
    """The key of the format of which these are the first lines (more than `SAMPLE_LINES` are not looked at).

    Raises: NotAListError.
    """
    sample = [line for line, _ in zip(lines, range(SAMPLE_LINES), strict=False)]
    if sum(b"\0" in line for line in sample) > len(sample) // 20:
        raise NotAListError("binary")
    texts = [line.decode("utf-8", "replace").lstrip("\ufeff").strip() for line in sample]
    texts = [text for text in texts if text]
    if not texts:
        raise NotAListError("empty")
    reason = looks_like_markup(texts)
    if reason is not None:
        raise NotAListError(reason)
    return _format(texts)


def looks_like_markup(texts: list[str]) -> str | None:
    """`html` or `json` when the text is one of them; else None. `texts` are lines without white space round them."""
    if _HTML.match(texts[0]) or sum(text.startswith("<") for text in texts) * 4 > len(texts):
        return "html"
    return "json" if _JSON.match(texts[0]) and not texts[0].lower().startswith("[adblock") else None


def _format(texts: list[str]) -> str:
    content = [
        text for text in texts if not text.startswith(("!", ";", "//")) and not re.match(r"#(?!@?[?$%]*#\S)", text)
    ]
    content += [text for text in texts if text.lower().startswith("! title") and "adblock" in text.lower()]
    certain = {key: sum(1 for text in content if pattern.match(text)) for key, pattern in _CERTAIN.items()}
    best = max(certain, key=certain.__getitem__)
    if certain[best] * 10 > len(content):
        return best
    likely = {key: sum(1 for text in content if pattern.match(text)) for key, pattern in _LIKELY.items()}
    best = max(likely, key=likely.__getitem__)
    if likely[best] * 4 > len(content):
        return best
    if not content:
        raise NotAListError("empty")
    raise NotAListError("unknown")
