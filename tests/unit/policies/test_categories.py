import pytest

from policies.categories import CATEGORIES, CLOSED_BY_DEFAULT, REQUIRED, Category


def test_the_four_that_the_guidelines_name_are_required_and_come_first() -> None:
    assert REQUIRED == ("gaming", "file_sharing", "dating", "adult")
    assert tuple(CATEGORIES)[:4] == REQUIRED


def test_closed_by_default() -> None:
    assert {*REQUIRED, "malware", "phishing", "encrypted_dns"} == CLOSED_BY_DEFAULT


@pytest.mark.parametrize("category", CATEGORIES.values(), ids=lambda each: each.key)
def test_each_is_described_in_one_sentence_in_three_languages(category: Category) -> None:
    assert set(category.names) == set(category.descriptions) == {"nb", "nn", "en"}
    for language in ("nb", "nn", "en"):
        assert category.names[language].strip()
        sentence = category.descriptions[language]
        assert sentence.endswith(".")
        assert sentence.count(".") == 1
        assert len(sentence) <= 110


def test_names_are_told_apart_in_every_language() -> None:
    for language in ("nb", "nn", "en"):
        assert len({category.names[language] for category in CATEGORIES.values()}) == len(CATEGORIES)


def test_dating_carries_the_word_of_the_guidelines() -> None:
    assert CATEGORIES["dating"].name("nb") == "Datingtjenester (kontaktformidling)"
