"""`gjestenett policy` as IT and scripts use it, over a real installation."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from policies.document_toml import parse_toml
from policies.snapshot import NamedList


@pytest.fixture
def run(tmp_path: Path):
    state = tmp_path / "state"

    def call(*words: str, stdin: str | None = None, code: int = 0):
        result = CliRunner().invoke(cli, ["--state", str(state), *words], input=stdin)
        assert result.exit_code == code, result.output
        return result.output

    call("db", "upgrade")
    call.state = state
    return call


def test_a_course_from_group_to_rollback(run, tmp_path):
    assert "mark 2" in run("policy", "groups", "add", "course", "--like", "default", "--name", "Kurs")
    run("policy", "publish")
    run("policy", "open", "gaming", "--group", "course")
    run("policy", "permit", "https://Spill.example/side", "--group", "course")
    run("policy", "safe-search", "google", "youtube_strict", "--group", "course")
    run(
        "policy", "exemptions", "add", "dating", "--group", "course", "--from", "2026-12-01T08:00",
        "--until", "2026-12-01T16:00", "--approved-by", "Kari", "--reason", "kurs",
    )  # fmt: skip
    said = run("policy", "diff").splitlines()
    assert said[0] == "Online games opened for group course"
    assert "spill.example permitted for group course" in said
    assert "Unntak e1 for gruppen course" in run("policy", "diff", "--language", "nb")
    file = tmp_path / "policy.toml"
    run("policy", "export", "--out", str(file))
    assert "is right" in run("policy", "import", str(file), "--check")
    run("policy", "publish", "--by", "kari")
    exported = run("policy", "export")
    assert exported == file.read_text(encoding="utf-8")
    assert [group.mark for group in parse_toml(exported).groups.values()] == [2, 1]
    numbers = [row["generation"] for row in json.loads(run("policy", "history", "--json"))]
    run("policy", "rollback", str(numbers[1]), "--by", "ola")
    assert "spill.example" not in run("policy", "export")
    assert "no generation 99" in run("policy", "rollback", "99", code=2)
    run("policy", "import", str(file))
    assert run("policy", "export") == exported
    assert "there is a draft" in run("policy", "draft")
    run("policy", "draft", "--discard")
    assert "nothing is changed" in run("policy", "publish", code=1)
    assert "there are: course, default" in run("policy", "open", "x", "--group", "none", code=2)
    assert "there are: gaming" in run("policy", "open", "x", code=2)
    assert "Pornografi" in run("policy", "categories")


def test_a_bad_document_is_refused_with_every_line(run, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('version = 2\ntime_zone = "Mars"\n[groups.default]\nmark = 1\nclosed = ["x", "y"]\n')
    told = run("policy", "import", str(file), code=2).splitlines()
    assert [line.split(": ")[1] for line in told[:3]] == ["line 2", "line 5", "line 5"]
    assert "3 problem(s)" in told[3]


def test_explain_and_classify(run):
    run("policy", "forbid", "x.no")
    run("policy", "publish", "--by", "kari", "--note", "bestilt")
    generation = json.loads(run("policy", "history", "--json"))[0]["generation"]
    document_file = run("policy", "export", "--json")
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    publish(run.state, compile_policy(json.loads(document_file), generation, lists=lists))
    said = run("policy", "explain", "a.x.no")
    assert "is closed for group default" in said
    assert "forbidden by IT x.no" in said
    assert f"since: generation {generation}" in said
    assert "by kari: bestilt" in said
    facts = json.loads(run("policy", "explain", "www.game.example", "--at", "2026-12-01T16:00", "--json"))
    assert (facts["permitted"], facts["at"]) == (False, "2026-12-01T16:00:00+01:00")
    names = "game.example\n\nWWW.Game.Example.\nother.no\nnav.no\n1.2.3.4\næøå.no\n"
    assert run("policy", "classify", stdin=names).splitlines() == [
        "game.example\tgaming\ttest/gaming",
        "www.game.example\tgaming\ttest/gaming",
        "other.no\t\t",
        "nav.no\t\tnever_blocked/public_service",
        "1.2.3.4\t\terror:ip_address",
        "xn--5cab8c.no\t\t",
    ]
    rows = [json.loads(line) for line in run("policy", "classify", "--json", stdin=names).splitlines()]
    assert [row["categories"] for row in rows] == [["gaming"], ["gaming"], [], [], [], []]
    assert "there is no judge" in run("policy", "classify", "--judge", stdin="a.no\n", code=1)
    assert "no group 'none'" in run("policy", "explain", "a.no", "--group", "none", code=2)
