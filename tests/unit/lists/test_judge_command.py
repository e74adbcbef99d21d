"""`policy judge` on the command line: train, evaluate, explain, and what it says when it can't."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.lists.publish import publish
from policies.compiler import NamedList, compile_snapshot
from policies.document import default_document

pytest.importorskip("numpy", reason="numpy is not installed (extra judge)")

WORDS, PLAIN = ("casino", "jackpot", "bingo"), ("hage", "skole", "korps", "museum")


def made(words: tuple[str, ...], first: int, count: int) -> list[str]:
    return [f"{words[i % len(words)]}{i}.example" for i in range(first, first + count)]


def write(path: Path, names: list[str]) -> str:
    path.write_text("\n".join(names) + "\n")
    return str(path)


def run(state: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--state", str(state), "policy", "judge", *arguments])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    positive, negative = write(folder / "p", made(WORDS, 0, 600)), write(folder / "n", made(PLAIN, 0, 600))
    out = str(folder / "judge.model")
    done = run(folder, "train", "--positive", "gambling", positive, "--negative", negative, "--out", out)
    assert done.exit_code == 0, done.output
    assert "judges gambling" in done.stdout
    return out


def test_evaluate_prints_precision_and_recall(tmp_path: Path, model: str) -> None:
    yes, no = write(tmp_path / "p", made(WORDS, 5000, 100)), write(tmp_path / "n", made(PLAIN, 5000, 100))
    done = run(tmp_path, "evaluate", "--positive", yes, "--negative", no, "--model", model, "--json")
    rows = json.loads(done.stdout)
    assert {row["threshold"] for row in rows} >= {0.5, 0.9, 0.99}
    assert (rows[0]["recall"], rows[0]["precision"], rows[0]["false_alarms"]) == (1.0, 1.0, "0/100")


def test_evaluate_leaves_out_what_the_lists_in_force_have(tmp_path: Path, model: str) -> None:
    lists = [NamedList("test/gambling", "gambling", "0" * 64, made(WORDS, 5000, 60))]
    octets = compile_snapshot(default_document(), lists, 1, sections={"judge": Path(model).read_bytes()})
    publish(tmp_path, octets)
    yes, no = write(tmp_path / "p", made(WORDS, 5000, 100)), write(tmp_path / "n", made(PLAIN, 5000, 100))
    arguments = ("evaluate", "--positive", yes, "--negative", no, "--category", "gambling", "--json")
    assert json.loads(run(tmp_path, *arguments).stdout)[0]["found"] == "40/40"
    assert json.loads(run(tmp_path, *arguments, "--listed").stdout)[0]["found"] == "100/100"
    assert run(tmp_path, *arguments[:-2], "dating").exit_code == 2


def test_explain_names_the_pieces(tmp_path: Path, model: str) -> None:
    told = json.loads(run(tmp_path, "explain", "https://Casino777.example/x", "--model", model, "--json").stdout)
    assert told["name"] == "casino777.example"
    assert told["looks_like"][0]["confidence"] > 0.5
    assert any("asin" in piece["text"] for piece in told["looks_like"][0]["pieces"])
    assert "gambling" in run(tmp_path, "explain", "casino777.example", "--model", model).stdout


def test_wrong_use_is_one_line(tmp_path: Path, model: str) -> None:
    for arguments, code, line in (
        (("explain", "a.example"), 1, "there is no judge yet"),
        (("explain", "192.0.2.1", "--model", model), 2, "an IP address"),
        (("train",), 2, "--positive CATEGORY FILE"),
        (("train", "--positive", "nonsense", model), 2, "there is no category 'nonsense'"),
        (("train", "--positive", "gambling", str(tmp_path / "missing")), 2, "cannot be read"),
        (("explain", "a.example", "--model", write(tmp_path / "m", ["x"])), 1, "cut short"),
    ):
        done = run(tmp_path, *arguments)
        assert done.exit_code == code, (arguments, done.output)
        assert line in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
