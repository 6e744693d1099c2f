"""Tests of `ranking`: the laws of exact top-k."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_mining.postings import Bags, Postings, bags, group
from sparse_mining.ranking import all_scores, compiled, order_terms, plain, scores_of, top_k


@st.composite
def collections(draw: st.DrawFn) -> tuple[Postings, Bags]:
    """Few values, so that ties abound."""
    n_docs, n_terms = draw(st.integers(1, 30)), draw(st.integers(1, 6))
    values = st.sampled_from([0.0, 0.5, 1.0, 2.0])
    table = np.array(
        draw(st.lists(st.lists(values, min_size=n_terms, max_size=n_terms), min_size=n_docs, max_size=n_docs))
    )
    terms, docs = np.nonzero(table.T)
    starts = np.searchsorted(terms, np.arange(n_terms + 1)).astype(np.int64)
    postings = group(
        starts=starts, docs=docs.astype(np.int32), impacts=table.T[terms, docs].astype(np.float32), n_docs=n_docs
    )
    asked = draw(st.lists(st.dictionaries(st.integers(0, n_terms - 1), st.sampled_from([0.5, 1.0, 3.0])), max_size=4))
    return postings, bags((list(q), list(q.values())) for q in asked)


@given(collections(), st.integers(1, 12))
def test_top_k_equals_sorting_every_score(case: tuple[Postings, Bags], k: int) -> None:
    postings, queries = case
    ordered = order_terms(postings, queries)
    for i, ranking in enumerate(top_k(postings, queries, k)):
        span = slice(queries.starts[i], queries.starts[i + 1])
        scores = all_scores(postings, ordered.terms[span], ordered.weights[span])
        wanted = [d for d in sorted(range(postings.n_docs), key=lambda d: (-scores[d], d)) if scores[d] > 0][:k]
        assert ranking.docs.tolist() == wanted
        assert ranking.scores.tolist() == scores[wanted].tolist()


@given(collections())
def test_looking_scores_up_equals_accumulating_them(case: tuple[Postings, Bags]) -> None:
    postings, queries = case
    rows = np.arange(postings.n_docs, dtype=np.int32)[::-1].copy()
    ordered = order_terms(postings, queries)
    for i, scores in enumerate(scores_of(postings, queries, [rows] * len(queries))):
        span = slice(queries.starts[i], queries.starts[i + 1])
        assert scores.tolist() == all_scores(postings, ordered.terms[span], ordered.weights[span])[::-1].tolist()


def test_documents_whose_impacts_are_negative_are_found_too() -> None:
    postings = group(
        starts=np.array([0, 2], np.int64), docs=np.array([0, 2], np.int32), impacts=np.array([-1.0, -0.5]), n_docs=3
    )
    assert top_k(postings, bags([([0], [1.0])]), 5)[0].docs.tolist() == [2, 0]


@settings(deadline=None)
@given(collections(), st.integers(1, 12), st.integers(1, 2))
def test_the_compiled_search_returns_the_same_bits(case: tuple[Postings, Bags], k: int, n_threads: int) -> None:
    postings, queries = case
    ordered = order_terms(postings, queries)
    for found, wanted in zip(
        compiled(postings, ordered, k, n_threads=n_threads), plain(postings, ordered, k), strict=True
    ):
        assert found.docs.tolist() == wanted.docs.tolist()
        assert found.scores.tolist() == wanted.scores.tolist()


@pytest.mark.parametrize("k", [1, 10, 100, 300])
@pytest.mark.parametrize("scale", [1, 5])
def test_long_lists_are_left_out_without_a_difference(k: int, scale: int) -> None:
    draw = np.random.default_rng(3)
    n_docs, df = 20_000 * scale, [n * scale for n in (12_000, 9_000, 4_000, 600, 150, 40, 1)]
    docs = [np.sort(draw.permutation(n_docs)[:n]).astype(np.int32) for n in df]
    impacts = [(draw.integers(1, 9, n) / 8 * (1 + rank)).astype(np.float32) for rank, n in enumerate(df)]
    starts = np.concatenate([[0], np.cumsum(df)]).astype(np.int64)
    postings = group(starts=starts, docs=np.concatenate(docs), impacts=np.concatenate(impacts), n_docs=n_docs)
    asked = bags([(list(range(7)), [1.0] * 7), ([0, 1], [1.0, 0.5]), ([6, 0], [1.0, 2.0]), ([2], [1.0])])
    ordered = order_terms(postings, asked)
    for found, wanted in zip(compiled(postings, ordered, k, n_threads=1), plain(postings, ordered, k), strict=True):
        assert found.docs.tolist() == wanted.docs.tolist()
        assert found.scores.tolist() == wanted.scores.tolist()
