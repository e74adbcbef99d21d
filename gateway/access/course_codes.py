"""Codes of courses: three everyday words, easy to read out, write on a board and type on a phone. Pure.

They are words of the list that devices show too (`three_words`): those that are spelt alike in bokmål and nynorsk, so
that a course's code is nobody's other language, without æ, ø and å, which not every guest's keyboard has. Three are
more than 29 bits, of which only the codes of a few courses at a time open anything, and guessing is slowed
(`captive_portal.guest.guessing`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from gateway.access.three_words import LENGTH
from gateway.access.three_words import WORDS as LIST

TYPED_MAX_CHARS = 60

_BOKMAAL_ALONE = """
badering bomvei bruker bryter budsjett ferge firfisle flodhest forside forsker frihet gartner hjerte hvalross hvete
hviske hvitveis jevn kilde kjemiker kokekar kommune kunstner ledning lengde lenke leserom lesesal likhet mandag maling
melk melding morgen murer nudler oppdager oppvask regning rolig rekkehus romferge selge skogsvei skomaker skredder
snegle speil spiker stemor sykkel tekjele tirsdag uke ugle urmaker veikryss veiskilt vekker verksted vindebro
"""
_LEFT_OUT = frozenset(_BOKMAAL_ALONE.split())
WORDS = tuple(word for word in LIST if word.isascii() and word not in _LEFT_OUT)


def new_code(below: Callable[[int], int]) -> str:
    """A fresh code such as `fjord-lampe-ekorn`. `below(n)` draws evenly from 0 … n-1, unguessably."""
    return "-".join(WORDS[below(len(WORDS))] for _ in range(LENGTH))


def code_key(typed: str) -> str:
    """What is compared: letters and digits alone, so that case, spaces, hyphens and stops don't count.

    Empty for what can be no code.
    """
    text = unicodedata.normalize("NFKC", typed[: 4 * TYPED_MAX_CHARS]).casefold()
    key = "".join(character for character in text if unicodedata.category(character)[0] in "LN")
    return key if len(key) <= TYPED_MAX_CHARS else ""
