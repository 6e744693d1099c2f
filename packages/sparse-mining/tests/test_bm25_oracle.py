"""Tests of `bm25` against rank_bm25, the oracle, on random and adversarial corpora."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi, BM25Plus
from sparse_mining.bm25 import build
from sparse_mining.settings import Settings, Variant

TERMS = st.sampled_from(["가", "나", "다", "라", "마", "바"])
CORPORA = st.lists(st.lists(TERMS, max_size=8), min_size=1, max_size=12).filter(any)
QUERIES = st.lists(st.one_of(TERMS, st.just("없는말")), max_size=6)
ORACLES = {"okapi": BM25Okapi, "plus": BM25Plus}


def ours(corpus: list[list[str]], query: list[str], variant: Variant, *, double: bool) -> np.ndarray:
    index = build(corpus, Settings(variant=variant, k1=1.5, b=0.75, double=double))
    return index.scores_of([query], [np.arange(len(corpus), dtype=np.int32)])[0]


@pytest.mark.parametrize("variant", ["okapi", "plus"])
@settings(max_examples=150, deadline=None)
@given(corpus=CORPORA, query=QUERIES)
def test_double_scores_are_those_of_rank_bm25(variant: Variant, corpus: list[list[str]], query: list[str]) -> None:
    oracle = ORACLES[variant](corpus).get_scores(query)
    assert ours(corpus, query, variant, double=True) == pytest.approx(oracle, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("variant", ["okapi", "plus"])
@settings(max_examples=50, deadline=None)
@given(corpus=CORPORA, query=QUERIES)
def test_single_scores_are_near_those_of_rank_bm25(variant: Variant, corpus: list[list[str]], query: list[str]) -> None:
    oracle = ORACLES[variant](corpus).get_scores(query)
    assert ours(corpus, query, variant, double=False) == pytest.approx(oracle, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    "corpus",
    [
        [["가"]],
        [[], ["가"], []],
        [["가"] * 50, ["가", "나"]],
        [["가"], ["가"], ["가", "나"], ["가"]],
    ],
)
@pytest.mark.parametrize("variant", ["okapi", "plus"])
def test_adversarial_corpora_score_as_the_oracle_does(variant: Variant, corpus: list[list[str]]) -> None:
    query = ["가", "가", "나", "없는말"]
    oracle = ORACLES[variant](corpus).get_scores(query)
    assert ours(corpus, query, variant, double=True) == pytest.approx(oracle, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("variant", ["okapi", "plus"])
def test_the_ranking_is_the_oracles_with_ties_in_document_order(variant: Variant) -> None:
    draw = np.random.default_rng(7)
    corpus = [[str(t) for t in draw.integers(0, 40, draw.integers(0, 30))] for _ in range(200)]
    index = build(corpus, Settings(variant=variant, k1=1.5, double=True))
    for _ in range(20):
        query = [str(t) for t in draw.integers(0, 40, 4)]
        ranking = index.search([query], 10)[0]
        oracle = np.round(ORACLES[variant](corpus).get_scores(query), 9)
        assert oracle[ranking.docs].tolist() == np.sort(oracle)[::-1][:10].tolist()
