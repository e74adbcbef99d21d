"""The buckets against a slow model that counts tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.token_bucket import TokenBuckets

PER_S, BURST = 8.0, 4


class Model:
    """A bucket that fills by the tick; below nothing, tokens are owed."""

    def __init__(self) -> None:
        self.tokens, self.at_s = float(BURST), 0.0

    def take(self, now_s: float) -> float:
        self.tokens = min(BURST, self.tokens + (now_s - self.at_s) * PER_S) - 1
        self.at_s = now_s
        return max(0.0, -self.tokens / PER_S)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), max_size=60))
def test_the_waits_are_those_of_a_bucket_of_tokens(steps: list[tuple[str, int]]) -> None:
    buckets, models, now_s = TokenBuckets(PER_S, BURST), {"a": Model(), "b": Model()}, 0.0
    for key, sixteenths in steps:
        now_s += sixteenths / 16
        assert buckets.take(key, now_s) == pytest.approx(models[key].take(now_s), abs=1e-9)


@given(st.lists(st.integers(0, 50)))
def test_few_keys_are_held_whoever_comes(keys: list[int]) -> None:
    buckets = TokenBuckets(PER_S, BURST, keys_max=5)
    for key in keys:
        buckets.take(key, 0.0)
        assert len(buckets) <= 5


def test_the_one_used_longest_ago_is_forgotten() -> None:
    buckets = TokenBuckets(1.0, 1, keys_max=2)
    assert [buckets.take(key, 0.0) for key in "aba"] == [0.0, 0.0, 1.0]
    assert buckets.take("c", 0.0) == 0.0  # instead of b
    assert buckets.take("a", 0.0) == 2.0
    assert buckets.take("b", 0.0) == 0.0
