"""Exact top-k over inverted lists: by plain accumulation for little work, compiled and pruned for much.

Both add up float64 in the same order (terms by falling bound, then by id), so they return the same bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparse_mining.postings import FLOOR_RANK, Bags, Ints, Postings

COMPILED_FROM_S = 2.0
"""Seconds of plain work from which loading compiled code pays."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of one query, best first, ties by row."""

    docs: Ints
    scores: NDArray[np.float64]


def top_k(postings: Postings, queries: Bags, k: int, *, n_threads: int = 1) -> list[Ranking]:
    """The k best of the documents that hold at least one of a query's terms, for each query.

    Scores are the sums of weight times impact; ties go to the lower row. A term outside the postings must have been
    left out. Fewer than k come back where fewer documents hold a term; none for a query without terms.
    """
    ordered = order_terms(postings, queries)
    can_prune = postings.all_positive and bool((ordered.weights > 0).all())
    if can_prune and _plain_seconds(postings, ordered) > COMPILED_FROM_S:
        return compiled(postings, ordered, k, n_threads=n_threads)
    return plain(postings, ordered, k)


def _plain_seconds(postings: Postings, queries: Bags) -> float:
    """About what plain accumulation would take: a pass over every document and every posting of a query's terms."""
    n_postings = int(np.diff(postings.starts)[queries.terms].sum())
    return len(queries) * (postings.n_docs * 3e-9 + 5e-5) + n_postings * 6e-9


def compiled(postings: Postings, ordered: Bags, k: int, *, n_threads: int) -> list[Ranking]:
    """Top-k by the compiled search, queries shared out between threads; impacts and weights must be positive."""
    from concurrent.futures import ThreadPoolExecutor

    from sparse_mining import pruned

    n, width = len(ordered), min(k, postings.n_docs)
    lists = pruned.Lists(postings.starts, postings.docs, postings.impacts, postings.n_docs)
    bounds = ordered.weights * postings.bounds[ordered.terms]
    asked = pruned.Asked(ordered.starts, ordered.terms, ordered.weights, bounds, _floors(postings, ordered, width))
    found = pruned.Best(np.empty((n, width), np.int32), np.empty((n, width)), np.zeros(n, np.int64))
    step = max(1, min(256, -(-n // n_threads)))

    def search(first: int) -> None:
        pruned.search(lists, asked, found, first, min(first + step, n))

    if n_threads == 1:
        for first in range(0, n, step):
            search(first)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(search, range(0, n, step)))
    return [Ranking(found.docs[i, :c], found.scores[i, :c]) for i, c in enumerate(found.counts.tolist())]


def order_terms(postings: Postings, queries: Bags) -> Bags:
    """Each query's terms in the order in which scores are added: by falling bound, then by id."""
    bounds = queries.weights * postings.bounds[queries.terms]
    query_of = np.repeat(np.arange(len(queries)), np.diff(queries.starts))
    order = np.lexsort((queries.terms, -bounds, query_of))
    return Bags(queries.starts, queries.terms[order], queries.weights[order])


def all_scores(postings: Postings, terms: Ints, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_docs): the score of every document for one query, 0 where none of its terms occurs."""
    scores = np.zeros(postings.n_docs)
    for term, weight in zip(terms, weights, strict=True):
        span = slice(postings.starts[term], postings.starts[term + 1])
        scores[postings.docs[span]] += weight * postings.impacts[span].astype(np.float64)
    return scores


def _floors(postings: Postings, queries: Bags, k: int) -> NDArray[np.float64]:
    """(n_queries): what the k-th best score reaches at least, by the query's best single list; a little below it,
    since a score must exceed it.
    """
    floors = np.zeros(len(queries))
    if k <= FLOOR_RANK:
        query_of = np.repeat(np.arange(len(queries)), np.diff(queries.starts))
        np.maximum.at(floors, query_of, queries.weights * postings.floors[queries.terms])
    return floors * (1 - 1e-9)


def plain(postings: Postings, queries: Bags, k: int) -> list[Ranking]:
    """Top-k by scoring every document; the terms of `queries` must be in the order of `order_terms`."""
    return [_plain_one(postings, queries, k, query=i) for i in range(len(queries))]


def _plain_one(postings: Postings, queries: Bags, k: int, *, query: int) -> Ranking:
    span = slice(queries.starts[query], queries.starts[query + 1])
    terms, weights = queries.terms[span], queries.weights[span]
    scores = all_scores(postings, terms, weights)
    if postings.all_positive and bool((weights > 0).all()):
        found = np.flatnonzero(scores)
    else:
        lists = [postings.docs[postings.starts[t] : postings.starts[t + 1]] for t in terms]
        found = np.unique(np.concatenate(lists)) if lists else np.empty(0, np.int32)
    return best(found.astype(np.int32), scores[found], k)


def best(docs: Ints, scores: NDArray[np.float64], k: int) -> Ranking:
    """The k highest scores, best first; `docs` must ascend, and ties go to the lower.

    >>> best(np.array([2, 5, 7], np.int32), np.array([1.0, 3.0, 3.0]), 2).docs.tolist()
    [5, 7]
    """
    if len(docs) > k:
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        above = np.flatnonzero(scores >= threshold)
        docs, scores = docs[above], scores[above]
    order = np.argsort(-scores, kind="stable")[:k]
    return Ranking(docs[order], scores[order])


def scores_of(postings: Postings, queries: Bags, docs: list[Ints]) -> list[NDArray[np.float64]]:
    """The score of the documents named for each query, by looking them up in its terms' lists."""
    ordered = order_terms(postings, queries)
    results = []
    for i, wanted in enumerate(docs):
        scores = np.zeros(len(wanted))
        for j in range(ordered.starts[i], ordered.starts[i + 1]):
            span = slice(postings.starts[ordered.terms[j]], postings.starts[ordered.terms[j] + 1])
            held, impacts = postings.docs[span], postings.impacts[span]
            if not len(held):
                continue
            at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
            hit = held[at] == wanted
            scores[hit] += ordered.weights[j] * impacts[at[hit]].astype(np.float64)
        results.append(scores)
    return results
