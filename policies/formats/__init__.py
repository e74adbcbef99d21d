"""Published list text into entries and rejects: one file a format, one way to read them all."""

from policies.formats.detect import NotAListError, detect
from policies.formats.entry import Action, Entry, Refusal, Reject, Rejects
from policies.formats.lines import MAX_LINE_OCTETS, bounded_lines
from policies.formats.parsed import ParsedList, parse_domains
from policies.formats.reading import FORMATS, Format, Options, read_entries

__all__ = [
    "FORMATS",
    "MAX_LINE_OCTETS",
    "Action",
    "Entry",
    "Format",
    "NotAListError",
    "Options",
    "ParsedList",
    "Refusal",
    "Reject",
    "Rejects",
    "bounded_lines",
    "detect",
    "parse_domains",
    "read_entries",
]
