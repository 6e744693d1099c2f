"""Embedding: passages and the queries of pairs as vectors, with clusters and a FAISS index, into one folder.

One act of several modules: vectors by `svd`, groups by `clusters`, the folder by `embeddings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparse_mining import clusters, svd
from sparse_mining._files import whole
from sparse_mining.analysers import analyser
from sparse_mining.embeddings import write_clusters, write_embeddings
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection
from sparse_mining.terms import number

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Everything that the folder will hold."""

    encoder: svd.SvdEncoder
    documents: Matrix
    queries: Matrix
    document_ids: list[str]
    query_ids: list[str]
    clusters: clusters.Clusters


def embed(collection: Collection, pairs: Sequence[Pair], *, dimensions: int, n_clusters: int, seed: int) -> Made:
    """Fits the built-in encoder on the passages and embeds them and the pairs' queries (each id once).

    `n_clusters` 0 lets the silhouette choose.
    """
    terms = number(analyser("kiwi").terms(collection.full_texts()))
    encoder, documents = svd.fit_terms(terms, "kiwi", dimensions=dimensions, seed=seed)
    queries = {pair.query_id: pair.query for pair in reversed(pairs)}
    query_ids = list(dict.fromkeys(pair.query_id for pair in pairs))
    tried: tuple[clusters.Choice, ...] = ()
    if not n_clusters:
        n_clusters, tried = clusters.choose(documents, seed=seed)
    assignment = clusters.assign(documents, min(n_clusters, len(documents)), seed=seed)
    return Made(
        encoder=encoder,
        documents=documents,
        queries=encoder.encode([queries[query_id] for query_id in query_ids]),
        document_ids=collection.ids(),
        query_ids=query_ids,
        clusters=clusters.describe(assignment, collection.ids(), terms, tried=tried, seed=seed),
    )


def write(made: Made, folder: Path, *, index: Path | None) -> None:
    """Writes the folder, whole or not at all, then the FAISS index if a path is given."""
    with whole(folder) as part:
        ids = (made.document_ids, made.query_ids)
        write_embeddings(part, made.encoder, documents=made.documents, queries=made.queries, ids=ids)
        write_clusters(part / "clusters.json", made.clusters)
    if index is not None:
        _write_index(made.documents, index)


def _write_index(documents: Matrix, path: Path) -> None:
    import faiss

    flat = faiss.IndexFlatIP(documents.shape[1])
    flat.add(np.ascontiguousarray(documents, np.float32))
    with whole(path) as part:
        faiss.write_index(flat, str(part))
