"""Whether an Accept header lets an answer through (RFC 9110 §12.5.1). Pure."""

from __future__ import annotations

from collections.abc import Collection


def accepts(header: str, offered: Collection[str]) -> bool:
    """Whether one of the media types is acceptable. A header that says nothing that can be read accepts anything."""
    ranges = [_read(part) for part in header.split(",") if part.strip()]
    known = [each for each in ranges if each is not None]
    if not known:
        return True
    return any(_weight(known, media_type) > 0 for media_type in offered)


def _read(part: str) -> tuple[str, float] | None:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if name.count("/") != 1:
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return None
    return name, 1.0


def _weight(ranges: Collection[tuple[str, float]], media_type: str) -> float:
    """The weight that the most specific range gives it."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        weights = [weight for each, weight in ranges if each == name]
        if weights:
            return max(weights)
    return 0.0
