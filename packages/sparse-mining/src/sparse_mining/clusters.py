"""K-means clusters of passages: documents on one topic, candidates for negatives and a map of the corpus.

The number of clusters is the one of highest silhouette among a few, on a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sparse_mining.arrays import Matrix
from sparse_mining.terms import Terms

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
    terms: Terms,
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


def top_terms(labels: NDArray[np.int64], terms: Terms, n_clusters: int) -> list[tuple[str, ...]]:
    """The terms of each cluster by how many of its documents hold one, times how rare that is outside; ties by term.

    >>> from sparse_mining.terms import number
    >>> top_terms(np.array([0, 0, 1]), number([["검색", "것"], ["검색"], ["날씨", "것"]]), 2)
    [('검색', '것'), ('날씨', '것')]
    """
    names = np.array(list(terms.vocabulary), dtype=object)
    held = terms.counts()
    df = np.bincount(held.indices, minlength=len(names))
    cluster_of = np.repeat(labels, np.diff(held.indptr))
    counts = sp.csr_array((np.ones(held.nnz), (cluster_of, held.indices)), (n_clusters, len(names)))
    counts.sum_duplicates()
    strengths = counts.data * np.log((len(terms) + 1) / df[counts.indices])
    spans = [slice(a, b) for a, b in zip(counts.indptr[:-1], counts.indptr[1:], strict=True)]
    return [_strongest(names[counts.indices[span]], strengths[span]) for span in spans]


def _strongest(names: NDArray[np.object_], strengths: NDArray[np.float64]) -> tuple[str, ...]:
    near = strengths >= np.sort(strengths)[-N_TOP_TERMS:].min(initial=np.inf)
    ordered = sorted(zip(-strengths[near], names[near], strict=True))
    return tuple(name for _, name in ordered[:N_TOP_TERMS])
