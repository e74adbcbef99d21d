"""Catalogues: complete, used, with the same placeholders; languages chosen as browsers and links ask."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from captive_portal.guest.closed import REASONS
from captive_portal.i18n import LOCALE, CatalogueError, negotiate, read_catalogue, translators
from policies.categories import CATEGORIES

PORTAL = LOCALE.parent
NORWEGIAN = ("nb", "nn")
FURTHER = tuple(sorted({path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/guest.po")} - {"nb", "nn", "en"}))


def _used() -> set[str]:
    """Every English text of the guest pages: what `t(…)` is called with, and the texts kept in constants."""
    found: set[str] = set()
    for template in (PORTAL / "templates" / "guest").glob("*.html"):
        found.update(re.findall(r'\bt\("([^"]+)"', template.read_text(encoding="utf-8")))
    for module in (PORTAL / "guest").glob("*.py"):
        source = module.read_text(encoding="utf-8")
        found.update(re.findall(r'(?:\bt|translator)\(\s*"([^"]+)"', source))
        if "_FIELD_MESSAGES" in source:
            found.update(re.findall(r'(?:"\): |^_[A-Z_]+ = )"([^"]+)"', source, re.MULTILINE))
    return found | set(REASONS.values())


def _of_the_taxonomy() -> set[str]:
    """The categories' texts, which the taxonomy itself has in the product's own languages."""
    return {text["en"] for each in CATEGORIES.values() for text in (each.names, each.descriptions)}


def _without_values(text: str) -> str:
    return re.sub(r"{\w+}", "", text)


@pytest.mark.parametrize("language", FURTHER)
def test_no_text_is_missing_in_a_further_language(language: str) -> None:
    catalogue = read_catalogue(LOCALE / language / "LC_MESSAGES" / "guest.po")
    assert set(catalogue) == _used() | _of_the_taxonomy()


@pytest.mark.parametrize("language", [*NORWEGIAN, *FURTHER])
def test_no_text_is_left_in_english(language: str) -> None:
    """A text that is the same in both is one word that both have."""
    catalogue = read_catalogue(LOCALE / language / "LC_MESSAGES" / "guest.po")
    same = {english for english, text in catalogue.items() if english == text and re.search("[a-z]", english)}
    assert {text for text in same if len(_without_values(text).split()) > 1} == set()
    assert same <= {"{minutes} min", "Name", "Proxies and VPN", "Phishing", "Streaming", "Messaging", "Start"}


@pytest.mark.parametrize("language", NORWEGIAN)
def test_no_text_of_the_guest_pages_is_missing_or_left_over(language: str) -> None:
    catalogue = read_catalogue(LOCALE / language / "LC_MESSAGES" / "guest.po")
    assert len(catalogue) > 60
    assert set(catalogue) == _used()


@pytest.mark.parametrize(
    ("language", "domain"),
    [
        *((language, domain) for language in NORWEGIAN for domain in ("guest", "console")),
        *((one, "guest") for one in FURTHER),
    ],
)
def test_translations_have_the_placeholders_of_the_original(language: str, domain: str) -> None:
    path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    for english, translated in read_catalogue(path).items():
        assert sorted(re.findall(r"{\w*}", english)) == sorted(re.findall(r"{\w*}", translated)), english


@pytest.mark.parametrize("domain", ["guest", "console"])
def test_nynorsk_says_att_and_not_igjen(domain: str) -> None:
    policy = (PORTAL / "console" / "policy.py").read_text(encoding="utf-8")
    texts = read_catalogue(LOCALE / "nn" / "LC_MESSAGES" / f"{domain}.po")
    assert [text for english, text in texts.items() if "igjen" in text and english not in policy] == []


def test_texts_are_filled_in_and_fall_back_to_english() -> None:
    languages = translators("guest", ("nb", "nn", "en"))
    assert languages["nb"]("{hours} h {minutes} min", hours=3, minutes=5) == "3 t 5 min"
    assert languages["en"]("Sign off") == "Sign off"
    assert languages["nn"]("A text that is nowhere") == "A text that is nowhere"


def test_dates_are_written_as_each_language_does_in_local_time() -> None:
    languages = translators("guest", ("nb", "nn", "en"))
    moment = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)
    assert languages["nb"].moment(moment) == "2.\u00a0juli 2026 kl.\u00a000.05"
    assert languages["nn"].day(date(2026, 5, 17)) == "17.\u00a0mai 2026"
    assert languages["en"].moment(moment) == "2\u00a0July 2026 at\u00a000:05"


@pytest.mark.parametrize(
    ("accept", "wanted", "expected"),
    [
        ("", None, "nb"),
        ("nn-NO, nb;q=0.8", None, "nn"),
        ("nb;q=0.5, nn;q=0.9", None, "nn"),
        ("no", None, "nb"),
        ("sv, da", None, "nb"),
        ("en;q=0", None, "nb"),
        ("en;q=nonsense, nn;q=0.1", None, "nn"),
        ("en", "nn", "nn"),
        ("en", "xx", "en"),
        ("," * 5000, None, "nb"),
    ],
)
def test_negotiate(accept: str, wanted: str | None, expected: str) -> None:
    assert negotiate(accept, wanted, ("nb", "nn", "en")) == expected


def test_the_municipality_decides_the_first_language() -> None:
    assert negotiate("de", None, ("nn", "nb", "en")) == "nn"


def test_catalogue_syntax(tmp_path: Path) -> None:
    path = tmp_path / "x.po"
    path.write_text(
        'msgid ""\nmsgstr "Header\\n"\n\n# note\nmsgid "a"\n" \\"b\\""\nmsgstr "c\\n"\n"d"\n\nmsgid "e"\nmsgstr ""\n'
    )
    assert read_catalogue(path) == {'a "b"': "c\nd"}
    path.write_text("garbage\n")
    with pytest.raises(CatalogueError, match=r"x\.po can't be read"):
        read_catalogue(path)
    with pytest.raises(CatalogueError, match="can't be read"):
        read_catalogue(tmp_path / "missing.po")
