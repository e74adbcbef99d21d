"""Canonical JSON (RFC 8785) for the values of the log: one value has one text, and only that text is read back.

Pure. Floats are refused, so the number format of RFC 8785 §3.2.2.3 reduces to plain integers that a double holds
exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from gateway.audit.errors import CanonicalError

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16


def encode(value: Json) -> bytes:
    """The one UTF-8 text of `value` (RFC 8785 §3.2).

    Raises: CanonicalError for floats, integers beyond ±(2^53-1), lone surrogates, other types, nesting beyond 16.
    """
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError("the text holds half a surrogate pair; remove that character") from None


def decode(data: bytes) -> Any:
    """The value of canonical text; any other spelling of the same value is refused.

    # INVARIANT: encode(decode(data)) == data

    Raises: CanonicalError for malformed, duplicate-keyed or non-canonical text.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"not JSON of the log: {error}") from None
    if encode(value) != data:
        raise CanonicalError("not canonical: key order, spacing, escapes or numbers differ from RFC 8785")
    return value


def _ordered(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise CanonicalError(f"integer {value} is beyond ±(2^53-1); store it as text")
        return value
    if depth >= MAX_DEPTH:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise CanonicalError("object keys must be text")
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    raise CanonicalError(f"{type(value).__name__} has no canonical form here; use text, integers, lists, objects")


def _utf16(key: str) -> bytes:
    # RFC 8785 §3.2.3 sorts by UTF-16 code units; code points would put U+FF61 before U+1F600 wrongly.
    return key.encode("utf-16-be", "surrogatepass")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"the number {text[:40]} is not an integer")
