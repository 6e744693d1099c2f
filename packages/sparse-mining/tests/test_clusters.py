"""Tests of `clusters`."""

import numpy as np
from sparse_mining import clusters
from sparse_mining.arrays import Matrix
from sparse_mining.terms import number


def two_clouds() -> Matrix:
    draw = np.random.default_rng(0)
    centres = np.repeat(np.array([[0.0, 5.0], [5.0, 0.0]]), 20, axis=0)
    return (centres + draw.normal(0, 0.1, (40, 2))).astype(np.float32)


def test_the_silhouette_prefers_fewer_clusters_where_there_are_two_clouds() -> None:
    size, tried = clusters.choose(two_clouds(), seed=42)
    assert size == min(choice.n_clusters for choice in tried)


def test_clouds_are_told_apart_and_listed_nearest_first() -> None:
    assignment = clusters.assign(two_clouds(), 2, seed=42)
    report = clusters.describe(
        assignment, [str(i) for i in range(40)], number([["검색"]] * 20 + [["날씨"]] * 20), tried=(), seed=42
    )
    assert {c.top_terms for c in report.clusters} == {("검색",), ("날씨",)}
    assert all(list(c.distances) == sorted(c.distances) for c in report.clusters)
    assert sorted(len(c.doc_ids) for c in report.clusters) == [20, 20]
