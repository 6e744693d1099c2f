"""Systems judged and compared on the same queries: means, intervals and paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sparse_eval._files import InputError
from sparse_eval.measuring import PRIMARY, Judged, judge
from sparse_eval.records import ALL, Comparison, MeasureRow, Metrics, Query, Row, Test
from sparse_eval.resampling import N_RESAMPLES, TEST, bootstrap, permutation_p
from sparse_eval.runs import Qrels, Run
from sparse_eval.slices import Slice, slices

DIGITS = 4
"""Of everything written: more would be noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How resampling is done: the same for everything that is put side by side."""

    seed: int = 42
    n_resamples: int = N_RESAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system under its name: what it found and what it costs."""

    name: str
    run: Run
    facts: Mapping[str, float | None] = field(default_factory=dict)


def measure(system: System, qrels: Qrels, *, queries: Mapping[str, Query] | None = None, draws: Draws) -> Metrics:
    """Every measure of one system, overall and by slice, with its bootstrap interval."""
    judged = judge(system.run, qrels)
    rows: list[MeasureRow] = []
    for part in slices(judged.query_ids, queries):
        values = judged.values[:, part.members]
        interval = bootstrap(values, seed=draws.seed, n_resamples=draws.n_resamples)
        ends = zip(judged.measures, values.mean(axis=1), interval.low, interval.high, strict=True)
        rows += [
            MeasureRow(measure=name, slice=part.name, value=_round(mean), low=_round(low), high=_round(high), n=part.n)
            for name, mean, low, high in ends
        ]
    return Metrics(system=system.name, measures=tuple(rows), facts=dict(system.facts))


def compare(
    systems: Sequence[System], qrels: Qrels, *, queries: Mapping[str, Query] | None = None, draws: Draws
) -> Comparison:
    """Puts systems side by side on the same queries and tests every pair of them.

    Every measure is tested on all queries, nDCG@10 on each slice. The p-values are not corrected for their number.
    InputError where two systems have one name.
    """
    names = tuple(system.name for system in systems)
    if len(set(names)) < len(names):
        raise InputError(f"found the systems {', '.join(names)}: wanted a different name for each")
    judged = [judge(system.run, qrels) for system in systems]
    rows: list[Row] = []
    tests: list[Test] = []
    for part in slices(judged[0].query_ids, queries):
        rows += _rows(systems, judged, part, draws)
        tests += _tests(names, judged, part, draws)
    return Comparison(systems=names, rows=tuple(rows), tests=tuple(tests))


def _rows(systems: Sequence[System], judged: Sequence[Judged], part: Slice, draws: Draws) -> list[Row]:
    measures = judged[0].measures
    values = np.concatenate([one.values[:, part.members] for one in judged])
    interval = bootstrap(values, seed=draws.seed, n_resamples=draws.n_resamples)
    means = values.mean(axis=1)
    rows = []
    for index, system in enumerate(systems):
        at = {name: index * len(measures) + row for row, name in enumerate(measures)}
        rows.append(
            Row(
                system=system.name,
                slice=part.name,
                n=part.n,
                measures={name: _round(means[row]) for name, row in at.items()},
                intervals={name: (_round(interval.low[row]), _round(interval.high[row])) for name, row in at.items()},
                facts=dict(system.facts) if part.name == ALL else {},
            )
        )
    return rows


def _tests(names: Sequence[str], judged: Sequence[Judged], part: Slice, draws: Draws) -> list[Test]:
    """The tests of all pairs on a slice, pair by pair in the order given."""
    tested = judged[0].measures if part.name == ALL else (PRIMARY,)
    pairs = [(first, second, name) for first, second in combinations(range(len(names)), 2) for name in tested]
    if not pairs:
        return []
    differences = np.stack([_difference(judged[b], judged[a], name, part) for a, b, name in pairs])
    flips = differences.mean(axis=1) < 0
    differences[flips] *= -1.0
    interval = bootstrap(differences, seed=draws.seed, n_resamples=draws.n_resamples)
    p_values = permutation_p(differences, seed=draws.seed, n_resamples=draws.n_resamples)
    return [
        Test(
            better=names[first if flips[row] else second],
            than=names[second if flips[row] else first],
            measure=name,
            slice=part.name,
            difference=_round(differences[row].mean()),
            low=_round(interval.low[row]),
            high=_round(interval.high[row]),
            p_value=round(float(p_values[row]), 6),
            n=part.n,
            test=TEST,
        )
        for row, (first, second, name) in enumerate(pairs)
    ]


def _difference(later: Judged, earlier: Judged, name: str, part: Slice) -> NDArray[np.float64]:
    return later.of(name)[part.members] - earlier.of(name)[part.members]


def _round(value: float) -> float:
    return round(float(value), DIGITS) + 0.0
