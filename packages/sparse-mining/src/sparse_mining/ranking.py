"""Exact top-k over inverted lists: by plain accumulation for little work, compiled and pruned for much.

Both add up float64 in the same order (terms by falling bound, then by id), so they return the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparse_mining.postings import Bags, Ints, Postings


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best documents of one query, best first, ties by row."""

    docs: Ints
    scores: NDArray[np.float64]


def top_k(postings: Postings, queries: Bags, k: int) -> list[Ranking]:
    """The k best of the documents that hold at least one of a query's terms, for each query.

    Scores are the sums of weight times impact; ties go to the lower row. A term outside the postings must have been
    left out. Fewer than k come back where fewer documents hold a term; none for a query without terms.
    """
    ordered = order_terms(postings, queries)
    return list(_accumulate(postings, ordered, k))


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


def _accumulate(postings: Postings, queries: Bags, k: int) -> Iterator[Ranking]:
    for i in range(len(queries)):
        span = slice(queries.starts[i], queries.starts[i + 1])
        terms, weights = queries.terms[span], queries.weights[span]
        scores = all_scores(postings, terms, weights)
        if postings.all_positive and bool((weights > 0).all()):
            found = np.flatnonzero(scores)
        else:
            lists = [postings.docs[postings.starts[t] : postings.starts[t + 1]] for t in terms]
            found = np.unique(np.concatenate(lists)) if lists else np.empty(0, np.int32)
        yield best(found.astype(np.int32), scores[found], k)


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
