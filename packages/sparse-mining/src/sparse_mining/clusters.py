"""K-means clusters of passages: documents on one topic, candidates for negatives and a map of the corpus.

The number of clusters is the one of highest silhouette among a few, on a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sparse_mining._files import InputError, check_version, read_json
from sparse_mining.arrays import BLOCK, Matrix
from sparse_mining.passages import Collection
from sparse_mining.terms import Terms

SAMPLE = 2_000
"""Passages that the silhouette is taken over."""
FAISS_FROM = 20_000
"""Passages from which FAISS clusters them."""
N_ITERATIONS = 25
"""Of FAISS."""
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

    def __post_init__(self) -> None:
        if len(self.doc_ids) != len(self.distances):
            raise ValueError(f"cluster {self.cluster_id}: doc_ids and distances differ in length")


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
    """K-means (Lloyd) of unit vectors: scikit-learn's, from FAISS_FROM vectors on FAISS's, which trains on a sample."""
    kmeans = _by_faiss if len(vectors) >= FAISS_FROM else _by_sklearn
    labels, centroids = kmeans(vectors, n_clusters, seed)
    distances = [
        np.linalg.norm(vectors[first : first + BLOCK] - centroids[labels[first : first + BLOCK]], axis=1)
        for first in range(0, len(vectors), BLOCK)
    ]
    return Assignment(labels=labels, distances=np.concatenate(distances).astype(np.float64), n_clusters=n_clusters)


def _by_sklearn(vectors: Matrix, n_clusters: int, seed: int) -> tuple[NDArray[np.int64], Matrix]:
    from sklearn.cluster import KMeans

    with threadpool_limits(1):  # sums in another order would end in other bytes
        model = KMeans(n_clusters=n_clusters, random_state=seed, n_init=1, algorithm="lloyd").fit(vectors)
    return np.asarray(model.labels_, np.int64), np.asarray(model.cluster_centers_, np.float32)


def _by_faiss(vectors: Matrix, n_clusters: int, seed: int) -> tuple[NDArray[np.int64], Matrix]:
    import faiss

    model = faiss.Kmeans(vectors.shape[1], n_clusters, niter=N_ITERATIONS, seed=seed)
    model.train(np.ascontiguousarray(vectors, np.float32))
    labels = [
        model.index.search(np.ascontiguousarray(vectors[first : first + BLOCK], np.float32), 1)[1].ravel()
        for first in range(0, len(vectors), BLOCK)
    ]
    return np.concatenate(labels).astype(np.int64), np.asarray(model.centroids, np.float32)


def read_clusters(path: Path, collection: Collection) -> Assignment:
    """Reads `clusters.json` for these passages, in their order; InputError where one has no cluster."""
    found = read_json(path, Clusters)
    check_version(path, found.format, found.version)
    placed = {
        doc_id: (number, distance)
        for number, cluster in enumerate(found.clusters)
        for doc_id, distance in zip(cluster.doc_ids, cluster.distances, strict=True)
    }
    missing = next((doc_id for doc_id in collection.rows if doc_id not in placed), None)
    if missing is not None:
        raise InputError(f"{path}: passage {missing!r} is in no cluster: embed these passages")
    ordered = [placed[doc_id] for doc_id in collection.rows]
    return Assignment(
        labels=np.array([label for label, _ in ordered], np.int64),
        distances=np.array([distance for _, distance in ordered]),
        n_clusters=len(found.clusters),
    )


def choose(vectors: Matrix, *, seed: int) -> tuple[Assignment, tuple[Choice, ...]]:
    """The clusters of highest silhouette among sqrt(n) / 2, / sqrt(2), * 1 and * sqrt(2) of them; ties to fewer.

    All vectors are clustered each time; the silhouette is taken over a sample.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE])
    root = np.sqrt(len(vectors))
    sizes = sorted({min(max(2, round(root * factor)), len(vectors) - 1) for factor in (0.5, 0.71, 1.0, 1.41)})
    tried: list[Choice] = []
    best: Assignment | None = None
    for size in (size for size in sizes if size >= 2):
        found = assign(vectors, size, seed=seed)
        score = silhouette(np.asarray(vectors[rows]), found.labels[rows])
        if best is None or score > max(choice.silhouette for choice in tried):
            best = found
        tried.append(Choice(n_clusters=size, silhouette=score))
    return best or assign(vectors, 1, seed=seed), tuple(tried)


def silhouette(sample: Matrix, labels: NDArray[np.int64]) -> float:
    """Mean silhouette, four decimals; -1 where the sample lies in one cluster or every row in its own.

    Source: Rousseeuw 1987.
    """
    from sklearn.metrics import silhouette_score

    n_found = len(set(labels.tolist()))
    if not 1 < n_found < len(sample):
        return -1.0
    with threadpool_limits(1):
        return round(float(silhouette_score(sample, labels)), 4)


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
