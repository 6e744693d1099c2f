"""Document vectors made on the client: Parquet or JSON Lines, checked against the tokenizer that the server will use.

Vectors travel as token ids; the index wants the keys that the server itself would make, so the tokenizer translates.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from os_deploy._files import InputError, check_version, manifest_path, read_json, read_jsonl
from os_deploy.tokens import ServerTokenizer

ROWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Vector:
    """The sparse vector of one document: token id -> weight, all weights above 0."""

    doc_id: str
    weights: dict[int, float]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    vector: dict[str, float]


def read_vectors(path: Path, tokenizer: ServerTokenizer) -> Iterator[Vector]:
    """The vectors of a file in order; InputError for a weight that is negative or not a number, or a foreign token."""
    rows = _read_parquet(path, tokenizer) if path.suffix == ".parquet" else _read_lines(path, tokenizer)
    for row in rows:
        for token_id, weight in row.weights.items():
            if not 0 <= weight < math.inf:
                raise InputError(
                    f"{path}: vector {row.doc_id!r}: found weight {weight} of token {token_id}, wanted 0 or more"
                )
            if token_id not in tokenizer.keys:
                raise InputError(
                    f"{path}: vector {row.doc_id!r}: found token id {token_id}, which {tokenizer.where} lacks or calls "
                    f"special: encode with the model that was exported"
                )
        yield Vector(row.doc_id, {i: w for i, w in row.weights.items() if w > 0})


class _Parameters(msgspec.Struct, frozen=True):
    title: bool | None = None


class _Made(msgspec.Struct, frozen=True):
    parameters: _Parameters = _Parameters()


def check_title(path: Path, *, title: bool) -> None:
    """Raises InputError where the manifest beside the vectors says that titles were encoded and `title` otherwise."""
    made = titles_encoded(path)
    if made is not None and made != title:
        raise InputError(
            f"{manifest_path(path)}: found vectors made {'with' if made else 'without'} titles, wanted what the recipe "
            f"says: set `title: {str(made).lower()}` in it"
        )


def titles_encoded(path: Path) -> bool | None:
    """Whether the manifest beside the vectors says that titles were encoded with the texts; None where none says."""
    manifest = manifest_path(path)
    return read_json(manifest, _Made).parameters.title if manifest.is_file() else None


def _read_lines(path: Path, tokenizer: ServerTokenizer) -> Iterator[Vector]:
    for line in read_jsonl(path, _Line):
        unknown = [token for token in line.vector if token not in tokenizer.vocabulary]
        if unknown:
            raise InputError(f"{path}: vector {line.id!r}: found token {unknown[0]!r}, which {tokenizer.where} lacks")
        yield Vector(line.id, {tokenizer.vocabulary[token]: weight for token, weight in line.vector.items()})


def _read_parquet(path: Path, tokenizer: ServerTokenizer) -> Iterator[Vector]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_metadata(path, file.schema_arrow.metadata or {}, tokenizer)
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=["id", "token_ids", "weights"]):
                ids, tokens, weights = (batch.column(i).to_pylist() for i in range(3))
                for doc_id, row_tokens, row_weights in zip(ids, tokens, weights, strict=True):
                    if len(row_tokens) != len(row_weights):
                        raise InputError(f"{path}: vector {doc_id!r}: found token_ids and weights of different lengths")
                    yield Vector(doc_id, dict(zip(row_tokens, row_weights, strict=True)))
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path}: found no Parquet file of vectors ({error}), wanted id, token_ids and weights"
        ) from error


def _check_metadata(path: Path, metadata: dict[bytes, bytes], tokenizer: ServerTokenizer) -> None:
    if (version := metadata.get(b"version", b"").decode()).isdecimal():
        check_version(path, "vectors", int(version))
    if b"vocabulary" not in metadata:
        return
    theirs = dict(enumerate(msgspec.json.decode(metadata[b"vocabulary"], type=list[str])))
    ours = {i: token for token, i in tokenizer.vocabulary.items()}
    differing = [i for i in sorted(theirs.keys() | ours.keys()) if theirs.get(i) != ours.get(i)]
    if differing:
        first = differing[0]
        raise InputError(
            f"{path}: found a vocabulary that differs from {tokenizer.where} at {len(differing)} ids (id {first}: "
            f"{theirs.get(first)!r} against {ours.get(first)!r}): encode with the model that was exported"
        )
