"""Reading a list in any format, line by line, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from policies.formats import adblock, delimited, dnsmasq, domains, hosts, rpz, stored, v2fly, wildcards
from policies.formats.entry import Entry, Refusal, Rejects
from policies.formats.lines import MAX_LINE_OCTETS
from policies.names import PolicyError

LineReader = Callable[[str], Sequence[Entry | Refusal]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a source says about its text. Each field concerns one format: `exact` hosts; `column`, `category_column`
    and `delimiter` csv; `only` and `without` (attributes) v2fly, `zone` rpz.
    """

    exact: bool = False
    column: int | str = 0
    category_column: int | str | None = None
    delimiter: str | None = None
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: `reader` makes a reader of lines for one text, `render` writes entries that it reads back."""

    key: str
    reader: Callable[[Options], LineReader]
    render: Callable[[Iterable[Entry]], Iterator[str]]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.key: each
        for each in (
            Format("domains", lambda _: domains.read, domains.render),
            Format("hosts", lambda chosen: hosts.read_exact if chosen.exact else hosts.read, hosts.render),
            Format("wildcards", lambda _: wildcards.read, wildcards.render),
            Format("adblock", lambda _: adblock.read, adblock.render),
            Format("rpz", lambda chosen: rpz.reader(chosen.zone), rpz.render),
            Format("dnsmasq", lambda _: dnsmasq.read, dnsmasq.render),
            Format("v2fly", lambda chosen: v2fly.reader(chosen.only, chosen.without), v2fly.render),
            Format(
                "csv",
                lambda chosen: delimited.reader(chosen.column, chosen.category_column, chosen.delimiter),
                delimited.render,
            ),
            Format("stored", lambda _: stored.read, stored.render),
        )
    }
)


def read_entries(key: str, lines: Iterable[bytes], rejects: Rejects, options: Options | None = None) -> Iterator[Entry]:
    """The entries of a text in format `key`, in its order and as often as it says them; `rejects` fills meanwhile.

    `lines` come with or without their ends. Nothing that a line holds makes this raise.

    Raises: PolicyError when there is no such format.
    """
    if key not in FORMATS:
        raise PolicyError(f"there is no list format {key!r}: choose one of {', '.join(FORMATS)}")
    return _entries(FORMATS[key].reader(options or Options()), lines, rejects)


def _entries(read: LineReader, lines: Iterable[bytes], rejects: Rejects) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        rejects.lines = number
        refuse = partial(rejects.add, number=number, line=line)
        if len(line) > MAX_LINE_OCTETS:
            refuse(Refusal("line_too_long"))
            continue
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            refuse(Refusal("encoding"))
            continue
        if number == 1:
            text = text.removeprefix("\ufeff")
        for found in read(text.rstrip("\r\n")):
            if isinstance(found, Entry):
                yield found
            else:
                refuse(found)
