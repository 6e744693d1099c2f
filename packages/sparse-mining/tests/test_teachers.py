"""Tests of `teachers`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sparse_mining._files import InputError
from sparse_mining.groups import read_groups
from sparse_mining.teachers import ensemble, rescore, teacher


class SharedCharacters:
    """A teacher that counts the characters query and document share."""

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        return np.array([float(len(set(q) & set(d))) for q, d in zip(queries, docs, strict=True)])


class Length:
    """A teacher that prefers long documents."""

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        return np.array([float(len(d)) for d in docs])


class Undecided:
    """A teacher that has no score."""

    def scores(self, queries: Sequence[str], docs: Sequence[str]) -> NDArray[np.float64]:
        return np.full(len(docs), np.nan)


def test_one_teachers_scores_stay_raw_without_a_scale(golden: Path) -> None:
    group = next(rescore(list(read_groups(golden / "groups.jsonl")), [SharedCharacters()], scale=0))
    assert group.scores == (3.0, 5.0, 1.0)
    assert group.labels == ("positive", "hard", "easy")


def test_an_ensemble_is_the_scaled_mean_of_each_ones_min_max(golden: Path) -> None:
    group = next(rescore(list(read_groups(golden / "groups.jsonl")), [SharedCharacters(), Length()], scale=30))
    assert group.labels[0] == "positive"
    assert max(group.scores) <= 30
    assert min(group.scores) >= 0


def test_negatives_are_put_best_first_with_all_that_belongs_to_them(golden: Path) -> None:
    group = next(rescore(list(read_groups(golden / "groups.jsonl")), [Length()], scale=0))
    assert group.d_ids == ("doc-1#1", "doc-2#0", "doc-1#0")
    assert group.sources == ("pairs@1", "random@1", "bm25@2")


def test_equal_scores_of_a_teacher_say_nothing() -> None:
    assert ensemble([np.array([2.0, 2.0]), np.array([1.0, 0.0])], 30).tolist() == [15.0, 0.0]


def test_a_score_that_is_no_number_is_refused_with_its_group(golden: Path) -> None:
    with pytest.raises(InputError, match="group 'doc-1#1:heading': a teacher gives a score that is not a finite"):
        list(rescore(list(read_groups(golden / "groups.jsonl")), [Undecided()], scale=0))


def test_an_unknown_teacher_is_refused() -> None:
    with pytest.raises(InputError, match="wanted cross:MODEL or bi:MODEL"):
        teacher("gpt", batch_size=1)
