r"""Domain names in one normal form, the same for lists, queries, policy documents and the console.

The normal form is lower case, A-labels, no trailing dot; every byte of a label that is not printable ASCII,
and every dot or backslash inside a label, is written `\DDD` (RFC 1035 §5.1). The root is the empty text.

# INVARIANT: a dot in the normal form always separates two labels, so that parents are found by looking for
# dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import idna

MAX_NAME_OCTETS = 255  # on the wire, with length bytes and the root (RFC 1035 §2.3.4)
MAX_LABEL_OCTETS = 63

# Nearly every name: letters, digits, hyphens and underscores already in lower case.
_PLAIN = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_FOUR_NUMBERS = re.compile(r"\d{1,10}(?:\.\d{1,10}){3}")
_LISTABLE = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_IDNA_DOTS = "。．｡"  # RFC 3490 §3.1: read as label separators
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/{1,3}|//")
_ESCAPE = re.compile(rb"\\([0-9]{3})")
WRITE = "write a domain name such as example.no"
_LENGTH = tuple(bytes((length,)) for length in range(MAX_LABEL_OCTETS + 1))
_PLAIN_BYTES = frozenset(range(0x21, 0x7F)) - set(b".\\")


class PolicyError(ValueError):
    """The root of what this package raises: bad input, with a message that says what is wrong with it."""


class NameError_(PolicyError):  # noqa: N801, N818 - the name that callers agreed on; `NameError` is taken
    """Text that is not a usable domain name. `reason` is a stable key for counting and for translation."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normalise(text: str) -> str:
    r"""The normal form of a domain name in presentation format; `"."` gives `""`, the root.

    U-labels become A-labels by IDNA 2008 after UTS 46 mapping (RFC 5891, RFC 5895); ASCII labels are only
    lower-cased, as DNS compares them (RFC 4343), and never refused for what IDNA thinks of them. Escapes
    `\.` and `\046` are read.

    Raises: NameError_ with reason `empty`, `empty_label`, `label_too_long`, `name_too_long`, `ip_address`,
        `bad_character`, `bad_escape` or `idna`.
    """
    if len(text) <= 253 and _PLAIN.fullmatch(text):
        return _not_an_address(text)
    if not text:
        raise NameError_("empty", f"empty name: {WRITE}")
    if text == ".":
        return ""
    if len(text) > 4 * MAX_NAME_OCTETS:
        raise NameError_("name_too_long", f"{text[:40]}…: longer than {MAX_NAME_OCTETS} octets")
    if ":" in text:
        address_like = re.fullmatch(r"\[?[0-9A-Fa-f:.]+(?:%\w+)?\]?", text)
        if address_like and text.count(":") >= 2:
            raise _address(text)
    labels = _split(text)
    return _not_an_address(from_labels([_label_octets(label, text) for label in labels]))


def from_labels(labels: Iterable[bytes]) -> str:
    """The normal form of labels as they stand in a DNS message (without the root's empty label). Bytes ≥
    0x80 are kept.

    Any octets are valid in a query (RFC 2181 §11), so only the lengths are checked.

    Raises: NameError_ with reason `empty_label`, `label_too_long` or `name_too_long`.
    """
    parts: list[str] = []
    octets = 1
    for label in labels:
        if not label:
            raise NameError_("empty_label", "empty label: two dots in a row")
        if len(label) > MAX_LABEL_OCTETS:
            raise NameError_("label_too_long", f"a label of {len(label)} octets: at most {MAX_LABEL_OCTETS}")
        octets += 1 + len(label)
        lowered = label.lower()
        if _PLAIN_BYTES.issuperset(lowered):
            parts.append(lowered.decode("ascii"))
        else:
            parts.append("".join(chr(b) if b in _PLAIN_BYTES else f"\\{b:03d}" for b in lowered))
    if octets > MAX_NAME_OCTETS:
        raise NameError_("name_too_long", f"a name of {octets} octets: at most {MAX_NAME_OCTETS}")
    return ".".join(parts)


def listable(text: str) -> str:
    """The normal form of a name that may stand in a list or a rule, where it means itself and everything
    below it.

    Raises: NameError_ as `normalise`, and with reason `root` (it would mean every name) or `bad_character`
        where a label has anything but letters, digits, hyphens and underscores.
    """
    name = normalise(text)
    if not name:
        raise NameError_("root", f"the root means every name: {WRITE}")
    if not _LISTABLE.fullmatch(name):
        raise NameError_(
            "bad_character", f"{text[:80]}: only letters, digits, hyphens and underscores make a name; {WRITE}"
        )
    return name


