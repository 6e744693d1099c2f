"""Tests of `bm25`: the literature's formula by hand."""

import math

import numpy as np
import pytest
from sparse_mining._files import InputError
from sparse_mining.bm25 import build
from sparse_mining.settings import Settings

DOCUMENTS = [["색인", "검색", "색인"], ["검색"], [], ["날씨"]]


def test_lucene_scores_are_the_formula() -> None:
    ranking = build(DOCUMENTS, Settings()).search([["색인", "검색"]], 10)[0]
    idf_index, idf_search = math.log(1 + 3.5 / 1.5), math.log(1 + 2.5 / 2.5)
    long, short = 1.2 * (0.25 + 0.75 * 3 / 1.25), 1.2 * (0.25 + 0.75 * 1 / 1.25)
    wanted = [idf_index * 2 / (2 + long) + idf_search / (1 + long), idf_search / (1 + short)]
    assert ranking.docs.tolist() == [0, 1]
    assert ranking.scores == pytest.approx(wanted, rel=1e-6)


def test_only_documents_that_hold_a_term_are_found() -> None:
    index = build(DOCUMENTS, Settings())
    assert index.search([["없음"], []], 10)[0].docs.tolist() == []
    assert index.search([["날씨"]], 10)[0].docs.tolist() == [3]


def test_a_repeated_query_term_counts_twice() -> None:
    index = build(DOCUMENTS, Settings(double=True))
    once, twice = index.search([["날씨"], ["날씨", "날씨"]], 1)
    assert twice.scores[0] == 2 * once.scores[0]


def test_ties_go_to_the_document_that_stands_first() -> None:
    index = build([["가"], ["나"], ["가"], ["가"]], Settings())
    assert index.search([["가"]], 2)[0].docs.tolist() == [0, 2]


def test_scores_of_named_rows_are_those_of_the_search() -> None:
    index = build(DOCUMENTS, Settings())
    rows = np.array([3, 1, 0], np.int32)
    found = index.scores_of([["색인", "검색"]], [rows])[0]
    ranking = index.search([["색인", "검색"]], 10)[0]
    assert found.tolist() == [0.0, ranking.scores[1], ranking.scores[0]]


@pytest.mark.parametrize("settings", [{"k1": -1.0}, {"b": 1.5}, {"k1": math.nan}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError, match="BM25 wants"):
        Settings(k1=settings.get("k1", 1.2), b=settings.get("b", 0.75))
