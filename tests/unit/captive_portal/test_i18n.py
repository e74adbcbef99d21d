"""Catalogues: complete, used, with the same placeholders; languages chosen as browsers and links ask."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from captive_portal.guest.guideline_words import REASONS
from captive_portal.i18n import LOCALE, CatalogueError, Translator, negotiate, read_catalogue, translators
from captive_portal.languages import check_languages, reviewer
from gateway.errors import UsageError
from gateway.settings import Portal
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
        if module.stem in ("accepting", "form_words"):
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
    texts = read_catalogue(LOCALE / "nn" / "LC_MESSAGES" / f"{domain}.po")
    assert [text for text in texts.values() if "igjen" in text] == []


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


@pytest.mark.parametrize(
    ("accept", "expected"),
    [("nb-NO,nb;q=0.9,en;q=0.8", "nn"), ("no", "nn"), ("nn-NO", "nn"), ("en-GB,nb;q=0.5", "en"), ("nb", "nn")],
)
def test_where_nynorsk_is_official_a_phone_that_says_nb_gets_it(accept: str, expected: str) -> None:
    assert negotiate(accept, None, ("nn", "nb", "en")) == expected


def test_with_one_norwegian_form_both_requests_get_it() -> None:
    assert negotiate("nn-NO, en;q=0.5", None, ("nb", "en")) == "nb"
    assert negotiate("nb, en;q=0.5", None, ("en", "nn")) == "nn"


@pytest.mark.parametrize(
    ("language", "moment", "count"),
    [
        ("de", "2. Juli 2026 um 00:05 Uhr", "12.345"),
        ("pl", "2 lipca 2026, 00:05", "12 345"),
        ("uk", "2 липня 2026 р. о 00:05", "12 345"),
        ("se", "2. suoidnemánnu 2026, 00.05", "12 345"),
        ("smj", "2.7.2026, 00.05", "12 345"),
        ("sma", "2.7.2026, 00.05", "12 345"),
    ],
)
def test_dates_and_numbers_of_further_languages(language: str, moment: str, count: str) -> None:
    t = Translator(language, {}, ZoneInfo("Europe/Oslo"))
    said = re.sub(r"\s", " ", t.moment(datetime(2026, 7, 1, 22, 5, tzinfo=UTC)))
    assert said == moment
    assert re.sub(r"\s", " ", t.count(12345)) == count


def test_a_further_language_is_off_until_a_reviewer_is_named(tmp_path: Path) -> None:
    draft = Portal(languages=("nb", "de"))
    with pytest.raises(UsageError, match="nobody is named who has read the texts in Deutsch"):
        check_languages(draft)
    check_languages(Portal(languages=("nb", "de"), reviewers={"de": "Anna Berg, 2026-11-02"}))
    with pytest.raises(UsageError, match="nobody is named"):
        check_languages(Portal(languages=("nb", "de"), reviewers={"de": "  "}))
    with pytest.raises(UsageError, match="no texts in Davvisámegiella"):
        check_languages(Portal(languages=("nb", "se"), reviewers={"se": "Anna Berg"}))
    with pytest.raises(UsageError, match="twice"):
        check_languages(Portal(languages=("nb", "nb")))
    check_languages(Portal())
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "guest.po").write_text(
        'msgid ""\nmsgstr ""\n"Language: de\\n"\n"X-Reviewed-By: Anna Berg, 2026-11-02\\n"\n'
    )
    check_languages(draft, tmp_path)
    assert reviewer(folder / "guest.po") == "Anna Berg, 2026-11-02"


@pytest.mark.parametrize("language", FURTHER)
def test_a_catalogue_without_a_reviewer_says_that_it_is_a_draft(language: str) -> None:
    path = LOCALE / language / "LC_MESSAGES" / "guest.po"
    head = path.read_text(encoding="utf-8").partition("msgid")[0]
    assert bool(reviewer(path)) != ("draft" in head)
