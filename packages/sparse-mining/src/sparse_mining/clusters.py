"""K-means clusters of passages: documents on one topic, candidates for negatives and a map of the corpus.

The number of clusters is the one of highest silhouette among a few, on a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

SAMPLE = 2_000
"""Passages that the silhouette is taken over."""
N_TOP_TERMS = 8


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Passages nearest to one centroid, nearest first."""

    cluster_id: int
    n_documents: int
    top_terms: tuple[str, ...]
    """Terms more frequent in the cluster than elsewhere, strongest first."""
    doc_ids: tuple[str, ...]
    distances: tuple[float, ...]
    """Euclidean, to the centroid."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A number of clusters that was tried."""

    n_clusters: int
    silhouette: float
    """Mean over the sample, -1 to 1."""


class Clusters(msgspec.Struct, frozen=True, kw_only=True):
    """`clusters.json`."""

    format: str = "clusters"
    version: int = 1
    n_clusters: int
    seed: int
    tried: tuple[Choice, ...]
    """In the order of trial; empty where the number was given."""
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The cluster of each row and its distance from the centroid."""

    labels: NDArray[np.int64]
    distances: NDArray[np.float64]
    n_clusters: int


def assign(vectors: Matrix, n_clusters: int, *, seed: int) -> Assignment:
    """K-means (Lloyd, k-means++ starts) of unit vectors."""
    from sklearn.cluster import KMeans

    model = KMeans(n_clusters=n_clusters, random_state=seed, n_init=1, algorithm="lloyd").fit(vectors)
    labels = np.asarray(model.labels_, np.int64)
    distances = np.linalg.norm(vectors - model.cluster_centers_[labels], axis=1).astype(np.float64)
    return Assignment(labels=labels, distances=distances, n_clusters=n_clusters)


def choose(vectors: Matrix, *, seed: int) -> tuple[int, tuple[Choice, ...]]:
    """The number of clusters of highest silhouette among sqrt(n) / 2, / sqrt(2), * 1 and * sqrt(2); ties to fewer."""
    from sklearn.metrics import silhouette_score

    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE])
    sample = vectors[rows]
    root = np.sqrt(len(sample))
    sizes = sorted({min(max(2, round(root * factor)), len(sample) - 1) for factor in (0.5, 0.71, 1.0, 1.41)})
    tried = []
    for size in sizes:
        if size < 2:
            continue
        labels = assign(sample, size, seed=seed).labels
        n_found = len(set(labels.tolist()))
        score = float(silhouette_score(sample, labels)) if 1 < n_found < len(sample) else -1.0
        tried.append(Choice(n_clusters=size, silhouette=round(score, 4)))
    best = max(tried, key=lambda choice: (choice.silhouette, -choice.n_clusters), default=None)
    return (best.n_clusters if best else 1), tuple(tried)


def describe(
    assignment: Assignment,
    doc_ids: Sequence[str],
    terms: Sequence[Sequence[str]],
    *,
    tried: tuple[Choice, ...],
    seed: int,
) -> Clusters:
    """The report: members nearest first, and the terms that set each cluster apart."""
    tops = top_terms(assignment.labels, terms, assignment.n_clusters)
    members = [np.flatnonzero(assignment.labels == c) for c in range(assignment.n_clusters)]
    ordered = [rows[np.argsort(assignment.distances[rows], kind="stable")] for rows in members]
    return Clusters(
        n_clusters=assignment.n_clusters,
        seed=seed,
        tried=tried,
        clusters=tuple(
            Cluster(
                cluster_id=c,
                n_documents=len(rows),
                top_terms=tops[c],
                doc_ids=tuple(doc_ids[row] for row in rows),
                distances=tuple(round(float(assignment.distances[row]), 6) for row in rows),
            )
            for c, rows in enumerate(ordered)
        ),
    )


def top_terms(labels: NDArray[np.int64], terms: Sequence[Sequence[str]], n_clusters: int) -> list[tuple[str, ...]]:
    """The terms of each cluster by how many of its documents hold one, times how rare that is outside.

    >>> top_terms(np.array([0, 0, 1]), [["검색", "것"], ["검색"], ["날씨", "것"]], 2)
    [('검색', '것'), ('날씨', '것')]
    """
    df: dict[str, int] = {}
    inside: list[dict[str, int]] = [{} for _ in range(n_clusters)]
    for label, found in zip(labels.tolist(), terms, strict=True):
        for term in sorted(set(found)):
            df[term] = df.get(term, 0) + 1
            inside[label][term] = inside[label].get(term, 0) + 1
    n_docs = len(terms)
    return [
        tuple(sorted(counts, key=lambda t: (-counts[t] * np.log((n_docs + 1) / df[t]), t))[:N_TOP_TERMS])
        for counts in inside
    ]
