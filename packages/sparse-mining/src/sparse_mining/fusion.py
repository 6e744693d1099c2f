"""Fusion: one run out of several, by rank or by normalised score.

Lexical and neural searches fail on different queries, so their union is a baseline of its own.
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal

from sparse_mining.runs import Hit, Run

How = Literal["rrf", "minmax", "zscore"]

RRF_K = 60
"""Cormack, Clarke and Büttcher 2009: what is added to a rank before it is inverted."""


def fuse(runs: Sequence[Run], how: How, *, weights: Sequence[float], k: int) -> dict[str, list[Hit]]:
    """The k best of each query by the weighted sum of what each run gives a document.

    Queries come in the order in which the runs first name them; a document that a run lacks gets what its last
    place could not: 0 with `rrf` and `minmax`, the run's lowest z-score of that query with `zscore`. Ties go to
    the document with the better place, then to the run given first.
    """
    scale = _SCALES[how]
    query_ids = dict.fromkeys(query_id for run in runs for query_id in run)
    return {q: _fuse_one([run.get(q, ()) for run in runs], scale, weights=weights, k=k) for q in query_ids}


def _fuse_one(
    lists: Sequence[Sequence[Hit]], scale: Callable[[Sequence[float]], list[float]], *, weights: Sequence[float], k: int
) -> list[Hit]:
    totals: dict[str, float] = {}
    places: dict[str, tuple[int, int]] = {}
    scaled = [scale([hit.score for hit in hits]) for hits in lists]
    floors = [min(0.0, *values) if values else 0.0 for values in scaled]
    base = sum(weight * floor for weight, floor in zip(weights, floors, strict=True))
    for number, (hits, values) in enumerate(zip(lists, scaled, strict=True)):
        for rank, (hit, value) in enumerate(zip(hits, values, strict=True)):
            totals[hit.doc_id] = totals.get(hit.doc_id, base) + weights[number] * (value - floors[number])
            places[hit.doc_id] = min(places.get(hit.doc_id, (rank, number)), (rank, number))
    order = sorted(totals, key=lambda doc_id: (-totals[doc_id], places[doc_id]))
    return [Hit(doc_id, totals[doc_id]) for doc_id in order[:k]]


def reciprocal_ranks(scores: Sequence[float]) -> list[float]:
    """1 / (60 + rank), whatever the scores; they must be best-first.

    >>> reciprocal_ranks([9.0, 2.0]) == [1 / 61, 1 / 62]
    True
    """
    return [1 / (RRF_K + rank) for rank in range(1, len(scores) + 1)]


def min_max(scores: Sequence[float]) -> list[float]:
    """Scores moved to 0..1; all 1 where they are equal.

    >>> min_max([5.0, 3.0, 1.0])
    [1.0, 0.5, 0.0]
    """
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]


def z_scores(scores: Sequence[float]) -> list[float]:
    """Scores in standard deviations from their mean; all 0 where they are equal.

    >>> z_scores([3.0, 1.0])
    [1.0, -1.0]
    """
    if not scores:
        return []
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    return [(score - mean) / deviation if deviation > 0 else 0.0 for score in scores]


_SCALES: dict[How, Callable[[Sequence[float]], list[float]]] = {
    "rrf": reciprocal_ranks,
    "minmax": min_max,
    "zscore": z_scores,
}
