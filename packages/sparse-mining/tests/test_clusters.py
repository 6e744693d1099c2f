"""Tests of `clusters`."""

import numpy as np
import pytest
from sparse_mining import clusters
from sparse_mining.arrays import Matrix
from sparse_mining.terms import number


def two_clouds() -> Matrix:
    draw = np.random.default_rng(0)
    centres = np.repeat(np.array([[0.0, 5.0], [5.0, 0.0]]), 20, axis=0)
    return (centres + draw.normal(0, 0.1, (40, 2))).astype(np.float32)


def test_the_silhouette_prefers_fewer_clusters_where_there_are_two_clouds() -> None:
    found, tried = clusters.choose(two_clouds(), seed=42)
    assert found.n_clusters == min(choice.n_clusters for choice in tried)


def test_clouds_are_told_apart_and_listed_nearest_first() -> None:
    assignment = clusters.assign(two_clouds(), 2, seed=42)
    report = clusters.describe(
        assignment, [str(i) for i in range(40)], number([["검색"]] * 20 + [["날씨"]] * 20), tried=(), seed=42
    )
    assert {c.top_terms for c in report.clusters} == {("검색",), ("날씨",)}
    assert all(list(c.distances) == sorted(c.distances) for c in report.clusters)
    assert sorted(len(c.doc_ids) for c in report.clusters) == [20, 20]


def test_both_ways_of_clustering_tell_clouds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    by_sklearn = clusters.assign(two_clouds(), 2, seed=42)
    monkeypatch.setattr(clusters, "FAISS_FROM", 40)
    by_faiss = clusters.assign(two_clouds(), 2, seed=42)
    again = clusters.assign(two_clouds(), 2, seed=42)
    assert (by_faiss.labels == again.labels).all()
    assert len({*zip(by_sklearn.labels.tolist(), by_faiss.labels.tolist(), strict=True)}) == 2
    assert np.allclose(by_sklearn.distances, by_faiss.distances, atol=1e-3)


def test_the_silhouette_is_that_of_the_literature() -> None:
    """Rousseeuw 1987: (b - a) / max(a, b) of each, with points at 0, 1 and 10, 11."""
    points = np.array([[0.0], [1.0], [10.0], [11.0]], np.float32)
    outer, inner = (10.5 - 1) / 10.5, (9.5 - 1) / 9.5
    assert clusters.silhouette(points, np.array([0, 0, 1, 1])) == round((outer + inner) / 2, 4)
    assert clusters.silhouette(points, np.array([0, 0, 0, 0])) == -1.0
