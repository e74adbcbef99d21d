"""The jobs service: the generation in force and the lists in use become the snapshot that DNS reads."""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gateway.lists import sources, store
from gateway.lists.compile import ListsError
from gateway.lists.due import due, upload
from gateway.lists.generations import draft, publish, save_draft, set_category
from gateway.lists.jobs import (
    SYNC_EVERY_S,
    SYNC_LIMIT_S,
    Syncer,
    Troubles,
    _judging_wanted,
    compile_in_force,
    look_for_damage,
    run,
)
from gateway.lists.reader import current_path, read_snapshot
from gateway.lists.refresh import import_file
from gateway.lists.round import refresh_all
from gateway.lists.source import Source


def compile_now(services, *, anew=False, own=("gjest.example",)):
    return compile_in_force(services.database, services.place, services.settings.state, own, anew=anew)


def snapshot(services):
    return read_snapshot(current_path(services.settings.state))


def test_publishing_a_draft_reaches_the_snapshot(services):
    assert compile_now(services) == 1
    assert "gaming" in snapshot(services).group("default").closed
    with services.database.write() as session:
        set_category(session, services.place, "default", "gaming", closed=False, now=services.clock())
        assert publish(session, services.place, "ola", "open gaming", services.clock()) == 2
    assert compile_now(services) == 2
    assert "gaming" not in snapshot(services).group("default").closed


def test_what_is_in_place_is_left_alone(services):
    compile_now(services)
    inode = current_path(services.settings.state).stat().st_ino
    assert compile_now(services) is None
    assert compile_now(services, anew=True) is None
    assert current_path(services.settings.state).stat().st_ino == inode


def test_a_new_own_name_is_compiled_when_asked_anew(services):
    compile_now(services)
    assert compile_now(services, own=("other.example",)) is None
    assert compile_now(services, own=("other.example",), anew=True) == 1


def test_a_corrupt_snapshot_is_replaced(services):
    compile_now(services)
    path = current_path(services.settings.state)
    path.write_bytes(path.read_bytes()[:-1])
    assert compile_now(services) == 1
    assert snapshot(services).generation == 1


def bring_in(services, tmp_path, text, *, enabled=True):
    (tmp_path / "list").write_text(text)
    source = Source("mine", "gambling", enabled=enabled)
    assert import_file(services.settings.state, source, tmp_path / "list", services.clock).outcome == "updated"
    with services.database.write() as session:
        sources.put(session, services.place, source, "test", services.clock())


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.05)


def test_the_running_service_takes_a_new_list_up_and_lets_it_go(services, tmp_path):
    state, stop = services.settings.state, threading.Event()
    service = threading.Thread(
        target=run, args=(services.database, services.place, state, ("own.example",), stop.is_set)
    )
    service.start()
    try:
        until(current_path(state).exists)
        assert not snapshot(services).lookup("casino.example")
        bring_in(services, tmp_path, "casino.example\n")
        until(lambda: snapshot(services).lookup("www.casino.example"))
        with services.database.write() as session:
            sources.put(session, services.place, Source("mine", "gambling", enabled=False), "test", services.clock())
        until(lambda: not snapshot(services).lookup("casino.example"))
    finally:
        stop.set()
        service.join(10)


def test_a_list_that_can_not_be_read_leaves_the_snapshot(services, tmp_path):
    compile_now(services)
    bring_in(services, tmp_path, "casino.example\n")
    octets = current_path(services.settings.state).read_bytes()
    facts = store.current_facts(services.settings.state, "mine")
    (store.folder_of(services.settings.state, "mine") / f"{facts.sha256}.txt").unlink()
    with pytest.raises(ListsError, match="its text is gone"):
        compile_now(services, anew=True)
    assert current_path(services.settings.state).read_bytes() == octets


def test_refreshing_runs_beside_once_a_minute_and_is_ended_when_it_never_finishes(tmp_path):
    now = [1000.0]
    marks = tmp_path / "marks"
    command = [sys.executable, "-c", f"import time; open({str(marks)!r}, 'a').write('x'); time.sleep(60)"]
    syncer = Syncer(command, lambda: now[0])
    syncer.poll()
    until(lambda: marks.exists() and marks.read_text() == "x")
    now[0] += SYNC_EVERY_S
    syncer.poll()  # one at a time
    assert marks.read_text() == "x"
    now[0] += SYNC_LIMIT_S
    syncer.poll()  # ended
    syncer.poll()  # and started again
    until(lambda: marks.read_text() == "xx")
    syncer.close()


def test_a_sync_that_can_not_start_or_fails_is_no_trouble(tmp_path):
    now = [0.0]
    for command in ([str(tmp_path / "missing")], [sys.executable, "-c", "raise SystemExit(1)"], []):
        syncer = Syncer(command, lambda: now[0])
        for _ in range(3):
            syncer.poll()
            now[0] += SYNC_EVERY_S
            time.sleep(0.2)
        syncer.close()


def test_a_standing_problem_is_logged_once_and_when_it_ends(caplog):
    caplog.set_level("INFO")
    troubles = Troubles()
    for problem in (None, "disk full", "disk full", "disk full", "worse", None, None):
        troubles.tell("compiling", problem)
    assert [each.message for each in caplog.records] == [
        "compiling: disk full",
        "compiling: worse",
        "compiling is well again",
    ]


def test_a_problem_that_gets_graver_is_told_again(caplog):
    caplog.set_level("INFO")
    troubles = Troubles()
    for level in ("INFO", "INFO", "ERROR", "ERROR"):
        troubles.tell("judge", "numpy is missing", logging.getLevelNamesMapping()[level])
    assert [each.levelname for each in caplog.records] == ["INFO", "ERROR"]


