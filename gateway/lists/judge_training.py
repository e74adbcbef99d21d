"""Training the judge of unlisted names: logistic regression over hashed pieces, all in numpy (extra `judge`).

Each category is a line of its own over the same pieces. Batches of examples are laid out once, by row and by
example, and each pass over them is an Adagrad step a batch. The same examples and seed give the same bytes on the
same numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.lists.judge_examples import Examples, Listed, gather
from gateway.lists.judge_training_pieces import row_numbers
from policies.lexical import LANES, ZERO, Line, write_model

ROWS = 1 << 19
PASSES = 6
PRIOR = 0.02
"""Of the unlisted names that guests visit, about this share is taken to be of a given category: what turns scores on a
half-and-half sample into a confidence that holds on a network."""
_BATCH = 4096
_STEP = 0.6
_DECAY = 2e-6
_DAMP = np.float32(0.12)
"""What a piece counts while learning: a name of 70 of them is then about one unit long."""
_WIDEST = 127
_ORDINARY = np.float32(30)
"""How much more a well-visited, harmless name counts against a category than a name of another list: a false alarm
about such a name is the one that people meet."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Pieces of some examples: `rows[by_example]` are the rows of each example's pieces, one example after another;
    `of_example` are the examples of each row's pieces, one row after another."""

    first: int
    last: int
    rows: Ints
    by_example: Ints
    example_at: Ints
    of_example: Ints
    row_at: Ints


def train(
    lists: Iterable[Listed],
    ranking: Iterable[str] = (),
    *,
    seed: int = 0,
    progress: Progress = lambda _: None,
    facts: Mapping[str, Any] | None = None,
) -> bytes:
    """The bytes of a model (`policies.lexical.Judge`) that judges the categories that `lists` have enough sites of.

    `progress` is told the share done, 0 to 1; `facts` are written into the model as they are.
    """
    return fit(gather(lists, ranking, seed=seed), seed=seed, progress=progress, facts=facts)


def fit(
    examples: Examples,
    *,
    seed: int = 0,
    rows: int = ROWS,
    progress: Progress = lambda _: None,
    facts: Mapping[str, Any] | None = None,
) -> bytes:
    """As `train`, from examples already gathered."""
    is_ = np.frombuffer(examples.is_, np.uint8)
    is_not = np.frombuffer(examples.is_not, np.uint8)
    ordinary = np.frombuffer(examples.ordinary, np.uint8)
    held = np.frombuffer(examples.held_out, np.uint8).astype(bool)
    lanes = range(len(examples.categories))
    known, target = zip(*(_targets(is_, is_not, ordinary, lane) for lane in lanes), strict=True) if lanes else ((), ())

    def learn(some: Ints, begin: float, end: float) -> Floats:
        batches = _lay_out([examples.texts[i] for i in some], rows)
        weights = np.zeros((len(lanes), rows), np.float32)
        for lane in lanes:
            progress(begin + (end - begin) * (lane + 0.5) / len(lanes))
            weights[lane] = _descend(batches, known[lane][some], target[lane][some], rows, seed)
        return weights

    # Calibrated on sites that a first training did not see; what is kept has learnt from all of them.
    first = learn(np.flatnonzero(~held).astype(np.int32), 0.0, 0.45)
    held_rows, held_at = _flat([examples.texts[i] for i in np.flatnonzero(held)], rows)
    curves = [
        _calibrate(_sums(first[lane][held_rows], held_at) * float(_DAMP), known[lane][held], target[lane][held])
        for lane in lanes
    ]
    del first, held_rows
    scales, table = _quantise(learn(np.arange(len(held), dtype=np.int32), 0.45, 0.95))
    lines: list[Line] = []
    told: dict[str, Any] = {}
    for lane, (category, (slope, offset)) in enumerate(zip(examples.categories, curves, strict=True)):
        lines.append(Line(category, float(scales[lane]) * float(_DAMP) * slope, offset))
        told[category] = {"sites": int((is_ >> lane & 1).sum()), "others": int((is_not >> lane & 1).sum())}
    progress(1.0)
    learnt = dict(facts or {}) | {
        "seed": seed,
        "examples": len(examples.texts),
        "held_out": int(held.sum()),
        "categories": told,
    }
    return write_model(lines, examples.shared_hosts, table.astype("<u8").tobytes(), learnt)


def _targets(
    is_: npt.NDArray[np.uint8], is_not: npt.NDArray[np.uint8], ordinary: npt.NDArray[np.uint8], lane: int
) -> tuple[Floats, Floats]:
    """(weight of each example, 0 where nothing is known; 1 where it is of the category). Both sides weigh the same."""
    yes, no = (is_ >> lane & 1).astype(np.float32), (is_not >> lane & 1).astype(np.float32)
    no *= np.where(ordinary, _ORDINARY, np.float32(1))
    total = float(yes.sum() + no.sum())
    share = np.float32(0.5 * total) / np.maximum(np.float32(1), np.array([yes.sum(), no.sum()], np.float32))
    # A category of few sites would be learnt by heart if each weighed as much as all that many others.
    share = np.minimum(share, np.float32(30))
    return yes * share[0] + no * share[1], yes