def from_person(text: str) -> str:
    """The name that a person meant who typed or pasted a name, a URL, `host:port`, an e-mail address or
    `*.name`.

    Angle brackets round a whole name are left out, as in `<www.example.no>`; a word in them (`<script>`) is no name.

    Raises: NameError_ as `listable`.
    """
    rest = text.strip().strip("\"'<>«»“”").strip()
    rest = _SCHEME.sub("", rest, count=1) if _SCHEME.match(rest) else rest
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    rest = re.sub(r"(?<=[^:]):\d{1,5}$", "", rest) if rest.count(":") == 1 or "]" in rest else rest
    rest = rest.removeprefix("*.").removeprefix(".")
    name = listable(rest)
    if "." not in name and not {"<", ">"}.isdisjoint(text):
        raise NameError_("bad_character", f"{text[:80]}: not a name in angle brackets; {WRITE}")
    return name


def parents(name: str) -> Iterator[str]:
    """`name` (normal form), then each parent up to its last label: `a.b.no`, `b.no`, `no`. The root itself
    is left out.
    """
    while name:
        yield name
        dot = name.find(".")
        if dot < 0:
            return
        name = name[dot + 1 :]


def to_wire(name: str) -> bytes:
    """A name in normal form as it stands in a DNS message (RFC 1035 §3.1): length and octets of each label, then 0."""
    if "\\" in name:
        labels = [_ESCAPE.sub(lambda found: bytes((int(found[1]),)), each) for each in name.encode("ascii").split(b".")]
    else:
        labels = name.encode("ascii").split(b".") if name else []
    return b"".join([_LENGTH[len(label)] + label for label in labels]) + b"\0"


def is_under(name: str, suffix: str) -> bool:
    """Whether `name` is `suffix` or below it, on label boundaries; both in normal form. The root is above
    every name.
    """
    return name == suffix or not suffix or name.endswith("." + suffix)


def _address(text: str) -> NameError_:
    return NameError_("ip_address", f"{text}: an IP address, not a name; {WRITE}")


def _not_an_address(name: str) -> str:
    if _FOUR_NUMBERS.fullmatch(name):
        raise _address(name)
    return name


def _split(text: str) -> list[list[str | int]]:
    """Labels as characters, with octets from escapes as numbers."""
    labels: list[list[str | int]] = [[]]
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "." or character in _IDNA_DOTS:
            labels.append([])
        elif character != "\\":
            labels[-1].append(character)
        else:
            escaped = re.compile(r"([0-9]{3})|([^0-9])", re.ASCII | re.DOTALL).match(text, position)
            if escaped is None or (escaped[1] and int(escaped[1]) > 255) or (escaped[2] and ord(escaped[2]) > 126):
                raise NameError_(
                    "bad_escape", f"{text[:80]!r}: a backslash needs three digits (000-255) or one character"
                )
            labels[-1].append(int(escaped[1]) if escaped[1] else ord(escaped[2]))
            position = escaped.end()
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    return labels


def _label_octets(label: list[str | int], text: str) -> bytes:
    if not label:
        raise NameError_("empty_label", f"{text[:80]!r}: empty label, two dots in a row or a dot first")
    if all(isinstance(part, int) or "!" <= part <= "~" for part in label):
        return bytes(part if isinstance(part, int) else ord(part) for part in label)
    characters = "".join(part if isinstance(part, str) else f"\\{part:03d}" for part in label)
    if any(character <= " " or character == "\x7f" for character in characters):
        raise NameError_("bad_character", f"{text[:80]!r}: a space or control character inside a name; {WRITE}")
    try:
        mapped = idna.uts46_remap(characters, std3_rules=False, transitional=False)
        if mapped.isascii():
            encoded = mapped.lower().encode("ascii")
        else:
            return idna.alabel(mapped)
    except (idna.IDNAError, UnicodeError) as problem:
        reason = "label_too_long" if "too long" in str(problem) else "idna"
        raise NameError_(reason, f"{text[:80]!r}: not a valid internationalised name ({problem})") from None
    if not re.fullmatch(rb"[a-z0-9_-]+", encoded):
        raise NameError_("idna", f"{text[:80]!r}: not a valid internationalised name")
    return encoded
