"""What `gjestenett policy` says: commands that can be copied, rules that change nothing, local time, no name."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.commands.policy_suggestions import suggestions
from gateway.commands.policy_text import learnt
from gateway.lists.compile import compile_policy
from gateway.lists.explanation import explanation
from gateway.lists.publish import publish
from policies.document import default_document
from policies.lexical import Line, write_model
from policies.no_effect import obstacle
from policies.snapshot import NamedList, open_snapshot

OSLO = ZoneInfo("Europe/Oslo")
NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
LISTS = [
    NamedList("test/gambling", "gambling", "0" * 64, ("bet.example", "com.hk", "both.example")),
    NamedList("test/dating", "dating", "1" * 64, ("both.example",)),
    NamedList("test/news", "ai_chat", "2" * 64, ("ai.example",)),
]


@pytest.fixture
def run(tmp_path):
    state = tmp_path / "state"

    def call(*words: str, stdin: str | None = None, code: int | None = 0):
        result = CliRunner().invoke(cli, ["--state", str(state), *words], input=stdin)
        assert code in (None, result.exit_code), result.output
        return result

    call("db", "upgrade")
    call.state = state
    return call


def compile_draft(run, lists=LISTS, **more) -> None:
    run("policy", "publish", code=None)  # a fresh installation has published its own
    (row, *_) = json.loads(run("policy", "history", "--json").stdout)
    document = json.loads(run("policy", "export", "--json").stdout)
    publish(run.state, compile_policy(document, row["generation"], lists=lists, **more))


def parsed(line: str) -> list[str]:
    """The commands of a suggestion, each parsed to the end by click; raises where one would be refused."""
    line = line.partition("  # ")[0]
    found: list[str] = []
    for text in line.split(" && "):
        words = shlex.split(text)
        if words[0] == "${EDITOR:-vi}":
            continue
        assert words.pop(0) == "gjestenett"
        context = click.Context(cli, info_name="gjestenett")
        command: click.Command = cli
        while isinstance(command, click.Group):
            name, command, words = command.resolve_command(context, words)
            assert command is not None, text
            found.append(str(name))
            words = list(words)
        command.make_context(command.name, words)
    return found


def answers():
    """Explanations of every kind of decision, each for a group of its own and for the default one."""
    document = default_document()
    for mark, key in enumerate(("default", "course"), 1):
        document["groups"][key] = {
            "mark": mark, "closed": ["gambling", "dating"], "permit": ["ok.example"], "forbid": ["no.example"],
            "schedules": [{"categories": ["ai_chat"], "days": ["tue"], "from": "08:00", "to": "16:00",
                           "effect": "close"}],
            "judge": {"gambling": 0.9},
        }  # fmt: skip
    document["groups"]["lifted"] = {"mark": 9, "closed": ["gambling", "dating"]}
    document["exemptions"] = [
        {"id": "e1", "group": "lifted", "categories": ["gambling", "dating"], "from": "2026-11-01T00:00:00+00:00",
         "until": "2026-12-24T00:00:00+00:00", "approved_by": "Kari, leder", "reason": "kurs"},
    ]  # fmt: skip
    snapshot = open_snapshot(compile_policy(document, 7, lists=LISTS))
    for group in snapshot.policy.groups.values():
        for name in ("bet.example", "both.example", "ai.example", "ok.example", "no.example", "other.example",
                     "a.com.hk", "nav.no", "use-application-dns.net"):  # fmt: skip
            yield explanation(name, group, NOON, snapshot)


def test_every_suggested_command_is_one_that_click_takes() -> None:
    told = [line for answer in answers() for line in suggestions(answer, OSLO)]
    used = {" ".join(parsed(line)[:3]) for line in told}
    assert {words.split()[1] for words in used} >= {"open", "close", "permit", "forbid", "exemptions", "overrule"}
    assert all(parsed(line)[-2:] == ["policy", "publish"] for line in told)
    exempt = next(line for line in told if "exemptions add" in line and "course" not in line)
    assert "--until 2026-12-02T12:00 --approved-by NAME --reason WHY" in exempt
    assert "--group default" in exempt
    assert any("exemptions end e1 && " in line for line in told)


def test_switching_the_judge_off_is_a_command_too() -> None:
    answer = next(iter(answers())) | {"changes": [{"action": "judge_off", "categories": ["gambling"]}]}
    (line,) = suggestions(answer, OSLO)
    assert parsed(line) == ["policy", "export", "policy", "import", "policy", "publish"]
    assert line.endswith("# take gambling out of judge for group course")


def test_a_suggestion_does_what_it_says(run) -> None:
    run("policy", "close", "gambling")
    compile_draft(run)
    said = run("policy", "explain", "bet.example").stdout
    assert "bet.example is closed" in said
    lines = [line.partition("would change it: ")[2] for line in said.splitlines() if "would change it: " in line]
    assert len(lines) == 3
    for line in lines:
        for text in line.split(" && "):
            run(*shlex.split(text)[1:])
        (row, *_) = json.loads(run("policy", "history", "--json").stdout)
        publish(
            run.state,
            compile_policy(json.loads(run("policy", "export", "--json").stdout), row["generation"], lists=LISTS),
        )
        tomorrow = (datetime.now(OSLO) + timedelta(minutes=1)).isoformat(timespec="minutes")
        assert "bet.example may be visited" in run("policy", "explain", "bet.example", "--at", tomorrow).stdout
        run("policy", "rollback", "2")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("forbid", "www.apple.com"), "www.apple.com is never blocked (devices find out by it"),
        (("forbid", "www.apple.com"), "gjestenett policy forbid apple.com closes the rest of apple.com"),
        (("forbid", "www.nav.no"), "nav.no is never blocked (a public service); no rule and no list can close it"),
        (("forbid", "play.googleapis.com"), "no rule and no list can close it"),
        (("forbid", "www.gjest.internal"), "the installation's own"),
        (("forbid", "use-application-dns.net"), "always answered with no such name"),
        (("permit", "mask.icloud.com"), "always answered with no such name"),
        (("permit", "mask.icloud.com"), "no rule can permit it"),
    ],
)
def test_a_rule_that_would_change_nothing_is_refused(run, words, told) -> None:
    before = run("policy", "export").stdout
    (line,) = run("policy", *words, code=2).stderr.splitlines()
    assert "would have no effect" in line
    assert told in line
    assert run("policy", "export").stdout == before
    run("policy", "forbid", "apple.com")


def test_what_it_keeps_open_is_told_with_the_way_to_take_it_out(run, tmp_path) -> None:
    document = run("policy", "export").stdout.replace("never_blocked = []", 'never_blocked = ["skole.example"]')
    run("policy", "import", "-", stdin=document)
    line = run("policy", "forbid", "www.skole.example", code=2).stderr
    assert "take skole.example out of never_blocked: gjestenett policy export" in line


def test_import_diff_and_publish_warn_of_rules_that_change_nothing(run, tmp_path) -> None:
    file = tmp_path / "policy.toml"
    text = run("policy", "export").stdout
    assert "forbid = []" in text
    file.write_text(text.replace("forbid = []", 'forbid = ["apple.com", "www.apple.com"]'))
    for words in (
        ("import", str(file), "--check"), ("import", str(file)), ("diff",), ("diff", "--json"), ("publish",)
    ):  # fmt: skip
        done = run("policy", *words)
        (line,) = done.stderr.splitlines()
        assert "this rule has no effect: forbid www.apple.com for group default" in line
        assert "gjestenett policy unset www.apple.com" in line
        assert "no effect" not in done.stdout
    compile_draft(run)
    said = run("policy", "explain", "www.apple.com").stdout
    assert "this rule has no effect here: forbid www.apple.com: www.apple.com is never blocked" in said
    assert "would change it" not in said


def test_a_canary_is_no_name_that_may_be_visited(run) -> None:
    compile_draft(run)
    said = run("policy", "explain", "use-application-dns.net").stdout
    assert said.startswith("use-application-dns.net is always answered with no such name for group default")
    assert "may be visited" not in said
    assert "would change it" not in said
    facts = json.loads(run("policy", "explain", "a.use-application-dns.net", "--json").stdout)
    assert (facts["canary"], facts["changes"]) == (True, [])


def test_moments_are_told_in_local_time_with_the_zone(run) -> None:
    run("policy", "close", "gambling")
    compile_draft(run)
    said = run("policy", "explain", "bet.example", "--at", "2026-12-01T16:00").stdout
    assert "at 2026-12-01 16:00 (Europe/Oslo) (generation 2)" in said
    assert "+00:00" not in said
    assert " names, sha256 000000000000" in said
    assert "(1 name, sha256 222222222222" in run("policy", "explain", "ai.example").stdout
    run("policy", "exemptions", "add", "gambling", "--group", "default", "--from", "2026-12-01T08:00", "--until",
        "2026-12-02T08:00", "--approved-by", "Kari", "--reason", "kurs")  # fmt: skip
    compile_draft(run)
    said = run("policy", "explain", "bet.example", "--at", "2026-12-01T16:00").stdout
    assert "[e1, approved by Kari, until 2026-12-02 08:00 (Europe/Oslo)]" in said
    assert "until: 2026-12-02 08:00 (Europe/Oslo)" in said


def test_what_is_no_name_is_told_with_what_to_write(run) -> None:
    compile_draft(run)
    for name in ("foo bar", "10.0.0.1", "2001:db8::1"):
        for words in (("explain", name), ("forbid", name), ("overrule", name)):
            assert "write a domain name such as example.no" in run("policy", *words, code=2).stderr


def test_unset_without_a_rule_changes_nothing_and_says_so(run) -> None:
    said = run("policy", "unset", "xyz.no").stdout
    assert said == "xyz.no has no rule of its own for group default: nothing was changed\n"
    run("policy", "forbid", "xyz.no")
    assert "put it in force with" in run("policy", "unset", "xyz.no").stdout


def test_a_judge_that_has_learnt_nothing_says_what_it_needs(run) -> None:
    empty = write_model([], [], bytes(8), {})
    compile_draft(run, sections={"judge": empty})
    told = "the judge has learnt no category yet; it learns gaming, file_sharing, dating"
    assert told in run("policy", "judge", "explain", "casino.example").stdout
    assert "at least 200 sites" in run("policy", "judge", "explain", "casino.example").stdout
    assert json.loads(run("policy", "judge", "explain", "a.example", "--json").stdout)["looks_like"] == []
    done = run("policy", "classify", "--judge", stdin="casino.example\n")
    assert done.stdout == "casino.example\t\t\n"
    assert told in done.stderr


def test_a_judge_says_what_it_has_learnt(run) -> None:
    model = write_model([Line("gambling", 1.0, 0.0)], [], bytes(8), {})
    compile_draft(run, sections={"judge": model})
    assert "the judge has learnt gambling; it learns gaming" in run("policy", "judge", "explain", "a.example").stdout
    assert run("policy", "classify", "--judge", stdin="a.example\n").stderr == ""
    assert learnt(("gaming",)).startswith("the judge has learnt gaming; it learns file_sharing")


def test_every_command_that_a_message_points_to_is_there() -> None:
    pointed = re.compile(r"(?:see|with|look at|start|among):? gjestenett ([a-z-]+(?: [a-z-]+)*)")
    told = {
        words
        for path in (Path(__file__).parents[3] / "gateway").rglob("*.py")
        for words in pointed.findall(path.read_text("utf-8"))
    }
    assert {"policy groups list", "grants list", "policy publish"} <= told
    for words in sorted(told):
        command: click.Command = cli
        for word in words.split():
            if isinstance(command, click.Group):
                found = command.get_command(click.Context(cli), word)
                assert found is not None, words
                command = found
        assert not isinstance(command, click.Group), f"{words} is no whole command"


def test_obstacles() -> None:
    never = {"nav.no": "public_service"}
    assert obstacle("forbid", "no", never) is None
    assert obstacle("forbid", "xnav.no", never) is None
    assert obstacle("permit", "nav.no", never) is None
    found = obstacle("forbid", "a.nav.no", never)
    assert found is not None
    assert (found.kind, found.name, found.service) == ("never_blocked", "nav.no", "public_service")
