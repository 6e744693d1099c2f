"""Sparse vectors of any model, from Parquet or JSON Lines, as postings that can be searched.

Token ids of two files mean the same only under one vocabulary; where a file states its vocabulary it is compared.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sparse_mining._files import InputError, check_version, read_jsonl
from sparse_mining.postings import Bags, Ints, Longs, Postings, group


class VectorLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the JSON Lines form."""

    id: str
    vector: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseVectors:
    """Vectors row by row: row i has the slice starts[i]:starts[i+1] of token ids and weights."""

    path: Path
    ids: Sequence[str]
    starts: Longs
    token_ids: Ints
    weights: NDArray[np.float32]
    tokens: Mapping[str, int] | None
    """Token ids by token, where the file states its vocabulary."""

    def n_tokens(self) -> int:
        """One more than the highest token id met or known."""
        highest = int(self.token_ids.max()) if len(self.token_ids) else -1
        return max(highest, max(self.tokens.values(), default=-1) if self.tokens else -1) + 1


def read_vectors(path: Path) -> SparseVectors:
    """Reads a `.parquet` or `.jsonl` file of vectors; InputError where it is damaged or its weights are not finite."""
    found = _read_lines(path) if ".jsonl" in path.suffixes else _read_parquet(path)
    if not np.isfinite(found.weights).all():
        row = int(np.searchsorted(found.starts, np.flatnonzero(~np.isfinite(found.weights))[0], side="right")) - 1
        raise InputError(f"{path}: vector {found.ids[row]!r} has a weight that is not a finite number")
    if len(set(found.ids)) < len(found.ids):
        raise InputError(f"{path}: an id is met twice: ids must be unique")
    return found


def _read_parquet(path: Path) -> SparseVectors:
    try:
        table = pq.read_table(path, columns=["id", "token_ids", "weights"])
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: is not a Parquet file of vectors (id, token_ids, weights): {error}") from error
    metadata = {
        key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items() if key[:5] != b"ARROW"
    }
    if metadata.get("version", "").isdecimal():
        check_version(path, "vectors", int(metadata["version"]))
    token_lists = table["token_ids"].combine_chunks()
    weight_lists = table["weights"].combine_chunks()
    lengths = np.asarray(token_lists.value_lengths().fill_null(0))
    if not np.array_equal(lengths, np.asarray(weight_lists.value_lengths().fill_null(0))):
        raise InputError(f"{path}: token_ids and weights of a row differ in length")
    return SparseVectors(
        path=path,
        ids=table["id"].to_pylist(),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        token_ids=np.asarray(token_lists.flatten()).astype(np.int32),
        weights=np.asarray(weight_lists.flatten()).astype(np.float32),
        tokens=_vocabulary(path, metadata.get("vocabulary")),
    )


def _vocabulary(path: Path, text: str | None) -> dict[str, int] | None:
    """Tokens in the order of their ids, or an object of ids by token."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: the vocabulary in its metadata is not JSON: {error}") from error
    if isinstance(found, dict):
        return {str(token): int(token_id) for token, token_id in found.items()}
    return {str(token): token_id for token_id, token in enumerate(found)}


def _read_lines(path: Path) -> SparseVectors:
    tokens: dict[str, int] = {}
    ids: list[str] = []
    starts = [0]
    token_ids: list[int] = []
    weights: list[float] = []
    for line in read_jsonl(path, VectorLine):
        ids.append(line.id)
        token_ids.extend(tokens.setdefault(token, len(tokens)) for token in line.vector)
        weights.extend(line.vector.values())
        starts.append(len(token_ids))
    return SparseVectors(
        path=path,
        ids=ids,
        starts=np.array(starts, np.int64),
        token_ids=np.array(token_ids, np.int32),
        weights=np.array(weights, np.float32),
        tokens=tokens,
    )


def invert(vectors: SparseVectors, rows: Mapping[str, int]) -> Postings:
    """Postings of the vectors, document rows as in `rows`; weights of 0 are left out.

    InputError unless vectors and passages name the same ids.
    """
    unknown = next((i for i in vectors.ids if i not in rows), None)
    if unknown is not None:
        raise InputError(f"{vectors.path}: id {unknown!r} is not among the passages: encode these passages")
    if len(vectors.ids) < len(rows):
        missing = next(i for i in rows if i not in set(vectors.ids))
        raise InputError(f"{vectors.path}: passage {missing!r} has no vector: encode all of the passages")
    row_of = np.array([rows[i] for i in vectors.ids], np.int32)
    docs = np.repeat(row_of, np.diff(vectors.starts))
    kept = vectors.weights != 0
    docs, token_ids, weights = docs[kept], vectors.token_ids[kept], vectors.weights[kept]
    order = np.lexsort((docs, token_ids))
    starts = np.searchsorted(token_ids[order], np.arange(vectors.n_tokens() + 1)).astype(np.int64)
    return group(starts=starts, docs=docs[order], impacts=weights[order], n_docs=len(rows))


def as_bags(queries: SparseVectors, documents: SparseVectors) -> Bags:
    """Query vectors in the documents' token ids; tokens that no document has are left out.

    InputError where both files state their vocabulary and the two differ.
    """
    token_ids = queries.token_ids
    if queries.tokens is not None and documents.tokens is not None and queries.tokens != documents.tokens:
        if queries.path.suffix == ".parquet" or documents.path.suffix == ".parquet":
            raise InputError(f"{queries.path}: its vocabulary is not that of {documents.path}: encode with one model")
        translate = np.array([documents.tokens.get(token, -1) for token in queries.tokens], np.int32)
        token_ids = translate[token_ids]
    kept = (token_ids >= 0) & (token_ids < documents.n_tokens()) & (queries.weights != 0)
    n_kept = np.concatenate([[0], np.cumsum(kept)])
    return Bags(n_kept[queries.starts].astype(np.int64), token_ids[kept], queries.weights[kept].astype(np.float64))
