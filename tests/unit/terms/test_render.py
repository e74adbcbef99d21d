"""Rules text as HTML: one page keeps one h1, and nothing but text comes through."""

from __future__ import annotations

import hashlib
import re

import pytest

from gateway.terms.publish import starter_texts
from gateway.terms.render import render


def test_headings_go_down_one_level() -> None:
    html = render("# A\n\n## B\n\n###### F\n\nSetext\n======\n")
    assert re.findall(r"<(h\d)>(\w+)</\1>", html) == [("h2", "A"), ("h3", "B"), ("h6", "F"), ("h2", "Setext")]
    assert "h1" not in html


def test_lists_emphasis_and_links() -> None:
    html = render("- **a** *b*\n\n3. x\n\n[Datatilsynet](https://example.no/a?b=1&c=2)\n\n> q\n")
    assert "<ul>\n<li><strong>a</strong> <em>b</em></li>\n</ul>" in html
    assert '<ol start="3">' in html
    assert '<a href="https://example.no/a?b=1&amp;c=2" rel="noopener noreferrer">Datatilsynet</a>' in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.no/tracker.png)",
        '<a href="https://example.no" style="color:red" onclick="x()">x</a>',
        "<style>p{display:none}</style>",
        "<!-- hidden -->",
    ],
)
def test_nothing_but_text_comes_through(hostile: str) -> None:
    tags = re.findall(r"<[^>]*>", render(hostile))
    assert tags
    assert not any(re.search(r"script|img|style|!--|javascript:|data:|\son\w+=|src=", tag) for tag in tags)


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_starter_text_is_rendered_the_same_every_time(language: str) -> None:
    text = starter_texts()[language]
    assert len({hashlib.sha256(render(text).encode()).hexdigest() for _ in range(5)}) == 1
    assert render(text).count("<h2>") == 2  # five points, and the text
    assert render(text).count("<li>") == 5 + 4


POINTS = {
    "nb": [
        "samme reglene som for fast tilknyttet utstyr i kommunen", "sikre og i stabil drift", "laste ned filer",
        "installere programmer", "IKT-avdelingen", "Nødvendige tilleggsprogrammer", "onlinespill", "fildeling",
        "datingtjenester", "pornografi", "stenger kommunen i utgangspunktet", "sosiale medier på vegne av kommunen",
        "kommunedirektørens ledelse", "etiske retningslinjer, vedtatt av kommunestyret 29.\u00a0januar 2009",
        "bygger på kommunens retningslinjer", "administrasjonsutvalget vedtok 6.\u00a0desember 2012",
    ],
    "nn": [
        "same reglane som for fast tilknytt utstyr i kommunen", "sikre og i stabil drift", "laste ned filer",
        "installere program", "IKT-avdelinga", "Nødvendige tilleggsprogram", "onlinespel", "fildeling",
        "datingtenester", "pornografi", "stengjer kommunen i utgangspunktet", "sosiale medium på vegner av kommunen",
        "leiinga til kommunedirektøren", "kommunestyret vedtok 29.\u00a0januar 2009",
        "byggjer på retningslinjene til kommunen", "administrasjonsutvalet vedtok 6.\u00a0desember 2012",
    ],
    "en": [
        "same rules as for the municipality’s permanently connected equipment", "secure and running reliably",
        "download files", "install programs", "ICT department", "Necessary add-ons", "online games", "file sharing",
        "dating services", "pornography", "By default, the municipality therefore closes",
        "social media on the municipality’s behalf",
        "municipal director’s management team",
        "ethical guidelines, adopted by the municipal council on 29\u00a0January 2009",
        "build on the municipality’s guidelines", "administration committee adopted on 6\u00a0December 2012",
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_every_point_of_the_guidelines_that_binds_a_guest_is_there(language: str) -> None:
    text = starter_texts()[language]
    assert [point for point in POINTS[language] if point not in text] == []
    assert not re.search(r"flash|java|adobe|samtykke|rådmann", text, re.IGNORECASE)
