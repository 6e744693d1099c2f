"""A folder of embeddings: passages' and queries' vectors, their ids, the encoder, and clusters.

Made once by `embed`, then searched and mined by id, so that vectors and passages cannot slip against each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sparse_mining import sentence_encoder, svd
from sparse_mining._files import InputError, read_json, write_json
from sparse_mining.arrays import Matrix, load_array, read_matrix
from sparse_mining.clusters import Clusters
from sparse_mining.dense_sources import Encoder, Source, Texts
from sparse_mining.passages import Collection, Query


class _Format(msgspec.Struct):
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """What the folder holds; rows of `documents` follow the passages that it is read with."""

    folder: Path
    encoder: Encoder | None
    """None where vectors were made elsewhere."""
    documents: Matrix
    """(n_documents, dimensions)"""

    def encode(self, queries: Sequence[Query]) -> Matrix:
        """(n, dimensions): vectors of queries, the folder's own where it has that query with that very text.

        InputError where one is not there and nobody can encode it.
        """
        if isinstance(self.encoder, svd.SvdEncoder):
            return self.encoder.encode([query.text for query in queries])
        dimensions = self.documents.shape[1]
        stored = read_matrix(self.folder / "query_embeddings.npy", dimensions=dimensions)
        rows = self._rows(len(stored))
        places = np.array([rows.get((query.id, query.text), -1) for query in queries], np.int64)
        found = np.zeros((len(queries), dimensions), np.float32)
        found[places >= 0] = stored[places[places >= 0]]
        missing = np.flatnonzero(places < 0)
        if len(missing):
            if self.encoder is None:
                raise InputError(
                    f"{self.folder}: has no vector of query {queries[missing[0]].id!r} with this text: "
                    "embed with --queries and their --query-vectors"
                )
            encoded = self.encoder.encode([queries[row].text for row in missing])
            if encoded.shape[1] != dimensions:
                raise InputError(
                    f"{self.folder}: its vectors have {dimensions} dimensions, but its encoder now gives "
                    f"{encoded.shape[1]}: embed the passages again"
                )
            found[missing] = encoded
        return found

    def _rows(self, n_stored: int) -> dict[tuple[str, str], int]:
        ids = read_json(self.folder / "query_ids.json", list[str])
        texts = read_json(self.folder / "query_texts.json", list[str])
        if not len(ids) == len(texts) == n_stored:
            raise InputError(f"{self.folder}: {n_stored} query vectors but {len(ids)} ids: embed the passages again")
        return {key: row for row, key in enumerate(zip(ids, texts, strict=True))}


def write_embeddings(folder: Path, source: Source, texts: Texts) -> tuple[Matrix, Matrix]:
    """Writes arrays, ids and encoder into a folder, and returns the arrays, memory-mapped."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = write_matrix(folder / "document_embeddings.npy", source.documents(), n_rows=len(texts.documents))
    query_file = folder / "query_embeddings.npy"
    if texts.queries:
        queries = write_matrix(query_file, source.queries(), n_rows=len(texts.queries))
    else:
        queries = write_matrix(query_file, iter([documents[:0]]), n_rows=0)
    write_json(folder / "document_ids.json", texts.document_ids)
    write_json(folder / "query_ids.json", texts.query_ids)
    if not isinstance(source.encoder, svd.SvdEncoder):
        write_json(folder / "query_texts.json", texts.queries)
    if source.encoder is not None:
        source.encoder.save(folder / "encoder")
    return documents, queries


def write_matrix(path: Path, blocks: Iterator[Matrix], *, n_rows: int) -> Matrix:
    """Writes blocks of rows one after the other into a `.npy` file and maps it; one block at least."""
    block = next(blocks)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, block.shape[1]))  # type: ignore[no-untyped-call]
    first = 0
    while True:
        array[first : first + len(block)] = block
        first += len(block)
        if first >= n_rows:
            break
        block = next(blocks)
    array.flush()
    return np.asarray(load_array(path), np.float32)


def write_clusters(path: Path, clusters: Clusters) -> None:
    """Writes `clusters.json`."""
    write_json(path, clusters)


def read_embeddings(folder: Path, collection: Collection) -> Embeddings:
    """Reads the folder for these passages, in their order; InputError where it lacks one."""
    encoder = _load_encoder(folder / "encoder")
    file = folder / "document_embeddings.npy"
    documents = read_matrix(file, dimensions=_dimensions(file, encoder))
    ids = read_json(folder / "document_ids.json", list[str])
    if len(ids) != len(documents):
        raise InputError(f"{folder}: {len(documents)} vectors but {len(ids)} ids: embed the passages again")
    if ids != collection.ids():
        documents = documents[_order(folder, ids, collection)]
    return Embeddings(folder=folder, encoder=encoder, documents=documents)


def _dimensions(file: Path, encoder: Encoder | None) -> int:
    if isinstance(encoder, svd.SvdEncoder):
        return encoder.header.dimensions
    return int(load_array(file).shape[-1])


def _load_encoder(folder: Path) -> Encoder | None:
    if not folder.is_dir():
        return None
    file = folder / "encoder.json"
    found = read_json(file, _Format).format
    if found == "svd_encoder":
        return svd.load(folder)
    if found == "sentence_encoder":
        return sentence_encoder.load(folder)
    raise InputError(f"{file}: format {found!r} is not known: wanted svd_encoder or sentence_encoder")


def _order(folder: Path, ids: Sequence[str], collection: Collection) -> NDArray[np.int64]:
    rows = {doc_id: row for row, doc_id in enumerate(ids)}
    missing = next((doc_id for doc_id in collection.rows if doc_id not in rows), None)
    if missing is not None:
        raise InputError(f"{folder}: passage {missing!r} has no vector: embed these passages")
    return np.array([rows[doc_id] for doc_id in collection.rows], np.int64)
