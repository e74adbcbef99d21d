"""Both levels stay within their bytes and keep what is in use."""

from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.reply import Reply


def reply(lifetime_s: int = 60, size: int = 100) -> Reply:
    return Reply(0, b"", 1, 0, bytes(size), (), (), lifetime_s, False)


def key(number: int) -> tuple[bytes, bool, bool]:
    return (number.to_bytes(4, "big"), False, False)


def test_finished_enters_on_second_sight_without_its_id() -> None:
    finished = FinishedAnswers()
    table = finished.table()
    finished.offer(table, b"q", b"IDanswer", 5.0)
    assert table == {}
    finished.offer(table, b"q", b"IDanswer", 5.0)
    assert table == {b"q": (b"answer", 5.0)}
    finished.offer(table, b"q", b"IDrenewed", 6.0)
    assert table == {b"q": (b"renewed", 6.0)}


def test_second_sight_under_another_policy_does_not_count() -> None:
    finished = FinishedAnswers()
    one, other = finished.table(), finished.table()
    finished.offer(one, b"q", b"IDanswer", 5.0)
    finished.offer(other, b"q", b"IDanswer", 5.0)
    assert one == other == {}


def test_finished_is_bounded() -> None:
    finished = FinishedAnswers(max_bytes=10_000)
    table = finished.table()
    for number in range(1000):
        for _ in range(2):
            finished.offer(table, key(number)[0], b"ID" + bytes(50), 5.0)
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
    kept = UpstreamAnswers(max_bytes=200_000)
    kept.put(key(0), reply(), 0.0)
    for number in range(1, 5000):
        kept.put(key(number), reply(), 0.0)
        if number % 50 == 0:
            assert kept.get(key(0), 1.0) is not None
    assert len(kept) <= 200_000 // 800 + 1
    assert kept.get(key(1), 1.0) is None
