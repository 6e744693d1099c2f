"""BM25 by the rank-bm25 package: slow and plain, for small corpora and for whoever wants that very implementation.

It is the oracle that the tests hold our own to; here it is one more way to search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sparse_mining._files import InputError
from sparse_mining._kiwi import Analysis
from sparse_mining.analysers import Analyser
from sparse_mining.passages import Query
from sparse_mining.postings import Ints
from sparse_mining.ranking import Ranking, best
from sparse_mining.settings import Settings


class _Model(Protocol):
    doc_freqs: Sequence[Mapping[str, int]]

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RankBM25:
    """A model of rank-bm25 over an analyser's terms."""

    model: _Model
    analyser: Analyser
    settings: Settings
    name: str
    repeats: bool
    """Count a term of a query as often as it stands there."""

    def facts(self) -> Mapping[str, object]:
        identity: Analysis = self.analyser.identity()
        return {"name": self.name, "analysis": identity, "settings": self.settings}

    def ask(self, queries: Sequence[Query]) -> "_Asked":
        terms = self.analyser.terms(query.text for query in queries)
        return _Asked(self.model, [found if self.repeats else list(dict.fromkeys(found)) for found in terms])


@dataclass(frozen=True, slots=True)
class _Asked:
    model: _Model
    queries: Sequence[Sequence[str]]

    def best(self, k: int) -> Sequence[Ranking]:
        """Of the documents that hold a term of the query, as the other searchers do."""
        return [self._best(terms, k) for terms in self.queries]

    def scores_of(self, docs: list[Ints]) -> list[NDArray[np.float64]]:
        return [self.model.get_scores(terms)[rows] for terms, rows in zip(self.queries, docs, strict=True)]

    def _best(self, terms: Sequence[str], k: int) -> Ranking:
        holding = [row for row, held in enumerate(self.model.doc_freqs) if any(term in held for term in terms)]
        rows = np.array(holding, np.int32)
        return best(rows, self.model.get_scores(terms)[rows], k)


def rank_bm25(analyser: Analyser, texts: Sequence[str], settings: Settings, *, name: str, repeats: bool) -> RankBM25:
    """Indexes texts; InputError for the variant that rank-bm25 lacks, and where no term is found."""
    try:
        import rank_bm25 as library
    except ImportError as error:
        raise ImportError('rank_bm25 wants rank-bm25: pip install "sparse-mining[rank-bm25]"') from error
    variants = {"okapi": library.BM25Okapi, "plus": library.BM25Plus}
    if settings.variant not in variants:
        raise InputError(f"rank_bm25 has no variant {settings.variant!r}: wanted --variant okapi or plus")
    terms = list(analyser.terms(texts))
    if not any(terms):
        raise InputError(f"the analyser finds no term in {len(texts)} passages: nothing to search")
    model: _Model = variants[settings.variant](terms, k1=settings.k1, b=settings.b)
    return RankBM25(model=model, analyser=analyser, settings=settings, name=name, repeats=repeats)
