"""Resampling: against exact answers and the textbook's widths."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_eval.resampling import bootstrap, permutation_p


def test_few_differences_are_tested_exactly() -> None:
    differences = [0.3, -0.1, 0.4, 0.2, 0.1]
    observed = abs(sum(differences))
    signed = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in product((1, -1), repeat=5)]
    exact = sum(total >= observed - 1e-9 for total in signed) / 32
    assert exact == 0.1875
    assert permutation_p(np.array([differences]), seed=1)[0] == exact


def test_drawn_signs_come_close_to_the_exact_p_value() -> None:
    differences = np.array([[0.3, -0.1, 0.4, 0.2, 0.1, 0.0, -0.2, 0.25, 0.3, 0.1, -0.05, 0.1]])
    exact = permutation_p(differences, seed=1, n_resamples=4096)[0]
    drawn = permutation_p(differences, seed=1, n_resamples=4095)[0]
    assert drawn == pytest.approx(exact, abs=0.02)


def test_no_difference_gives_one_and_a_constant_difference_nearly_zero() -> None:
    p_values = permutation_p(np.array([[0.0] * 40, [0.1] * 40]), seed=1, n_resamples=999)
    assert p_values.tolist() == [1.0, 0.001]


def test_equal_systems_are_found_different_as_often_as_the_level_says() -> None:
    noise = np.random.default_rng(7).normal(size=(400, 60))
    share = (permutation_p(noise, seed=1, n_resamples=1000) < 0.05).mean()
    assert 0.02 < share < 0.09


def test_the_interval_of_a_fair_coin_has_the_textbook_width() -> None:
    interval = bootstrap(np.array([[0.0, 1.0] * 50]), seed=1)
    assert interval.low[0] == pytest.approx(0.5 - 1.96 * 0.05, abs=0.011)
    assert interval.high[0] == pytest.approx(0.5 + 1.96 * 0.05, abs=0.011)


def test_the_same_seed_gives_the_same_numbers_and_rows_do_not_disturb_each_other() -> None:
    values = np.random.default_rng(3).random((4, 50))
    together, alone = bootstrap(values, seed=5), bootstrap(values[2:3], seed=5)
    assert np.allclose(together.low[2], alone.low[0])
    assert np.array_equal(together.low, bootstrap(values, seed=5).low)
    assert not np.array_equal(together.low, bootstrap(values, seed=6).low)


def test_blocks_of_draws_do_not_change_the_shape_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparse_eval.resampling.BLOCK", 100)
    values = np.random.default_rng(3).random((2, 30))
    assert bootstrap(values, seed=5, n_resamples=50).low.shape == (2,)
    assert permutation_p(values, seed=5, n_resamples=50).shape == (2,)


@settings(max_examples=25)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9))
def test_turning_all_signs_does_not_change_the_p_value(differences: list[float]) -> None:
    rows = np.array([differences, [-d for d in differences]])
    first, second = permutation_p(rows, seed=1)
    assert first == second
    assert 0.0 < first <= 1.0
