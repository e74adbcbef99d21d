"""The jobs service: the generation in force becomes the snapshot that DNS reads."""

from gateway.lists.generations import publish, set_category
from gateway.lists.jobs import compile_in_force
from gateway.lists.reader import current_path, read_snapshot


def compile_now(services, *, anew=False, own=("gjest.example",)):
    return compile_in_force(services.database, services.place.owner_id, services.settings.state, own, anew=anew)


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
