"""Inverted lists: for each term the documents that hold it and what it adds to their score there.

BM25 and sparse vectors are the same thing once weighted, so one structure and one search serve both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]


FLOOR_RANK = 100
"""A search for this many documents or fewer can start from what one list alone guarantees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """Documents and impacts grouped by term; within a term, documents ascend and are distinct."""

    starts: Longs
    """(n_terms + 1): where each term's list starts, and the end of the last."""
    docs: Ints
    """(n_postings): row of a document."""
    impacts: Floats
    """(n_postings): what a query weight of 1 on the term adds to the document's score."""
    bounds: NDArray[np.float64]
    """(n_terms): the highest impact of each term, 0 for a term without postings."""
    floors: NDArray[np.float64]
    """(n_terms): the FLOOR_RANK-th highest impact of each term, 0 for a shorter list."""
    n_docs: int
    all_positive: bool
    """No impact is 0 or below, so that a bound can rule documents out."""

    def __post_init__(self) -> None:
        if len(self.docs) != len(self.impacts) or self.starts[-1] != len(self.docs):
            raise ValueError("postings are not whole: starts, docs and impacts differ in length")

    @property
    def n_terms(self) -> int:
        return len(self.starts) - 1


def group(*, starts: Longs, docs: Ints, impacts: Floats, n_docs: int) -> Postings:
    """Postings from lists already grouped by term."""
    bounds = np.zeros(len(starts) - 1)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        bounds[filled] = np.maximum.reduceat(impacts, starts[filled])
    return Postings(
        starts=starts,
        docs=docs,
        impacts=impacts,
        bounds=bounds,
        floors=_floors(starts, impacts),
        n_docs=n_docs,
        all_positive=bool(impacts.min() > 0) if len(impacts) else True,
    )


def _floors(starts: Longs, impacts: Floats) -> NDArray[np.float64]:
    floors = np.zeros(len(starts) - 1)
    for term in np.flatnonzero(np.diff(starts) >= FLOOR_RANK):
        own = impacts[starts[term] : starts[term + 1]]
        floors[term] = np.partition(own, len(own) - FLOOR_RANK)[len(own) - FLOOR_RANK]
    return floors


@dataclass(frozen=True, slots=True)
class Bags:
    """Weighted terms of several queries, one after the other: query i has the slice starts[i]:starts[i+1]."""

    starts: Longs
    terms: Ints
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts) - 1


def bags(queries: Iterable[tuple[Sequence[int], Sequence[float]]]) -> Bags:
    """Puts each query's distinct term ids and weights end to end.

    >>> bags([([3, 1], [1.0, 2.0]), ([], [])]).starts.tolist()
    [0, 2, 2]
    """
    starts = [0]
    terms: list[int] = []
    weights: list[float] = []
    for query_terms, query_weights in queries:
        terms.extend(query_terms)
        weights.extend(query_weights)
        starts.append(len(terms))
    return Bags(np.array(starts, np.int64), np.array(terms, np.int32), np.array(weights, np.float64))
