"""The look as the settings ask for it: what can't be used is refused, what is adjusted is told by `config check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.errors import UsageError
from gateway.look.load import load_look
from gateway.settings import Look

ARMS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


def check(tmp_path: Path, settings: str) -> tuple[int, str]:
    config = tmp_path / "c.toml"
    config.write_text(settings)
    result = CliRunner().invoke(cli, ["--config", str(config), "--state", str(tmp_path / "s"), "config", "check"])
    return result.exit_code, result.output


def test_without_settings_nothing_is_read_and_nothing_said() -> None:
    assert load_look(Look()) == load_look(Look(arms=None, accent=""))
    assert load_look(Look()).notes == ()


def test_arms_that_can_not_be_used_are_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"look\.arms can't be read"):
        load_look(Look(arms=tmp_path / "missing.svg"))
    bad = tmp_path / "bad.svg"
    bad.write_text(ARMS.replace("<path", "<script/><path"))
    with pytest.raises(UsageError, match="<script>"):
        load_look(Look(arms=bad))


def test_config_check_tells_of_a_colour_that_is_hard_to_read_and_refuses_what_is_none(tmp_path: Path) -> None:
    code, output = check(tmp_path, '[look]\naccent = "#ffd500"\n')
    assert code == 0
    assert "look.accent: #ffd500 has a contrast of 1." in output
    assert "3:1 is the least (WCAG 2.2, 1.4.11)" in output
    code, output = check(tmp_path, '[look]\naccent = "yellow"\n')
    assert (code, "setting look.accent: write # and six hexadecimal digits" in output) == (2, True)
    code, output = check(tmp_path, '[look]\narms = "missing.svg"\n')
    assert (code, "look.arms can't be read" in output) == (2, True)


def test_config_check_refuses_a_language_without_a_reviewer_and_a_statement_elsewhere(tmp_path: Path) -> None:
    code, output = check(tmp_path, '[portal]\nlanguages = ["nb", "de"]\n')
    assert (code, "nobody is named who has read the texts in Deutsch" in output) == (2, True)
    reviewed = '[portal]\nlanguages = ["nb", "de"]\nreviewers = { de = "Anna Berg" }\n'
    assert check(tmp_path, reviewed)[0] == 0
    code, output = check(tmp_path, '[portal]\naccessibility_statement = "https://example.com/x"\n')
    assert (code, "https://uustatus.no/" in output) == (2, True)
