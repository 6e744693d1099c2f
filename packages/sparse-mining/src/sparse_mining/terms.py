"""Terms by number: what an analyser found in every passage, at four bytes an occurrence.

Several searchers and the cluster report want the same analysis, which costs more than all that is done with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from sparse_mining.analysers import analyser
from sparse_mining.passages import Collection
from sparse_mining.postings import Ints, Longs


@dataclass(frozen=True, slots=True)
class Terms:
    """Texts as term ids, one after the other: text i has the slice starts[i]:starts[i+1]."""

    ids: Ints
    starts: Longs
    vocabulary: dict[str, int]
    """Term ids by term, in the order of first occurrence."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def counts(self) -> sp.csr_array:
        """(texts, terms): how often each term occurs, as float64; term ids of a row ascend."""
        shape = (len(self), len(self.vocabulary))
        counts = sp.csr_array((np.ones(len(self.ids)), self.ids, self.starts), shape, copy=True)
        counts.sum_duplicates()
        return counts


@dataclass(frozen=True, slots=True)
class Analyses:
    """The passages of a collection, each analysis of them made once and kept."""

    collection: Collection
    _made: dict[str, Terms] = field(default_factory=dict)

    def terms(self, words: str) -> Terms:
        """The terms that the analyser of that name finds in titles and texts."""
        if words not in self._made:
            self._made[words] = number(analyser(words).terms(self.collection.full_texts()))
        return self._made[words]


def number(texts: Iterable[Sequence[str]]) -> Terms:
    """Numbers the terms of texts as they come.

    >>> number([["색인", "검색"], [], ["색인"]]).ids.tolist()
    [0, 1, 0]
    """
    vocabulary: dict[str, int] = {}
    rows: list[Ints] = []
    for terms in texts:
        rows.append(np.array([vocabulary.setdefault(term, len(vocabulary)) for term in terms], np.int32))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
    return Terms(np.concatenate(rows) if rows else np.empty(0, np.int32), starts, vocabulary)