def _lay_out(texts: list[bytes], rows: int) -> list[_Batch]:
    batches: list[_Batch] = []
    for first in range(0, len(texts), _BATCH):
        some = texts[first : first + _BATCH]
        numbers, example_at = _flat(some, rows)
        order = np.argsort(numbers, kind="stable").astype(np.int32)
        risen = numbers[order]
        row_at = np.flatnonzero(np.concatenate(([True], risen[1:] != risen[:-1]))).astype(np.int32)
        place = np.empty(len(numbers), np.int32)
        place[order] = np.repeat(
            np.arange(len(row_at), dtype=np.int32), np.diff(np.concatenate((row_at, [len(numbers)])))
        )
        owner = np.repeat(np.arange(len(some), dtype=np.int32), np.diff(np.concatenate((example_at, [len(numbers)]))))
        batches.append(
            _Batch(
                first,
                first + len(some),
                risen[row_at],
                place,
                example_at,
                owner[order],
                row_at,
            )
        )
    return batches


def _flat(texts: list[bytes], rows: int) -> tuple[Ints, Ints]:
    """(row of every piece, where each text's pieces begin)."""
    numbers, counts = row_numbers(texts, rows)
    begin = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int32) if len(texts) else np.zeros(0, np.int32)
    return numbers, begin


def _sums(values: npt.NDArray[Any], begin: Ints) -> npt.NDArray[Any]:
    return np.add.reduceat(values, begin) if len(begin) else np.zeros(0, values.dtype)


def _descend(batches: list[_Batch], known: Floats, target: Floats, rows: int, seed: int) -> Floats:
    weight, seen = np.zeros(rows, np.float32), np.full(rows, 1e-2, np.float32)
    offset, offset_seen = np.float32(0), np.float32(1e-2)
    chance = np.random.Generator(np.random.PCG64(seed))
    for turn in range(PASSES):
        step = np.float32(_STEP * (1 - 0.8 * turn / PASSES))
        for number in chance.permutation(len(batches)):
            batch = batches[number]
            local = weight[batch.rows]
            score = np.add.reduceat(local[batch.by_example], batch.example_at) * _DAMP + offset
            chances = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
            gap = (chances - target[batch.first : batch.last]) * known[batch.first : batch.last]
            pull = np.add.reduceat(gap[batch.of_example], batch.row_at) * _DAMP + np.float32(_DECAY * _BATCH) * local
            seen[batch.rows] += pull * pull
            weight[batch.rows] = local - step * pull / np.sqrt(seen[batch.rows])
            tilt = np.float32(gap.sum())
            offset_seen += tilt * tilt
            offset -= step * tilt / np.sqrt(offset_seen)
    return weight


def _quantise(weights: Floats) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]:
    """(value of one unit for each category, rows of 8-bit lanes)."""
    scales = np.ones(len(weights))
    table = np.full(weights.shape[1], sum(ZERO << 8 * lane for lane in range(LANES)), np.uint64)
    for lane, line in enumerate(weights):
        moved = np.abs(line[line != 0])
        scales[lane] = max(float(np.quantile(moved, 0.9995)) if len(moved) else 1.0, 1e-6) / _WIDEST
        units = np.clip(np.rint(line / scales[lane]), -_WIDEST, _WIDEST).astype(np.int64) + ZERO
        table += (units.astype(np.uint64) - np.uint64(ZERO)) << np.uint64(8 * lane)
    return scales, table


def _calibrate(scores: npt.NDArray[np.float64], known: Floats, target: Floats) -> tuple[float, float]:
    """(slope, offset) of the logistic line through held-out scores (Platt), for a share of `PRIOR`."""
    use = known > 0
    score, truth = scores[use], target[use].astype(np.float64)
    ups, downs = truth.sum(), len(truth) - truth.sum()
    if not ups or not downs:
        return 0.0, -30.0
    soft = np.where(truth > 0, (ups + 1) / (ups + 2), 1 / (downs + 2))
    share = np.where(truth > 0, PRIOR / ups, (1 - PRIOR) / downs) * 10000
    slope, offset = 1.0, 0.0
    for _ in range(60):  # Newton, damped
        chance = 1 / (1 + np.exp(-np.clip(slope * score + offset, -30, 30)))
        gap, bend = share * (chance - soft), share * chance * (1 - chance) + 1e-9
        g0, g1 = (gap * score).sum() + 1e-3 * (slope - 1), gap.sum()
        h00, h01, h11 = (bend * score * score).sum() + 1e-3, (bend * score).sum(), bend.sum() + 1e-6
        size = h00 * h11 - h01 * h01
        d0, d1 = (h11 * g0 - h01 * g1) / size, (h00 * g1 - h01 * g0) / size
        short = min(1.0, 1.0 / max(abs(d0), abs(d1), 1e-12))
        slope, offset = slope - short * d0, offset - short * d1
    return max(0.0, float(slope)), float(offset)
