"""Sparse vectors as files: Parquet that knows its vocabulary, or JSON Lines that need nothing.

Light: no torch here, so that queries are encoded without waiting for it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sparse_encoder._files import InputError, check_version, whole, write_jsonl
from sparse_encoder.vocabulary import vocabulary_sha256

VERSION = 1
"""Of the format `vectors`."""
ROWS = 4096
"""Vectors to a row group."""
SCHEMA = pa.schema([("id", pa.string()), ("token_ids", pa.list_(pa.int32())), ("weights", pa.list_(pa.float32()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A passage's or query's active terms, ascending by token id, weights above 0."""

    id: str
    token_ids: NDArray[np.int32]
    weights: NDArray[np.float32]


def form_of(path: Path) -> Literal["parquet", "jsonl"]:
    """Which form a file name asks for."""
    if path.suffix not in (".parquet", ".jsonl"):
        raise InputError(f"{path}: vectors are written as .parquet or .jsonl; found {path.suffix!r}")
    return "parquet" if path.suffix == ".parquet" else "jsonl"


def write_vectors(path: Path, vectors: Iterable[Vector], tokens: Sequence[str]) -> int:
    """Writes the vectors in order, in the form that the name asks for, and returns how many."""
    if form_of(path) == "jsonl":
        return write_jsonl(path, ({"id": v.id, "vector": _named(v, tokens)} for v in vectors))
    text = json.dumps(list(tokens), ensure_ascii=False, separators=(",", ":"))
    metadata = {
        "format": "vectors",
        "version": str(VERSION),
        "vocabulary": text,
        "vocabulary_sha256": vocabulary_sha256(tokens),
    }
    schema = SCHEMA.with_metadata(metadata)
    n_vectors = 0
    with whole(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as file:
        for rows in _runs(vectors, ROWS):
            file.write_table(pa.Table.from_arrays(_columns(rows), schema=schema))
            n_vectors += len(rows)
    return n_vectors


def read_vectors(path: Path) -> tuple[list[Vector], tuple[str, ...]]:
    """Reads a Parquet file of vectors and its vocabulary, in memory; InputError where it is of another format."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from error
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    if metadata.get("format") != "vectors" or table.column_names != SCHEMA.names:
        raise InputError(f"{path}: holds no vectors: wanted the columns {SCHEMA.names} and 'format' in its metadata")
    check_version(path, "vectors", int(metadata["version"]))
    tokens = tuple(json.loads(metadata["vocabulary"]))
    rows = zip(*(table.column(name).to_pylist() for name in SCHEMA.names), strict=True)
    vectors = [
        Vector(id=i, token_ids=np.array(t, dtype=np.int32), weights=np.array(w, dtype=np.float32)) for i, t, w in rows
    ]
    return vectors, tokens


def _columns(rows: Sequence[Vector]) -> list[pa.Array]:
    """The columns from their buffers: `pa.array` would import pandas, which takes longer than all else here."""
    offsets = _plain(pa.int32(), np.cumsum([0, *(len(v.token_ids) for v in rows)]))
    ids = _plain(pa.int32(), np.concatenate([v.token_ids for v in rows]))
    weights = _plain(pa.float32(), np.concatenate([v.weights for v in rows]))
    names = [v.id.encode() for v in rows]
    ends = pa.py_buffer(np.cumsum([0, *map(len, names)], dtype=np.int32))
    texts = pa.StringArray.from_buffers(len(names), ends, pa.py_buffer(b"".join(names)))
    return [texts, *(pa.ListArray.from_arrays(offsets, values) for values in (ids, weights))]


def _plain(kind: pa.DataType, values: NDArray[np.generic]) -> pa.Array:
    """An array without nulls over the memory of `values`."""
    buffer = pa.py_buffer(np.ascontiguousarray(values, dtype=kind.to_pandas_dtype()))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _named(vector: Vector, tokens: Sequence[str]) -> dict[str, float]:
    pairs = zip(vector.token_ids.tolist(), vector.weights, strict=True)
    return {tokens[i]: float(np.format_float_positional(w, unique=True)) for i, w in pairs}


def _runs(vectors: Iterable[Vector], size: int) -> Iterator[list[Vector]]:
    run: list[Vector] = []
    for vector in vectors:
        run.append(vector)
        if len(run) == size:
            yield run
            run = []
    if run:
        yield run
