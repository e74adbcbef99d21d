"""Codes of courses: three everyday words, easy to read out, write on a board and type on a phone. Pure.

The words are spelt alike in bokmål and nynorsk, without æ, ø and å, which not every guest's keyboard has; none is the
beginning of another. 256 words make 2²⁴ codes, of which only those of a few courses at a time open anything, and
guessing is slowed (`captive_portal.guest.guessing`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

WORDS_A_CODE = 3
TYPED_MAX_CHARS = 60

_LIST = """
adresse albatross album alfabet alge amulett ananas anker antikk april arkiv arm artist asfalt atlas avis badstu
bakke ballong banan basar bass bensin betong bever bibel bil binders bison bjelke blad blomst bok bonde bord bre
bris bro brus buss butikk cello dag dal dans delfin diamant dokke dollar drage drama drone drue dukke egg eik
ekorn elefant elg elv emalje engel eple eske europa fabel fabrikk familie fane fart fasan fasit fest figur fiken
film fisk fjell fjord flagg flaske flis folk form foto frakk frost fugl furu galleri garasje garn gasell geit
gelender genser gitar globus gneis golf gran grind grotte gryte gull hage hall hare harpe hatt hav hest hjort
holme honning hopp hotell humle hytte idrett insekt is jakke jazz jord jul juni kabel kaffe kaktus kalender
kamera kanon karm kart kasse katt kino kiste klem klippe klokke knapp knute kokos kompass konsert kopp korg korn
krabbe krans krone krukke krydder kurv kylling kyst laks lampe land lapp laser leir lerke lilje linje linse lodd
loft lue luft lupe lykt magnet mai mandel mango maraton mars maske matte medalje melon merke metall minutt
modell motor mus mygg myr nabo natt nese nikkel nord november nummer oliven olje onkel opal opera orden orgel
orkan orm ost panda papir paprika park pasta pedal pelikan penn pepper perle piano pilot pingvin planet plomme
polka prisme radio rakett rein rips robot rose safir safran salat salt sirkus skog sol stjerne storm taxi telt
tiger tog torsk trapp tulipan tunnel ulv vase viking villa vind vinter zebra
"""
WORDS = tuple(_LIST.split())


def new_code(below: Callable[[int], int]) -> str:
    """A fresh code such as `fjell-lampe-orkan`. `below(n)` draws evenly from 0 … n-1, unguessably."""
    return "-".join(WORDS[below(len(WORDS))] for _ in range(WORDS_A_CODE))


def code_key(typed: str) -> str:
    """What is compared: letters and digits alone, so that case, spaces, hyphens and stops don't count.

    Empty for what can be no code.
    """
    text = unicodedata.normalize("NFKC", typed[: 4 * TYPED_MAX_CHARS]).casefold()
    key = "".join(character for character in text if unicodedata.category(character)[0] in "LN")
    return key if len(key) <= TYPED_MAX_CHARS else ""
