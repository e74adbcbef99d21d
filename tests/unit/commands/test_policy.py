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

    def call(*words: str, stdin: str | None = None, code: int | None = 0):
        result = CliRunner().invoke(cli, ["--state", str(state), *words], input=stdin)
        assert code in (None, result.exit_code), result.output
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


def test_moments_and_numbers_beyond_all_bounds_are_one_line(run, tmp_path):
    compile_draft(run, [])
    for at in ("0001-01-01T00:00", "9999-12-31T23:59", "1969-12-31T23:59+00:00"):
        (told,) = run("policy", "explain", "a.no", "--at", at, code=2).splitlines()
        assert "a year from 1970 to 9998" in told
        (told,) = run(
            "policy", "exemptions", "add", "dating", "--group", "default", "--until", at, "--approved-by", "Kari",
            "--reason", "kurs", code=2,
        ).splitlines()  # fmt: skip
        assert "a year from 1970 to 9998" in told
    file = tmp_path / "policy.toml"
    file.write_text("version = " + "9" * 5000)
    first, second = run("policy", "import", str(file), code=2).splitlines()
    assert "line 1: not TOML" in first
    assert "1 problem(s)" in second


def test_rollback_says_what_it_changes_and_what_stays_ended(run):
    add = ("policy", "exemptions", "add", "dating", "--group", "default", "--until", "2100-12-01T16:00")
    run(*add, "--approved-by", "Kari", "--reason", "kurs")
    run("policy", "publish")
    number = json.loads(run("policy", "history", "--json"))[0]["generation"]
    run("policy", "exemptions", "end", "e1")
    run("policy", "open", "gaming")
    run("policy", "publish")
    said = run("policy", "rollback", str(number)).splitlines()
    assert said == [
        "Online games closed for group default",
        f"left out, since it has ended after generation {number}: exemption e1",
        f"generation {number + 2} is published; it says what generation {number} said, apart from that",
    ]
    assert "exemptions" not in run("policy", "export")


def compile_draft(run, lists) -> None:
    run("policy", "publish", code=None)
    generation = json.loads(run("policy", "history", "--json"))[0]["generation"]
    publish(run.state, compile_policy(json.loads(run("policy", "export", "--json")), generation, lists=lists))


def test_quarantine_is_listed_overruled_and_held_back_again(run):
    names = ("com.hk", "no", "nav.no", "game.example")
    lists = [NamedList(f"{each}/gaming", "gaming", "0" * 64, names) for each in ("one", "two")]
    compile_draft(run, lists)
    rows = json.loads(run("policy", "quarantine", "--json"))
    found = {(row["name"], row["list"]): row for row in rows}
    assert found["com.hk", "one/gaming"] == {
        "name": "com.hk", "list": "one/gaming", "category": "gaming", "reason": "others' names are registered below it",
        "key": "public_suffix", "detail": "",
    }  # fmt: skip
    assert "game.example" not in {row["name"] for row in rows}
    assert "others' names are registered below it" in run("policy", "quarantine")
    assert "policy overrule com.hk" in run("policy", "explain", "a.com.hk")
    for words, told in (
        (["game.example"], "game.example is not in quarantine: see gjestenett policy quarantine"),
        (["nav.no"], "never blocked"),
        (["com.hk", "--list", "three"], "it is held back from: one/gaming, two/gaming"),
        (["com.hk", "--undo"], "com.hk is not overruled"),
        (["1.2.3.4"], "IP address"),
    ):
        (line,) = run("policy", "overrule", *words, code=2).splitlines()
        assert told in line
    assert "policy publish" in run("policy", "overrule", "https://COM.hk/", "--list", "one/gaming")
    assert "already" in run("policy", "overrule", "com.hk", "--list", "one/gaming", code=2)
    assert "as the list one/gaming says" in run("policy", "diff")
    compile_draft(run, lists)
    rows = json.loads(run("policy", "quarantine", "--json"))
    assert [row["list"] for row in rows if row["name"] == "com.hk"] == ["two/gaming"]
    run("policy", "overrule", "com.hk")
    assert json.loads(run("policy", "export", "--json"))["overrules"] == [{"name": "com.hk"}]
    run("policy", "overrule", "com.hk", "--undo")
    assert json.loads(run("policy", "export", "--json"))["overrules"] == []
