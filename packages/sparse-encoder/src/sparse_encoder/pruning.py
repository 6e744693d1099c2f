"""Which active terms of a document stay. Light: no torch here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Terms = tuple[NDArray[np.int32], NDArray[np.float32]]
"""A text's token ids, ascending, and their weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Which active terms of a document stay."""

    top_k: int
    """At most so many, the heaviest; at equal weight the smaller id."""
    ratio: float = 0.0
    """Only those of at least this share of the heaviest."""


def prune(row: NDArray[np.float32], pruning: Pruning) -> Terms:
    """The terms of a (vocab) row of weights that stay: ids, ascending, and their weights.

    >>> prune(np.array([0.0, 2.0, 0.5, 1.0], dtype=np.float32), Pruning(top_k=2))[0].tolist()
    [1, 3]
    """
    return prune_terms(np.arange(len(row)), row, pruning)


def prune_terms(ids: NDArray[np.integer], weights: NDArray[np.float32], pruning: Pruning) -> Terms:
    """The same of some terms, given by their ids, ascending."""
    active = np.flatnonzero(weights > 0)
    if pruning.ratio:
        active = active[weights[active] >= pruning.ratio * weights.max(initial=0.0)]
    if len(active) > pruning.top_k:
        active = np.sort(active[np.argsort(-weights[active], kind="stable")[: pruning.top_k]])
    return ids[active].astype(np.int32), weights[active].astype(np.float32)
