"""Term lists as real text has them: Zipf-Mandelbrot frequencies, topics, lengths that vary; the same from run to run.

Real text may not lie in the repository, so benchmarks run on this unless a BEIR folder is given.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Texts:
    """Documents and queries as term ids."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    n_terms: int
    queries: list[list[int]]
    sources: list[int]
    """The document that each query was drawn from; none of real text."""

    def documents(self) -> list[list[int]]:
        return [self.ids[a:b].tolist() for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]


def synthetic(n_docs: int, n_queries: int, *, seed: int = 42) -> Texts:
    """About 90 terms a document out of 100,000; a query has 3 to 8 terms of one document, rare ones rather."""
    draw = np.random.default_rng(seed)
    n_terms = 100_000
    frequencies = 1 / (np.arange(n_terms) + 20.0) ** 1.05
    cumulative = np.cumsum(frequencies / frequencies.sum())
    lengths = np.clip(draw.lognormal(4.3, 0.6, n_docs), 5, 600).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.minimum(np.searchsorted(cumulative, draw.random(starts[-1])), n_terms - 1).astype(np.int32)
    queries = []
    sources = draw.integers(0, n_docs, n_queries)
    for row in sources:
        held = np.unique(ids[starts[row] : starts[row + 1]])
        odds = np.sqrt(held + 20.0)
        n = min(int(draw.integers(3, 9)), len(held))
        queries.append(draw.choice(held, n, replace=False, p=odds / odds.sum()).tolist())
    return Texts(ids, starts, n_terms, queries, sources.tolist())


def real(passages: Path, words: str, n_queries: int, *, seed: int = 42) -> Texts:
    """A BEIR folder's passages, its queries where it has some, else its titles."""
    from sparse_mining._files import InputError
    from sparse_mining.analysers import analyser
    from sparse_mining.passages import read_collection, read_queries

    collection = read_collection(passages)
    vocabulary: dict[str, int] = {}
    ids: list[int] = []
    starts = [0]
    found = analyser(words)
    for terms in found.terms(collection.full_texts()):
        ids.extend(vocabulary.setdefault(term, len(vocabulary)) for term in terms)
        starts.append(len(ids))
    try:
        texts = [query.text for query in read_queries(passages)]
    except InputError:  # no queries there: titles stand in
        texts = [passage.title for passage in collection.passages if passage.title]
    chosen = np.random.default_rng(seed).permutation(len(texts))[:n_queries]
    queries = [[vocabulary[t] for t in terms if t in vocabulary] for terms in found.terms(texts[i] for i in chosen)]
    return Texts(np.array(ids, np.int32), np.array(starts, np.int64), len(vocabulary), [q for q in queries if q], [])
