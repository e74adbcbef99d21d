"""`gjestenett lists` as people and scripts use it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.lists import store


@pytest.fixture
def run(services):
    def call(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli, ["--state", str(services.settings.state), "lists", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Mine Liste.txt"
    path.write_text("||spill.example^\n@@||ok.spill.example^\nspill.example##.ad\n||1.2.3.4^\n")
    return path


def test_import_show_and_remove(run, file: Path, services) -> None:
    code, out, _ = run("import", "gaming", str(file), "--json")
    [row] = json.loads(out)
    assert code == 0
    assert {key: row[key] for key in ("source", "outcome", "names", "exceptions", "format", "rejected", "ignored")} == {
        "source": "gaming-mine-liste",
        "outcome": "updated",
        "names": 1,
        "exceptions": 1,
        "format": "adblock",
        "rejected": "ip_address 1",
        "ignored": "cosmetic 1",
    }
    [shown] = json.loads(run("show", "--on", "--json")[1])
    assert (shown["source"], shown["on"], shown["names"], shown["last"]) == ("gaming-mine-liste", "on", 1, "updated")
    code, out, _ = run("show", "gaming-mine-liste")
    assert code == 0
    assert "line 4: ||1.2.3.4^ (ip_address)" in out
    assert run("remove", "gaming-mine-liste", "--keep")[0] == 0
    assert json.loads(run("show", "--on", "--json")[1]) == []
    assert store.current_facts(services.settings.state, "gaming-mine-liste") is not None
    assert run("remove", "gaming-mine-liste")[0] == 0
    assert not store.folder_of(services.settings.state, "gaming-mine-liste").exists()
    code, _, err = run("remove", "gaming-mine-liste")
    assert (code, err.count("\n")) == (1, 1)


def test_a_damaged_list_is_shown_as_such(run, file: Path, services) -> None:
    run("import", "gaming", str(file))
    folder = store.folder_of(services.settings.state, "gaming-mine-liste")
    (folder / "current").resolve().with_suffix(".json").write_text("")
    [shown] = json.loads(run("show", "--on", "--json")[1])
    assert shown["fetched"] == "damaged"
    code, out, _ = run("show", "gaming-mine-liste")
    assert code == 0
    assert "fetch it again" in out


def test_a_list_found_damaged_when_compiling_is_shown_as_such_until_it_is_mended(run, file: Path, services) -> None:
    run("import", "gaming", str(file))
    state, key = services.settings.state, "gaming-mine-liste"
    (store.folder_of(state, key) / "current").resolve().write_text("other.example\n")
    assert store.mark_damaged(state, [key]) == {key}
    assert json.loads(run("show", "--on", "--json")[1])[0]["fetched"] == "damaged"
    assert "or import it" in run("show", key)[1]
    assert json.loads(run("import", "gaming", str(file), "--json")[1])[0]["outcome"] == "updated"
    assert json.loads(run("show", "--on", "--json")[1])[0]["fetched"] != "damaged"


def test_a_file_that_is_no_list_is_one_line_and_exit_code_1(run, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>Sign in</html>")
    code, _, err = run("import", "gaming", str(tmp_path / "page"))
    assert code == 1
    assert err.count("\n") == 1
    assert "web page" in err
    assert json.loads(run("show", "--on", "--json")[1]) == []
    assert "refused" in run("show", "gaming-page")[1] or run("show", "gaming-page")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "nonsense", "FILE"),
        ("import", "gaming", "FILE", "--format", "nonsense"),
        ("import", "gaming", "FILE", "--name", "../up"),
        ("import", "gaming", "FILE", "--option", "what=1"),
        ("import", "gaming", "missing"),
        ("add", "no-such-source"),
        ("add", "https://a.example/list"),
        ("add", "ftp://a.example/list", "--category", "gaming"),
        ("add", "https://a:b@a.example/list", "--category", "gaming"),
        ("sync", "no-such-source"),
        ("show", "no-such-source"),
    ],
)
def test_wrong_use_is_exit_code_2_and_says_what_to_do(run, file: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = run(*(str(file) if each == "FILE" else each for each in arguments))
    assert code == 2
    assert err.strip()


def test_the_catalogue_is_off_until_switched_on(run) -> None:
    rows = json.loads(run("show", "--json")[1])
    assert len(rows) > 90
    assert {row["on"] for row in rows} == {"off"}
    assert run("add", "ut1-games", "--hours", "48")[0] == 0
    [row] = json.loads(run("show", "--on", "--json")[1])
    assert (row["source"], row["category"], row["names"]) == ("ut1-games", "gaming", 0)


def test_a_list_of_the_catalogue_can_be_carried_in_by_hand_and_fetched_later(run, file: Path) -> None:
    assert run("import", "gaming", str(file), "--name", "ut1-games")[0] == 0
    assert "CC BY-SA 4.0" in run("show", "ut1-games")[1]
    assert "imported from a file" in run("show", "ut1-games")[1]
    assert run("add", "ut1-games")[0] == 0
    assert "games.tar.gz" in run("show", "ut1-games")[1]
    code, _, err = run("import", "gaming", str(file), "--name", "ut1-games")
    assert code == 2
    assert "is fetched from" in err


def test_a_source_that_comes_back_is_fetched_at_once_whatever_its_key_had_before(run, file: Path) -> None:
    assert run("import", "gaming", str(file), "--name", "mine")[0] == 0
    assert run("remove", "mine")[0] == 0
    assert run("add", "http://127.0.0.1:1/list", "--category", "gambling", "--name", "mine")[0] == 0
    code, _, err = run("sync", "--due")
    assert (code, "private network" in err) == (1, True)
    assert run("sync", "--due")[0] == 0  # once


def test_sync_of_a_source_that_can_not_be_reached(run) -> None:
    assert run("add", "http://127.0.0.1:1/list", "--category", "gaming", "--name", "mine")[0] == 0
    code, out, err = run("sync")
    assert code == 1
    assert "private network" in err
    assert "failed" in out
    assert run("sync", "--due")[0] == 0  # tried just now: not due
    assert json.loads(run("show", "--on", "--json")[1])[0]["last"] == "failed (private_address)"


def test_progress_bars_on_a_terminal_and_none_elsewhere(services, tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    path.write_text("".join(f"name{number}.example\n" for number in range(60_000)))
    command = [
        sys.executable,
        "-m",
        "gateway.cli",
        "--state",
        str(services.settings.state),
        "lists",
        "import",
        "gaming",
    ]
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen([*command, str(path)], stdout=subprocess.PIPE, stderr=terminal, env=environment)
    os.close(terminal)
    seen = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    output = process.communicate(timeout=60)[0]
    os.close(controller)
    assert process.returncode == 0, seen
    assert b"gaming-big" in seen
    assert b"sorting" in seen
    assert b"\x1b[" in seen
    assert b"60000" in output
    quiet = subprocess.run([*command, str(path)], capture_output=True, check=True, env=environment, timeout=60)
    assert quiet.stderr == b""
