"""Each answer is counted once, whether it was made or given again, and under no name."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.counters import BUCKETS_S, FAMILIES, OUTCOMES, Counters

OUTCOME = st.tuples(st.sampled_from(["default", "course"]), st.sampled_from(OUTCOMES), st.sampled_from(["", "gaming"]))


def answer(rcode: int = 0, *, truncated: bool = False) -> bytes:
    return bytes((1, 2, 0x80 | (2 if truncated else 0), 0x80 | rcode, 0, 0))


@given(st.lists(st.tuples(OUTCOME, st.integers(0, 5), st.booleans(), st.integers(0, 4)), max_size=40))
def test_totals_are_those_of_a_list_of_all_answers(given_answers) -> None:
    counters = Counters()
    for (group, outcome, category), rcode, truncated, again in given_answers:
        cell = counters.tally(group).count(outcome, category, answer(rcode, truncated=truncated))
        for _ in range(again):
            cell.hits += 1
    totals = counters.totals()
    # the model: every answer one by one
    written = [(key, rcode, cut) for key, rcode, cut, again in given_answers for _ in range(again + 1)]
    for key in {each[0] for each in written}:
        assert totals["answers", *key] == sum(each[0] == key for each in written)
    for rcode in range(6):
        assert totals["responses", str(rcode)] == sum(each[1] == rcode for each in written)
    assert totals["truncated",] == sum(each[2] for each in written)
    assert totals["cache", "finished_hit"] == sum(each[3] for each in given_answers)
    assert all(key[0] in FAMILIES and len(key) == 1 + len(FAMILIES[key[0]]) for key in totals)


def test_latency_falls_into_the_bucket_whose_bound_it_does_not_pass() -> None:
    counters = Counters()
    for seconds in (0.0001, BUCKETS_S[0], 0.0006, 60.0):
        counters.took(seconds)
    totals = counters.totals()
    assert [totals["latency", str(number)] for number in (0, 1, len(BUCKETS_S))] == [2, 1, 1]
    assert totals["latency_us",] == 60_001_200


def test_what_other_parts_count_is_read_when_it_is_asked_for() -> None:
    counters, skipped = Counters(), [0]
    counters.read_also(lambda: [(("skipped_sends",), skipped[0])])
    skipped[0] = 7
    assert counters.totals()["skipped_sends",] == 7
