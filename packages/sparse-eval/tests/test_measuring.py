"""Measures: every one against numbers computed by hand."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparse_eval.measuring import judge


def values(run: dict[str, tuple[str, ...]], qrels: dict[str, dict[str, int]]) -> dict[str, float]:
    found = judge(run, qrels)
    return {name: float(found.of(name)[0]) for name in found.measures}


def test_two_relevant_documents_at_ranks_two_and_four() -> None:
    found = values({"q": ("x", "a", "y", "b")}, {"q": {"a": 1, "b": 1}})
    ndcg = (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))
    assert ndcg == pytest.approx(0.650921)
    assert found == pytest.approx({"nDCG@10": ndcg, "MRR@10": 0.5, "Recall@10": 1.0, "Recall@100": 1.0, "P@10": 0.2})


def test_graded_relevance_gains_linearly_as_in_trec_eval() -> None:
    found = values({"q": ("a", "b")}, {"q": {"a": 1, "b": 3}})
    assert found["nDCG@10"] == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))
    assert found["nDCG@10"] == pytest.approx(0.796708, abs=1e-6)


def test_a_document_at_rank_eleven_counts_for_recall_at_100_only() -> None:
    found = values({"q": (*"bcdefghijk", "a")}, {"q": {"a": 1}})
    assert found == {"nDCG@10": 0.0, "MRR@10": 0.0, "Recall@10": 0.0, "Recall@100": 1.0, "P@10": 0.0}


def test_a_document_at_rank_ten_counts_everywhere() -> None:
    found = values({"q": (*"bcdefghij", "a")}, {"q": {"a": 1}})
    wanted = {"nDCG@10": 1 / log2(11), "MRR@10": 0.1, "Recall@10": 1.0, "Recall@100": 1.0, "P@10": 0.1}
    assert found == pytest.approx(wanted)


def test_half_of_the_relevant_documents_is_half_the_recall() -> None:
    found = values({"q": ("a",)}, {"q": {"a": 1, "b": 1, "c": 0}})
    assert (found["Recall@10"], found["P@10"], found["MRR@10"]) == (0.5, 0.1, 1.0)


def test_a_query_that_the_run_lacks_scores_zero_and_one_without_qrels_is_ignored() -> None:
    found = judge({"q1": ("a",), "unjudged": ("a",)}, {"q1": {"a": 1}, "q2": {"a": 1}})
    assert found.query_ids == ("q1", "q2")
    assert found.of("nDCG@10").tolist() == [1.0, 0.0]


@given(st.permutations("abcdefghijkl"), st.sets(st.sampled_from("abcdefghijkl"), min_size=1))
def test_moving_a_relevant_document_to_the_front_never_hurts(ranked: list[str], relevant: set[str]) -> None:
    qrels = {"q": dict.fromkeys(sorted(relevant), 1)}
    best = sorted(relevant)[0]
    before = values({"q": tuple(ranked)}, qrels)
    after = values({"q": (best, *(doc for doc in ranked if doc != best))}, qrels)
    assert all(after[name] >= before[name] - 1e-12 for name in before)
    assert all(0.0 <= value <= 1.0 for value in before.values())
