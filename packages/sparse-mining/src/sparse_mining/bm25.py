"""BM25 in three variants over any analyser's terms.

Lexical search is both the baseline a neural model must beat and the first source of hard negatives.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sparse_mining.postings import Bags, Ints, Longs, Postings, bags, group
from sparse_mining.ranking import Ranking, scores_of, top_k
from sparse_mining.settings import Settings, Variant
from sparse_mining.terms import Terms, number

OKAPI_EPSILON = 0.25
"""Share of the mean IDF that rank_bm25 gives a term found in more than half of the documents."""
PLUS_DELTA = 1.0
"""What BM25+ adds for a term, whether a document holds it or not (Lv and Zhai 2011)."""


@dataclass(frozen=True, slots=True)
class BM25:
    """An index: the terms by name and their postings."""

    settings: Settings
    vocabulary: dict[str, int]
    """Term ids by term, in the order of first occurrence."""
    postings: Postings
    absent: NDArray[np.float64]
    """(n_terms): what a query term adds to every document; 0 but for BM25+."""

    def search(self, queries: Iterable[Sequence[str]], k: int) -> list[Ranking]:
        """The k best documents of each query, given as terms; a repeated term counts as often as it stands there."""
        asked = self.bags(queries)
        found = zip(top_k(self.postings, asked, k), self.shifts(asked), strict=True)
        return [Ranking(ranking.docs, ranking.scores + shift) for ranking, shift in found]

    def scores_of(self, queries: Iterable[Sequence[str]], docs: list[Ints]) -> list[NDArray[np.float64]]:
        """The scores of the rows named for each query."""
        asked = self.bags(queries)
        found = scores_of(self.postings, asked, docs)
        return [scores + shift for scores, shift in zip(found, self.shifts(asked), strict=True)]

    def bags(self, queries: Iterable[Iterable[str]]) -> Bags:
        """Queries as term ids with their counts as weights; terms that no document holds are left out."""
        known = (Counter(self.vocabulary[t] for t in terms if t in self.vocabulary) for terms in queries)
        return bags((list(counts), list(counts.values())) for counts in known)

    def shifts(self, asked: Bags) -> list[float]:
        """What each query adds to the score of every document; all 0 but for BM25+."""
        if not self.absent.any():
            return [0.0] * len(asked)
        spans = [slice(asked.starts[i], asked.starts[i + 1]) for i in range(len(asked))]
        return [float(self.absent[asked.terms[s]] @ asked.weights[s]) for s in spans]


def build(documents: Iterable[Sequence[str]], settings: Settings) -> BM25:
    """An index over documents given as terms; holds one int32 a term occurrence while it builds."""
    return build_from_terms(number(documents), settings)


def build_from_terms(terms: Terms, settings: Settings) -> BM25:
    """An index over documents given as term ids."""
    n_docs = len(terms)
    occurrences = np.ones(len(terms.ids), np.int32)
    counts = sp.csr_array((occurrences, terms.ids, terms.starts), shape=(n_docs, len(terms.vocabulary))).tocsc()
    counts.sum_duplicates()
    lengths = np.diff(terms.starts)
    list_starts = counts.indptr.astype(np.int64)
    docs = counts.indices.astype(np.int32, copy=False)
    idf = _idf(np.diff(list_starts), n_docs, settings.variant)
    saturation = _saturation(counts.data, lengths, docs, settings=settings)
    impacts = np.repeat(idf, np.diff(list_starts)) * saturation
    kept = impacts if settings.double else impacts.astype(np.float32)
    absent = idf * PLUS_DELTA if settings.variant == "plus" else np.zeros(len(idf))
    return BM25(settings, terms.vocabulary, group(starts=list_starts, docs=docs, impacts=kept, n_docs=n_docs), absent)


def _idf(df: NDArray[np.int64], n_docs: int, variant: Variant) -> NDArray[np.float64]:
    """(n_terms): inverse document frequency. `okapi` and `plus` follow rank_bm25 0.2.2 to the letter."""
    if variant == "lucene":
        return np.asarray(np.log1p((n_docs - df + 0.5) / (df + 0.5)), np.float64)
    if variant == "plus":
        return np.asarray(np.log((n_docs + 1) / np.maximum(df, 1)), np.float64)
    idf = np.asarray(np.log(n_docs - df + 0.5) - np.log(df + 0.5), np.float64)
    if len(idf):
        idf[idf < 0] = OKAPI_EPSILON * (idf.sum() / len(idf))
    return idf


def _saturation(tf: Ints, lengths: Longs, docs: Ints, *, settings: Settings) -> NDArray[np.float64]:
    """(n_postings): term frequency, saturated and discounted by document length."""
    mean = lengths.mean() if len(lengths) else 0.0
    relative = lengths / mean if mean > 0 else np.zeros(len(lengths))
    norms = settings.k1 * (1 - settings.b + settings.b * relative)
    gain = 1.0 if settings.variant == "lucene" else settings.k1 + 1
    return np.asarray(tf * gain / (tf + norms[docs]), np.float64)
