"""Tests of `bounds`."""

import pytest
from sparse_mining._files import InputError
from sparse_mining.bounds import ANY, Bounds, Margin, by_miner, window


def test_a_positive_that_scores_nothing_sets_no_margin() -> None:
    assert Margin(relative=0.05).holds(3.0, 0.0)


def test_an_absolute_margin_is_kept_beside_the_relative_one() -> None:
    assert not Margin(relative=0.05, absolute=2.0).holds(8.5, 10.0)
    assert Margin(relative=None, absolute=2.0).holds(8.0, 10.0)


def test_a_positive_far_down_counts_as_the_result_of_the_margins_rank() -> None:
    found = [10.0, 9.0, 8.0, 2.0]
    assert Margin(rank=2).reference(1.0, found) == 9.0
    assert Margin(rank=2).reference(9.5, found) == 9.5


def test_fewer_results_than_the_margins_rank_and_a_positive_of_no_score_leave_it_alone() -> None:
    assert Margin(rank=5).reference(1.0, [10.0, 9.0]) == 1.0
    assert Margin(rank=2).reference(0.0, [10.0, 9.0]) == 0.0


def test_the_margin_is_nv_retrievers_unless_said_otherwise() -> None:
    assert Bounds().crossed("dense", 0.951, 1.0) == "margin"
    assert Bounds().crossed("dense", 0.949, 1.0) is None


@pytest.mark.parametrize(
    ("miner", "score", "crossed"),
    [
        ("bm25", 1.9, "floor"),
        ("bm25", 8.1, "ceiling"),
        ("bm25", 5.0, None),
        ("dense", 0.1, "floor"),
        ("dense", 9, None),
    ],
)
def test_floors_and_ceilings_are_each_miners_own(miner: str, score: float, crossed: str | None) -> None:
    bounds = Bounds(margin=Margin(relative=None), floors={"bm25": 2.0, ANY: 0.2}, ceilings={"bm25": 8.0})
    assert bounds.crossed(miner, score, 10.0) == crossed


@pytest.mark.parametrize("text", ["much", "bm25=", "bm26=3", "nan"])
def test_a_bound_that_is_no_number_or_of_no_miner_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--min-score"):
        by_miner([text], ["bm25"], option="--min-score")


@pytest.mark.parametrize("text", ["", "5", "0:9", "9:3", "a:b"])
def test_a_window_of_no_ranks_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--window"):
        window(text)