def test_a_missing_judge_is_grave_only_where_some_group_has_a_threshold(services):
    assert not _judging_wanted(services.database, services.place)
    with services.database.write() as session:
        document = draft(session, services.place)
        document["groups"]["default"]["judge"] = {"gambling": 0.97}
        save_draft(session, services.place, document, services.clock())
        assert not _judging_wanted(services.database, services.place), "a draft is not in force"
    with services.database.write() as session:
        publish(session, services.place, "kari", "", services.clock())
    assert _judging_wanted(services.database, services.place)


STARTS_CHILDREN = """
import sys, time
from pathlib import Path
from gateway.lists.jobs import Syncer
from gateway.lists.judge import Trainer
from policies.snapshot import NamedList

now = [0.0]
syncer = Syncer([sys.executable, "-c", "import time; time.sleep(60)"], lambda: now[0])
trainer = Trainer(Path(sys.argv[1]))
syncer.poll()
trainer.start([NamedList("t", "gambling", "0" * 64, tuple(f"casino{i}.example" for i in range(100_000)))])
print(syncer._process.pid, trainer._process.pid, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_killing_the_service_leaves_no_child(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", STARTS_CHILDREN, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    sync, judge = map(int, parent.stdout.readline().split())
    parent.stdout.close()
    until(lambda: not (tmp_path / "policy" / f".judge.input.{parent.pid}").exists())  # the judge has begun
    assert is_alive(sync)
    assert is_alive(judge)
    parent.kill()
    parent.wait()
    until(lambda: not is_alive(sync) and not is_alive(judge))


def test_what_is_asked_for_is_refreshed_at_once_and_ever_more_slowly_when_it_stays_asked(tmp_path):
    now, marks = [1000.0], tmp_path / "marks"
    syncer = Syncer([sys.executable, "-c", f"open({str(marks)!r}, 'a').write('x')"], lambda: now[0])

    def started_within(seconds, *, hurry):
        before = marks.read_text() if marks.exists() else ""
        for _ in range(seconds):
            now[0] += 1
            syncer.poll(hurry=hurry)
            until(lambda: syncer._process is None or syncer._process.poll() is not None)
        return len(marks.read_text()) - len(before)

    try:
        assert started_within(1, hurry=False) == 1
        assert started_within(3, hurry=False) == 0
        assert started_within(3, hurry=True) == 1
        assert 2 <= started_within(30, hurry=True) <= 5
        assert started_within(120, hurry=True) <= 4, "one that is never done doesn't keep the machine busy"
        assert 2 <= started_within(125, hurry=False) <= 3
        assert started_within(3, hurry=True) == 1
    finally:
        syncer.close()


def damage(services, key):
    facts = store.current_facts(services.settings.state, key)
    path = store.folder_of(services.settings.state, key) / f"{facts.sha256}.txt"
    path.write_bytes(path.read_bytes()[:-3])


def test_a_damaged_list_is_found_and_due_at_once_or_said_to_need_a_hand(services, tmp_path):
    bring_in(services, tmp_path, "casino.example\n")
    state, place, database = services.settings.state, services.place, services.database
    assert look_for_damage(database, place, state) == {}
    damage(services, "mine")
    with pytest.raises(store.DamagedListError, match="damaged"):
        compile_now(services, anew=True)
    [said] = look_for_damage(database, place, state).values()
    assert "gjestenett lists import gambling FILE --name mine" in said
    with database.write() as session:
        assert due(session, place, services.clock(), store.marked_damaged(state, ["mine"])) == []
        upload(session, place, Source("mine", "gambling"), "l.txt", b"casino.example\n", "kari", services.clock())
    assert look_for_damage(database, place, state) == {"mine": "mine is fetched again now"}
    done = refresh_all(
        database, place, state, due_now(services), None, services.clock, progress=lambda _key: lambda *_: None
    )
    assert [(each.outcome, each.facts.entries) for each in done] == [("updated", 1)]
    assert store.marked_damaged(state, ["mine"]) == frozenset()
    assert compile_now(services, anew=True) == 1
    assert snapshot(services).lookup("casino.example")


def due_now(services):
    keys = ["mine"]
    with services.database.read() as session:
        return due(session, services.place, services.clock(), store.marked_damaged(services.settings.state, keys))


SOUND_SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"casino.example\\n" * 3
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_the_running_service_fetches_what_is_damaged_and_then_compiles_what_was_published(services):
    """A damaged list must not keep a new policy waiting until its rhythm says so."""
    state, place, stop = services.settings.state, services.place, threading.Event()
    web = subprocess.Popen([sys.executable, "-c", SOUND_SERVER], stdout=subprocess.PIPE, text=True)
    port = int(web.stdout.readline())
    source = Source("mine", "gambling", url=f"http://127.0.0.1:{port}/list", internal=True)
    with services.database.write() as session:
        sources.put(session, place, source, "test", services.clock())
    sync = [sys.executable, "-m", "gateway.cli", "--state", str(state), "lists", "sync", "--due"]
    service = threading.Thread(target=run, args=(services.database, place, state, (), stop.is_set, sync))
    service.start()
    try:
        until(lambda: current_path(state).exists() and snapshot(services).lookup("casino.example"))
        damage(services, "mine")
        with services.database.write() as session:
            set_category(session, place, "default", "gaming", closed=False, now=services.clock())
            publish(session, place, "ola", "open gaming", services.clock())
        until(lambda: snapshot(services).generation == 2)
        assert snapshot(services).lookup("casino.example")
    finally:
        stop.set()
        service.join(10)
        web.kill()
        web.wait()
        web.stdout.close()
