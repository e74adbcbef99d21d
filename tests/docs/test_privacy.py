"""docs/privacy*.md: the article 13 text is the one that guests are shown, and the tables are whole in each language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Table

from captive_portal.guest.notice import Notice
from captive_portal.guest.site import TEMPLATES
from captive_portal.i18n import translators
from gateway.access.retention import Cutoffs, expired
from gateway.audit.entry import SHAPES
from gateway.audit.periods import parse_period
from gateway.clock import MUNICIPAL_ZONE
from gateway.settings import Privacy
from gateway.storage.base import Base

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"nb": "privacy.md", "nn": "privacy.nn.md", "en": "privacy.en.md"}
BEGIN, END = "<!-- article 13 -->", "<!-- /article 13 -->"
NOTICE = Notice(
    privacy=Privacy(
        controller="Storvik kommune, postmottak@storvik.kommune.no, 61 00 00 00",
        dpo="personvernombud@storvik.kommune.no",
        legal_basis="6.1.e",
        legal_basis_law="kommuneloven § 25-1",
        backup_days=30,
    ),
    blanks=(),
    asked=frozenset({"name", "organisation", "contact", "course_code"}),
    kept_until=date(2027, 7, 1),
    names_kept=False,
)


def page(language: str, notice: Notice = NOTICE) -> str:
    """The notice as guests are shown it, as HTML."""
    bare = DictLoader({"guest/base.html": "{% block main %}{% endblock %}"})
    environment = Environment(
        loader=ChoiceLoader([bare, FileSystemLoader(TEMPLATES)]), autoescape=True, undefined=StrictUndefined
    )
    t = translators("guest", tuple(FILES))[language]
    return environment.get_template("guest/privacy.html").render(t=t, notice=notice, link=lambda path: path)


def markdown(html: str) -> str:
    """The notice as the documents hold it."""
    text = html.partition('<p class="lead">')[2].rpartition("</section>")[0]
    text = re.sub(r"<h2>(.*?)</h2>", r"\n#### \1\n", text)
    text = re.sub(r"<li>(.*?)</li>", r"- \1", text)
    text = re.sub(r"</p>|</?ul>", "\n", text)
    lines = [" ".join(line.split()) for line in unescape(re.sub(r"<[^>]+>", "", text)).split("\n")]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).replace("\n\n- ", "\n- ").strip()


def document(language: str) -> str:
    return (DOCS / FILES[language]).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", FILES)
def test_the_text_of_article_13_is_what_guests_are_shown(language: str) -> None:
    shown = markdown(page(language)).split()
    assert len(shown) > 250
    written = document(language).partition(BEGIN)[2].partition(END)[0].split()
    assert written == shown


def test_what_guests_are_shown_depends_on_the_settings() -> None:
    kept = page("nb", replace(NOTICE, names_kept=True))
    assert "minst fem enheter" in kept
    assert kept != page("nb")


@pytest.mark.parametrize("language", FILES)
def test_every_table_of_the_database_is_in_the_retention_table(language: str) -> None:
    tables = {table.name for table in Base.metadata.sorted_tables if isinstance(table, Table)}
    assert len(tables) > 25
    text = document(language)
    assert {name for name in tables if f"`{name}`" not in text} == set()


def last_periods() -> set[str]:
    """The settings that decide when some personal value of the log is erased, asked of what erases them."""
    day, long = datetime(2026, 6, 1, tzinfo=UTC), timedelta(days=1)
    waits = set()
    for waiting in ("acceptances", "staff_logins", "staff_names"):
        over = Cutoffs(**{name: day - long if name == waiting else day + long for name in Cutoffs.__dataclass_fields__})
        waits |= {
            waiting for kind, shape in SHAPES.items() if expired(kind, day, shape.personal, over) != {*shape.personal}
        }
    return waits


@pytest.mark.parametrize("language", FILES)
def test_the_table_has_each_period_by_which_values_of_the_log_are_erased(language: str) -> None:
    rows = [row for row in document(language).splitlines() if row.startswith("| ")]
    of_guests, *of_staff = [row for row in rows if "`privacy." in row and re.search("`(visitor|disclosure)`", row)]
    assert "`acceptance`" in of_guests
    said = [re.search(r"`privacy\.(\w+)`\D+(\d+) da", row) for row in of_staff]
    days = {found[1]: f"{found[2]} days" for found in said if found is not None}
    assert days == {name: getattr(Privacy(), name) for name in last_periods() - {"acceptances"}}
    assert "`privacy.acceptances`" in of_guests


@pytest.mark.parametrize("language", FILES)
def test_what_retention_empties_or_never_reaches_is_in_the_table(language: str) -> None:
    rows = [row for row in document(language).splitlines() if row.startswith("| ")]
    for cell, said in (
        ("`policy_generation`", "`published_by` [^|]+ `note` [^|]+ `privacy.staff_names`"),
        ("`list_source`", "`privacy.staff_names`"),
        ("`*.before-restore`", "`jobs`"),
        ("`access_grant`, `device`, `disclosure`", ""),
    ):
        assert [row for row in rows if cell in row and re.search(said, row)], cell


WORDS_OF_LOOKING = {"nb": "slått opp noen", "nn": "slått opp nokon", "en": "looked somebody up"}


@pytest.mark.parametrize("language", FILES)
def test_nobody_is_told_that_looking_is_recorded(language: str) -> None:
    assert WORDS_OF_LOOKING[language] not in page(language)
    assert "0018-rooms.md" in document(language).partition("ROS")[2]


def test_the_languages_have_the_same_parts() -> None:
    def shape(text: str) -> list[tuple[int, int]]:
        """Of each part: the depth of its heading, and how many rows its tables have."""
        parts = re.split(r"^(#+) .*$", text, flags=re.MULTILINE)
        return [
            (len(depth), sum(line.startswith("|") for line in body.splitlines()))
            for depth, body in zip(parts[1::2], parts[2::2], strict=True)
        ]

    shapes = {language: shape(document(language)) for language in FILES}
    assert shapes["nb"] == shapes["nn"] == shapes["en"]
    assert sum(rows for _, rows in shapes["nb"]) > 50


@pytest.mark.parametrize("language", FILES)
def test_what_is_to_be_filled_in_is_marked(language: str) -> None:
    assert document(language).count("[…") >= 8


def test_the_day_in_the_example_is_that_of_the_default() -> None:
    over = parse_period(Privacy().acceptances).end(datetime(2026, 11, 1, tzinfo=UTC), MUNICIPAL_ZONE)
    assert over.astimezone(MUNICIPAL_ZONE).date() == NOTICE.kept_until
