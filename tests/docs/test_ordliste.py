"""The word list is followed: its words are used where their term is, and its words to avoid nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from captive_portal.i18n import LOCALE, read_catalogue
from gateway.audit.bundle_readme import README
from gateway.audit.view_words import REPORT, WORKBOOK

LIST = Path(__file__).parents[2] / "docs" / "ordliste.md"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
STARTER = files("gateway.terms") / "starter"
NORWEGIAN = ("nb", "nn")


@dataclass(frozen=True)
class Word:
    """A row: the English term, its stems by language, and the stems to avoid."""

    term: str
    stems: dict[str, tuple[str, ...]]
    avoid: tuple[str, ...]


def _words() -> list[Word]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in LIST.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    return [Word(row[0], {"nb": _forms(row[1]), "nn": _forms(row[2])}, _forms(row[4])) for row in rows[1:]]


def _forms(cell: str) -> tuple[str, ...]:
    return tuple(form.strip() for form in cell.split(",") if form.strip())


def _texts() -> dict[str, str]:
    """Everything that people are shown, by where it stands. Of a Norwegian catalogue, the Norwegian."""
    texts = {
        f"rules/{language}": (STARTER / f"{language}.md").read_text(encoding="utf-8") for language in ("nb", "nn", "en")
    }
    texts["bundle/README.txt"] = README
    for name, views in (("report", REPORT), ("workbook", WORKBOOK)):
        texts |= {f"{name}/{language}": "\n".join(words.values()) for language, words in views.items()}
    for language in (*NORWEGIAN, "en"):
        words = files("gateway.audit") / "verify_html" / f"words_{language}.js"
        texts[f"verify.html/{language}"] = words.read_text(encoding="utf-8")
    for path in CATALOGUES:
        entries = read_catalogue(path)
        texts[f"{path.parts[-3]}/{path.stem}"] = "\n".join([*entries.values(), *entries])
    return texts


def _has(text: str, stem: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(stem)}", text, re.IGNORECASE) is not None


def test_the_list_and_what_it_is_held_against_are_there() -> None:
    assert len(_words()) >= 15
    assert all(word.stems["nb"] and word.stems["nn"] for word in _words())
    assert len(CATALOGUES) >= 3
    assert [row.term for row in _words()] == sorted(row.term for row in _words())


@pytest.mark.parametrize("where", _texts())
def test_words_to_avoid_are_avoided(where: str) -> None:
    text = _texts()[where]
    assert [word for row in _words() for word in row.avoid if _has(text, word)] == []


@pytest.mark.parametrize("language", NORWEGIAN)
def test_catalogues_use_the_words_for_their_terms(language: str) -> None:
    wrong = []
    held = 0
    for path in CATALOGUES:
        if path.parts[-3] != language:
            continue
        for english, translated in read_catalogue(path).items():
            said = re.sub(r"{\w+}", "", english)
            for row in _words():
                if re.search(rf"(?<!\w){row.term}s?(?!\w)", said, re.IGNORECASE):
                    held += 1
                    if not any(_has(translated, stem) or stem in translated.lower() for stem in row.stems[language]):
                        wrong.append((path.stem, row.term, english, translated))
    assert held > 20
    assert wrong == []


@pytest.mark.parametrize("language", NORWEGIAN)
def test_rules_use_the_words(language: str) -> None:
    text = (STARTER / f"{language}.md").read_text(encoding="utf-8")
    rows = {row.term: row.stems[language] for row in _words()}
    for term in ("course instructor", "dating service", "guest network", "municipal director", "municipality", "rules"):
        assert any(_has(text, stem) for stem in rows[term]), term
