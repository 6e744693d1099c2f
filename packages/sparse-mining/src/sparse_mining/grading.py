"""Groups out of what was chosen: grades or raw scores, best-first, each document with label and provenance.

Apart from the choosing, so that a scale can be read, and changed, in one place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparse_mining.groups import ORDER, Group, Label, Scale
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection

POSITIVE_SCORE = 10.0
HARD_SCORES = (1.0, 9.0)
"""Graded scores of a hard negative: as unlike as can be, and as similar as the positive."""
EASY_CEILING = 0.99
"""Graded scores of an easy negative stay below every hard one."""


class Candidate(NamedTuple):
    """A row, where a miner found it, and how it scored there."""

    row: int
    source: str
    rank: int
    score: float
    """The miner's own."""
    similarity: float
    """Score for the query over that of the positive, 0 to 1."""


class Chosen(NamedTuple):
    """What a group is made of."""

    pair: Pair
    positive: int
    hard: list[Candidate]
    easy: list[int]

    def rows(self) -> list[int]:
        """Positive, hard and easy, in this order."""
        return [self.positive, *(candidate.row for candidate in self.hard), *self.easy]


def group(chosen: Chosen, collection: Collection, scores: NDArray[np.float64], *, scale: Scale, titles: bool) -> Group:
    """The group of these rows; `scores` are one searcher's, in the order of `chosen.rows()`."""
    n_hard = len(chosen.hard)
    labels: list[Label] = ["positive", *["hard"] * n_hard, *["easy"] * len(chosen.easy)]  # type: ignore[list-item]
    sources = ["pairs@1", *(f"{candidate.source}@{candidate.rank}" for candidate in chosen.hard)]
    sources += [f"random@{rank}" for rank in range(1, len(chosen.easy) + 1)]
    similar = [candidate.similarity for candidate in chosen.hard]
    given = scores.tolist() if scale == "raw" else grade(similar, scores[1 + n_hard :], float(scores[0]))
    order = sorted(range(len(labels)), key=lambda i: (ORDER[labels[i]], -given[i], i))
    rows = chosen.rows()
    found = [collection.passages[rows[i]] for i in order]
    return Group(
        query=chosen.pair.query,
        docs=tuple(passage.full_text() if titles else passage.text for passage in found),
        scores=tuple(round(given[i], 6) for i in order),
        q_id=chosen.pair.query_id,
        d_ids=tuple(passage.id for passage in found),
        labels=tuple(labels[i] for i in order),
        sources=tuple(sources[i] for i in order),
    )


def grade(similar: Sequence[float], easy_scores: NDArray[np.float64], positive_score: float) -> list[float]:
    """Graded scores: the positive 10, hard ones 1 to 9 by their similarity to it, easy ones 0 to .99.

    >>> grade([1.0, 0.5], np.array([0.0, 2.0]), 8.0)
    [10.0, 9.0, 5.0, 0.0, 0.2475]
    """
    low, high = HARD_SCORES
    hard = [low + (high - low) * share for share in similar]
    easy = [EASY_CEILING * ratio(float(score), positive_score) for score in easy_scores]
    return [POSITIVE_SCORE, *hard, *easy]


def ratio(score: float, reference: float) -> float:
    """A share of a reference, cut off at 0 and 1; 0 where the reference is not above 0.

    >>> ratio(1.0, 4.0), ratio(5.0, 4.0), ratio(1.0, 0.0)
    (0.25, 1.0, 0.0)
    """
    return min(max(score / reference, 0.0), 1.0) if reference > 0 else 0.0
