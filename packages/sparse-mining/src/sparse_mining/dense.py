"""Exact search over dense vectors, by inner product.

Plain matrix products in blocks: exact, deterministic, and quick enough up to some hundred thousand passages.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sparse_mining.postings import Ints
from sparse_mining.ranking import Ranking, best

Matrix = NDArray[np.float32]

BLOCK_SCORES = 1 << 24
"""Scores held at once: 64 MB of float32."""


def search(documents: Matrix, queries: Matrix, k: int) -> Iterator[Ranking]:
    """Yields the k documents of highest inner product with each query, best first, ties by row."""
    rows = np.arange(len(documents), dtype=np.int32)
    step = max(1, BLOCK_SCORES // max(1, len(documents)))
    for first in range(0, len(queries), step):
        for scores in queries[first : first + step] @ documents.T:
            yield best(rows, scores.astype(np.float64), k)


def scores_of(documents: Matrix, queries: Matrix, docs: list[Ints]) -> list[NDArray[np.float64]]:
    """The inner products of each query with the rows named for it."""
    return [(documents[wanted] @ query).astype(np.float64) for query, wanted in zip(queries, docs, strict=True)]
