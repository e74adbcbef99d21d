"""Three words of a list for a number, and the number for the words as people type them: pure.

The list is our own: everyday Norwegian words of three to eight letters. However its æ, ø and å are spelt, no word
begins another, so that words run together part in one way only; and none becomes another by one letter changed,
missing or added, so that a slip is seen. Three of them are more than 30 bits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from itertools import product

WORDS: tuple[str, ...] = tuple(files(__package__).joinpath("device_words.txt").read_text(encoding="utf-8").split())
LENGTH = 3
COUNT = len(WORDS) ** LENGTH
MAX_CHARS = 80
_SPELT = {"æ": ("ae", "a"), "ø": ("oe", "o"), "å": ("aa", "a")}
_TYPED = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe"})
_SEPARATORS = frozenset(" -–—·.,;/_'\"\t\r\n\u00a0\u00ad")


def spellings(word: str) -> set[str]:
    """How a word of the list may be typed in a to z."""
    return {"".join(letters) for letters in product(*(_SPELT.get(letter, (letter,)) for letter in word))}


_BY_SPELLING = {spelling: place for place, word in enumerate(WORDS) for spelling in spellings(word)}
_LONGEST = max(map(len, _BY_SPELLING))


def words_of(number: int) -> tuple[str, ...]:
    """The words that stand for a number from 0 to `COUNT` - 1."""
    places = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(WORDS))
        places.append(place)
    return tuple(WORDS[place] for place in reversed(places))


def parse_words(text: str) -> int | None:
    """The number that a person meant: any case, words parted by spaces, hyphens, dots or nothing, æ as ae or a, ø as
    oe, o or ö, å as aa or a. None when these are not three words of the list.
    """
    if len(text) > MAX_CHARS:
        return None
    typed = "".join(
        letter for letter in unicodedata.normalize("NFC", text).casefold() if letter not in _SEPARATORS
    ).translate(_TYPED)
    found = set(_parted(typed, LENGTH))
    if len(found) != 1:
        return None
    number = 0
    for place in found.pop():
        number = number * len(WORDS) + place
    return number


def _parted(typed: str, count: int) -> Iterator[tuple[int, ...]]:
    if count == 0:
        if not typed:
            yield ()
        return
    for end in range(1, min(_LONGEST, len(typed)) + 1):
        place = _BY_SPELLING.get(typed[:end])
        if place is not None:
            yield from ((place, *rest) for rest in _parted(typed[end:], count - 1))
