"""A folder of embeddings: passages' and queries' vectors, their ids, the encoder, and clusters.

Made once by `embed`, then searched and mined by id, so that vectors and passages cannot slip against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparse_mining import svd
from sparse_mining._files import InputError, read_json, write_json
from sparse_mining.arrays import Matrix, read_matrix
from sparse_mining.clusters import Clusters
from sparse_mining.passages import Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """What the folder holds; rows of `documents` follow the passages that it is read with."""

    encoder: svd.SvdEncoder
    documents: Matrix
    """(n_documents, dimensions)"""


def write_embeddings(
    folder: Path, encoder: svd.SvdEncoder, *, documents: Matrix, queries: Matrix, ids: tuple[list[str], list[str]]
) -> None:
    """Writes arrays, ids (of documents, of queries) and encoder into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, matrix, row_ids in (("document", documents, ids[0]), ("query", queries, ids[1])):
        np.save(folder / f"{name}_embeddings.npy", matrix)
        write_json(folder / f"{name}_ids.json", row_ids)
    encoder.save(folder / "encoder")


def write_clusters(path: Path, clusters: Clusters) -> None:
    """Writes `clusters.json`."""
    write_json(path, clusters)


def read_embeddings(folder: Path, collection: Collection) -> Embeddings:
    """Reads the folder for these passages, in their order; InputError where it lacks one."""
    encoder = svd.load(folder / "encoder")
    documents = read_matrix(folder / "document_embeddings.npy", dimensions=encoder.header.dimensions)
    ids = read_json(folder / "document_ids.json", list[str])
    if len(ids) != len(documents):
        raise InputError(f"{folder}: {len(documents)} vectors but {len(ids)} ids: embed the passages again")
    return Embeddings(encoder=encoder, documents=documents[_order(folder, ids, collection)])


def _order(folder: Path, ids: Sequence[str], collection: Collection) -> NDArray[np.int64]:
    rows = {doc_id: row for row, doc_id in enumerate(ids)}
    missing = next((doc_id for doc_id in collection.rows if doc_id not in rows), None)
    if missing is not None:
        raise InputError(f"{folder}: passage {missing!r} has no vector: embed these passages")
    return np.array([rows[doc_id] for doc_id in collection.rows], np.int64)
