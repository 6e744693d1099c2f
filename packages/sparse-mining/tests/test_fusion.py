"""Tests of `fusion`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparse_mining.fusion import fuse
from sparse_mining.runs import Hit

LEXICAL = {"q": [Hit("a", 9.0), Hit("b", 5.0), Hit("c", 1.0)]}
NEURAL = {"q": [Hit("b", 0.9), Hit("d", 0.5)], "r": [Hit("e", 1.0)]}


def test_reciprocal_ranks_add_up() -> None:
    fused = fuse([LEXICAL, NEURAL], "rrf", weights=[0.5, 0.5], k=10)
    assert [hit.doc_id for hit in fused["q"]] == ["b", "a", "d", "c"]
    assert fused["q"][0].score == pytest.approx(0.5 / 62 + 0.5 / 61)


def test_min_max_weighs_normalised_scores() -> None:
    fused = fuse([LEXICAL, NEURAL], "minmax", weights=[0.25, 0.75], k=2)
    assert fused["q"] == [Hit("b", 0.875), Hit("a", 0.25)]


def test_a_document_missing_from_a_run_gets_its_lowest_z_score() -> None:
    fused = fuse(
        [{"q": [Hit("a", 2.0), Hit("b", 1.0)]}, {"q": [Hit("a", 4.0), Hit("c", 2.0)]}], "zscore", weights=[1, 1], k=3
    )
    assert fused["q"] == [Hit("a", 2.0), Hit("b", -2.0), Hit("c", -2.0)]


def test_a_query_of_one_run_only_keeps_its_hits() -> None:
    assert fuse([LEXICAL, NEURAL], "rrf", weights=[1, 1], k=10)["r"] == [Hit("e", 1 / 61)]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.1, 5))
def test_min_max_does_not_change_under_a_positive_scale(scores: list[float], factor: float) -> None:
    def order(values: list[float]) -> list[str]:
        run = {"q": [Hit(str(i), v) for i, v in enumerate(sorted(values, reverse=True))]}
        return [hit.doc_id for hit in fuse([run, run], "minmax", weights=[1, 1], k=8)["q"]]

    assert order(scores) == order([score * factor for score in scores])
