from zoneinfo import ZoneInfo

import pytest

from policies.diff import changes
from policies.diff_words import SENTENCES, in_words
from policies.document import parse_document

OSLO = ZoneInfo("Europe/Oslo")
HOURS = {"categories": ["dating"], "days": ["mon", "fri"], "from": "16:00", "to": "22:00", "effect": "open"}
EXEMPTION = {
    "id": "e1", "group": "course", "categories": ["gaming"], "from": "2026-12-01T08:00", "until": "2026-12-01T16:00",
    "approved_by": "Kari", "reason": "kurs",
}  # fmt: skip


def policy(course=None, **more):
    groups = {"default": {"mark": 1, "closed": ["adult"]}}
    if course is not None:
        groups["course"] = {"mark": 2, "closed": ["adult", "dating"]} | course
    return parse_document({"version": 2, "groups": groups} | more)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (policy({}), policy({"schedules": [HOURS]}), {
            "nb": "Datingtjenester (kontaktformidling) åpnet for gruppen course fra 16:00 til 22:00 (mandag, fredag)",
            "nn": "Datingtenester (kontaktformidling) opna for gruppa course frå 16:00 til 22:00 (måndag, fredag)",
            "en": "Dating services opened for group course from 16:00 to 22:00 (Monday, Friday)",
        }),
        (policy({}), policy({"closed": ["adult"]}), {"en": "Dating services opened for group course"}),
        (policy({}), policy({}, exemptions=[EXEMPTION]), {
            "en": "Exemption e1 for group course: online games from 2026-12-01 08:00 to 2026-12-01 16:00, "
            "approved by Kari (kurs)",
        }),
        (policy({}), policy({"permit": ["a.no"]}), {"nb": "a.no tillatt for gruppen course"}),
        (policy({}), policy({"safe_search": ["google"]}), {"nn": "Trygt søk på for gruppa course: google"}),
        (policy({}), policy({"judge": {"gambling": 0.975}}), {
            "en": "Unlisted names that look like gambling blocked for group course from 97.5 % confidence",
        }),
        (policy({}), policy({"top_names": True}), {
            "en": "Refused and suspected names that at least five devices ask for kept for 24 hours for group course",
        }),
        (policy({"top_names": True}), policy({}), {
            "nb": "Navn som enheter spør etter, lagres ikke lenger for gruppen course",
        }),
        (policy({}), policy(), {"nb": "Gruppen course er fjernet"}),
        (policy({"names": {"nb": "Kurs", "nn": "Kurs", "en": "Course"}}),
         policy({"names": {"nb": "Gjester", "nn": "Gjester", "en": "Guests"}}), {
            "en": "Group course is now called “Gjester / Guests”",
        }),
        (policy(), policy(block_answer="nodata"), {"en": "Closed names are answered with nodata instead of zero"}),
    ],
)  # fmt: skip
def test_in_words(before, after, said) -> None:
    found = changes(before, after)
    assert len(found) == 1
    for language, text in said.items():
        assert in_words(found[0], language, OSLO) == text


def test_a_new_group_tells_all_that_it_closes() -> None:
    found = changes(policy(), policy({}))
    assert [change.kind for change in found] == ["group_added", "closed", "closed"]
    assert in_words(found[0], "en", OSLO) == "New group course", "a mark is for machines"


def test_sentences_name_the_same_things_in_each_language() -> None:
    import re

    for kind, sentences in SENTENCES.items():
        fields = {tuple(sorted(re.findall(r"{(\w+)}", text))) for text in sentences}
        assert len(fields) == 1, kind
