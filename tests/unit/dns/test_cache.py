"""Both levels stay within their bytes and keep what is in use."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.cache import Failures, FinishedAnswers, UpstreamAnswers
from gateway.dns.counters import Cell
from gateway.dns.reply import Reply

CELL = Cell()


def reply(lifetime_s: int = 60, size: int = 100) -> Reply:
    return Reply(0, b"", 1, 0, bytes(size), (), (), lifetime_s, False)


def key(number: int) -> tuple[bytes, bool, bool]:
    return (number.to_bytes(4, "big"), False, False)


def test_finished_enters_on_second_sight_without_its_id() -> None:
    finished = FinishedAnswers()
    table = finished.table()
    finished.offer(table, b"q", b"IDanswer", 5.0, CELL)
    assert table == {}
    finished.offer(table, b"q", b"IDanswer", 5.0, CELL)
    assert table == {b"q": (b"answer", 5.0, CELL)}
    finished.offer(table, b"q", b"IDrenewed", 6.0, CELL)
    assert table == {b"q": (b"renewed", 6.0, CELL)}


def test_second_sight_under_another_policy_does_not_count() -> None:
    finished = FinishedAnswers()
    one, other = finished.table(), finished.table()
    finished.offer(one, b"q", b"IDanswer", 5.0, CELL)
    finished.offer(other, b"q", b"IDanswer", 5.0, CELL)
    assert one == other == {}


def test_finished_is_bounded() -> None:
    finished = FinishedAnswers(max_bytes=10_000)
    table = finished.table()
    for number in range(1000):
        for _ in range(2):
            finished.offer(table, key(number)[0], b"ID" + bytes(50), 5.0, CELL)
        assert finished.size_bytes <= 10_000
    assert len(table) < 40


def test_kept_until_it_ends() -> None:
    kept = UpstreamAnswers()
    kept.put(key(1), reply(lifetime_s=60), 100.0)
    assert kept.get(key(1), 159.9) is not None
    assert kept.get(key(1), 160.0) is None
    kept.put(key(2), reply(lifetime_s=0), 100.0)
    assert kept.get(key(2), 100.0) is None


def test_a_flood_of_random_names_leaves_what_is_in_use() -> None:
    kept = UpstreamAnswers(max_bytes=400_000)
    kept.put(key(0), reply(), 0.0)
    assert kept.get(key(0), 0.0) is not None  # asked for again
    for number in range(1, 50_000):
        kept.put(key(number), reply(), 0.0)
        assert len(kept) <= 400_000 // 800 + 2
    assert kept.get(key(0), 1.0) is not None
    assert kept.get(key(1), 1.0) is None
    assert kept.evicted > 49_000


def test_what_is_in_use_is_bounded_too() -> None:
    kept = UpstreamAnswers(max_bytes=400_000)
    for number in range(5000):
        kept.put(key(number), reply(), 0.0)
        kept.get(key(number), 0.0)
        assert len(kept) <= 400_000 // 800 + 2


def test_answers_that_grow_are_counted_as_they_are() -> None:
    kept = UpstreamAnswers(max_bytes=4_000_000, stale_max_s=1000.0)
    for number in range(3500):
        kept.put(key(number), reply(lifetime_s=1), 0.0)
        kept.get(key(number), 0.0)
        kept.put(key(number), reply(lifetime_s=1, size=60_000), 2.0)
    held = [each for part in (kept._once, kept._again) for table in (part.young, part.old) for each in table.values()]
    assert sum(each.reply.size_bytes for each in held) <= 4_100_000
    assert kept.evicted


def test_finished_answers_that_grow_are_counted_as_they_are() -> None:
    finished = FinishedAnswers(max_bytes=100_000)
    table = finished.table()
    for number in range(200):
        for size in (10, 10, 1200):
            finished.offer(table, key(number)[0], b"ID" + bytes(size), 5.0, CELL)
    assert sum(len(answer) for answer, _, _ in table.values()) <= 100_000
    assert finished.cleared


def test_what_has_ended_is_stale_for_a_while() -> None:
    kept = UpstreamAnswers(stale_max_s=100.0)
    kept.put(key(1), reply(lifetime_s=60), 0.0)
    assert kept.get(key(1), 61.0) is None
    assert kept.stale(key(1), 159.0) is not None
    assert kept.get(key(1), 161.0) is None
    assert kept.stale(key(1), 161.0) is None
    never = UpstreamAnswers()
    never.put(key(1), reply(lifetime_s=60), 0.0)
    assert never.get(key(1), 60.5) is None
    assert never.stale(key(1), 60.5) is None


def test_due_in_the_last_tenth_of_a_lifetime() -> None:
    kept = UpstreamAnswers().put(key(1), reply(lifetime_s=60), 100.0)
    assert not kept.is_due(153.9)
    assert kept.is_due(154.1)
    assert not UpstreamAnswers().put(key(1), reply(lifetime_s=9), 100.0).is_due(108.9)


def test_failures_last_a_second_and_are_bounded() -> None:
    failures = Failures(lasting_s=1.0, most=10)
    failures.put(key(1), reply(), 5.0)
    assert failures.get(key(1), 5.9) is not None
    assert failures.get(key(1), 6.0) is None
    for number in range(100):
        failures.put(key(number), reply(), 5.0)
    assert len(failures) <= 10


@given(st.integers(1, 4000), st.floats(0, 4000))
def test_ttls_are_never_told_too_long_after_the_first_second(lifetime_s: int, age_s: float) -> None:
    kept = UpstreamAnswers().put(key(1), reply(lifetime_s=lifetime_s), 1000.0)
    now_s = 1000.0 + age_s
    if now_s >= kept.expires_at:
        return
    less_s, until_s = kept.age(now_s)
    assert 0 <= less_s < lifetime_s
    assert until_s >= now_s
    assert until_s - now_s <= max(1, lifetime_s / 60) + 1e-6
    # At no moment until then is more promised than what is left, but for what is left of a second.
    assert lifetime_s - less_s <= kept.expires_at - min(until_s, kept.expires_at) + 1 + 1e-6
    assert less_s - age_s <= max(1, lifetime_s / 60) + 1e-6
