"""What the pages of lists say of refreshes, refusals and rejected lines: keys of the lists' code, as sentences."""

from __future__ import annotations

from collections.abc import Mapping

from captive_portal.console.lists.details import detail
from captive_portal.console.look import N_

__all__ = ["ACCEPTABLE", "FETCHING", "LINES", "OTHER_TROUBLE", "OUTCOMES", "STAGES", "STILL", "TROUBLES", "detail"]

OUTCOMES: Mapping[str, str] = {
    "updated": N_("Fetched and put in force"),
    "unchanged": N_("Looked at: unchanged"),
    "refused": N_("Came, but was not put in force"),
    "failed": N_("Could not be fetched"),
}
STAGES: Mapping[str, str] = {
    "downloading": N_("Fetching: {done} of {total} KB"),
    "reading": N_("Reading: {done} names so far"),
    "sorting": N_("Sorting: {done} names so far"),
}
FETCHING = N_("Fetching: {done} KB so far")
STILL = N_("The list before it stays in force.")
# Why a refresh was refused or failed, by `SourceError.reason`.
TROUBLES: Mapping[str, str] = {
    "url": N_("The address can’t be used."),
    "private_address": N_("The address leads into a private network, which only the command line allows."),
    "no_address": N_("The server’s name was not found."),
    "redirects": N_("The server sends on to another address that is not followed."),
    "status": N_("The server answered with an error."),
    "too_large": N_("The file is too large."),
    "encoding": N_("The server sent it in an encoding that was not asked for."),
    "timeout": N_("The server did not deliver in time."),
    "connection": N_("The connection failed or was cut."),
    "busy": N_("Another refresh of this list was under way."),
    "bomb": N_("Unpacked, it is far too large."),
    "cut_short": N_("The packed file is cut short."),
    "damaged": N_("The packed file is damaged."),
    "layers": N_("It is packed too many times."),
    "no_member": N_("The packed file does not hold the one list that is expected."),
    "packer": N_("It is packed in a way that can’t be read."),
    "column": N_("It is a table: say which column holds the names."),
    "html": N_("A web page came instead of a list."),
    "json": N_("JSON came instead of a list."),
    "empty": N_("There is no usable name in it."),
    "binary": N_("It is not text."),
    "unknown": N_("Its format is not recognised."),
    "mostly_rejects": N_("More lines were rejected than read: it is no list, or in another format."),
    "public_suffixes": N_("It has too many names below which others register theirs."),
    "never_blocked": N_("It has too many names that are never blocked."),
    "shrunk": N_("It has less than half of the names that it had."),
    "grown": N_("It has more than ten times the names that it had."),
    "too_many": N_("It has too many names."),
    "disk": N_("The disk did not take it."),
}
OTHER_TROUBLE = N_("Something unexpected happened.")
# `RefusedError.reason` of a list that staff may want all the same.
ACCEPTABLE = frozenset({"shrunk", "grown"})
# Why a line gave no name, by `Refusal.reason`.
LINES: Mapping[str, str] = {
    "encoding": N_("not in UTF-8"),
    "line_too_long": N_("line too long"),
    "url": N_("an address of a page, not a name"),
    "ip_address": N_("an IP address, not a name"),
    "empty": N_("no name"),
    "empty_label": N_("two dots in a row"),
    "label_too_long": N_("a part of the name is too long"),
    "name_too_long": N_("the name is too long"),
    "bad_character": N_("characters that no name has"),
    "bad_escape": N_("a broken escape"),
    "idna": N_("letters that no name may have"),
    "root": N_("would mean every name"),
    "bad_line": N_("not a line of this format"),
    "directive": N_("an instruction that is not followed"),
    "no_address": N_("no address before the name"),
    "no_such_column": N_("the column is missing"),
    "option": N_("another setting of the program"),
    "outside_zone": N_("outside the zone"),
    "redirect": N_("leads somewhere instead of closing"),
    "unknown_kind": N_("a kind of line that is unknown"),
    "keyword": N_("a filter by keyword"),
    "regexp": N_("a filter by pattern"),
    "include": N_("a pointer to another list"),
    "wildcard_inside": N_("a wildcard inside the name"),
    "unknown_category": N_("an unknown category"),
    "attribute": N_("left out by its attribute"),
    "cosmetic": N_("a filter for how a page looks"),
    "forward": N_("an instruction to forward"),
    "local_name": N_("a name of the machine itself"),
    "path": N_("a filter for a part of a site"),
    "regex": N_("a filter by pattern"),
    "badfilter": N_("a filter that switches another off"),
    "modifier": N_("a filter with a condition that DNS can’t see"),
    "substring": N_("a filter for part of an address"),
    "trigger": N_("a filter for something else than names"),
    "zone_record": N_("a record of the zone itself"),
    "tcp_only": N_("a filter for TCP"),
}
