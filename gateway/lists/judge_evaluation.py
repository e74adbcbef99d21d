"""How good a judge is on names that it never saw: precision and recall at several thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, nextafter

from gateway.lists.judge_examples import registrable
from policies.lexical import Judge

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Row:
    """At `threshold`: how many of the positive and of the negative names were judged to be of the category."""

    category: str
    threshold: float
    found: int
    positives: int
    false_alarms: int
    negatives: int

    @property
    def recall(self) -> float:
        """The share of positive names found; 0 when there are none."""
        return self.found / self.positives if self.positives else 0.0

    @property
    def precision(self) -> float | None:
        """The share of true ones among the names found, in this sample; None when nothing was found."""
        total = self.found + self.false_alarms
        return self.found / total if total else None


def sites(names: Iterable[str], without: frozenset[str] = frozenset()) -> list[str]:
    """One name for each registrable domain that is not in `without`: the shortest, sorted."""
    shortest: dict[str, str] = {}
    for name in sorted(set(names), key=lambda each: (len(each), each)):
        domain = registrable(name)
        if domain not in without:
            shortest.setdefault(domain, name)
    return sorted(shortest.values())


def evaluate(
    judge: Judge,
    category: str,
    positive: Sequence[str],
    negative: Sequence[str],
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[Row]:
    """One row for each threshold. Raises: ValueError for a category that the model does not judge."""
    lane = judge.categories.index(category)
    yes = [judge.confidences(name)[lane] for name in positive]
    no = [judge.confidences(name)[lane] for name in negative]
    return [
        Row(category, each, sum(s >= each for s in yes), len(yes), sum(s >= each for s in no), len(no))
        for each in thresholds
    ]


def at_false_alarms(judge: Judge, category: str, positive: Sequence[str], negative: Sequence[str], per: int) -> Row:
    """The row at the lowest threshold that gives at most one false alarm per `per` negative names."""
    lane = judge.categories.index(category)
    no = sorted((judge.confidences(name)[lane] for name in negative), reverse=True)
    allowed = len(no) // per
    threshold = nextafter(no[allowed], inf) if len(no) > allowed else 0.0
    return evaluate(judge, category, positive, negative, (threshold,))[0]
