"""What sparse vectors cost: active terms and FLOPS, from files of vectors."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from sparse_eval._files import InputError, check_version, read_jsonl

if TYPE_CHECKING:
    import polars as pl


class SparseVector(msgspec.Struct, frozen=True, kw_only=True):
    """A line of vectors as JSON Lines."""

    id: str
    vector: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermUse:
    """How many of some vectors each term is active in."""

    n_vectors: int
    counts: Mapping[str, int]
    """Vectors by term."""
    vocabulary: str
    """The vocabulary's sha256, "" where the file does not know it."""

    @property
    def active_terms(self) -> float:
        """Active terms of a vector on average; 0 where there is no vector."""
        return sum(self.counts.values()) / self.n_vectors if self.n_vectors else 0.0


def flops(queries: TermUse, documents: TermUse) -> float:
    """Multiplications that scoring one query against one document takes on average: terms that both have.

    The sum over terms of the share of queries times the share of documents in which the term is active. Source: Paria
    et al. 2020, arXiv:2004.05665, as reported for OpenSearch's neural sparse models.

    >>> few = TermUse(n_vectors=2, counts={"a": 2, "b": 1}, vocabulary="")
    >>> many = TermUse(n_vectors=4, counts={"a": 1, "b": 4, "c": 4}, vocabulary="")
    >>> flops(few, many)
    0.75
    """
    if not queries.n_vectors or not documents.n_vectors:
        return 0.0
    shared = sum(count * documents.counts.get(term, 0) for term, count in queries.counts.items())
    return shared / (queries.n_vectors * documents.n_vectors)


def read_term_use(path: Path) -> TermUse:
    """Counts the active terms of a file of vectors, Parquet or JSON Lines."""
    return _from_jsonl(path) if path.suffix in (".jsonl", ".gz") else _from_parquet(path)


def check_same_vocabulary(queries: Path, query_use: TermUse, documents: Path, document_use: TermUse) -> None:
    """Raises InputError where vectors of two files cannot be scored against each other."""
    found = (query_use.vocabulary, document_use.vocabulary)
    if all(found) and found[0] != found[1]:
        raise InputError(
            f"{queries}: has the vocabulary {found[0][:12]}, {documents} has {found[1][:12]}: "
            f"wanted vectors of one model, encode both again with it"
        )


def _from_jsonl(path: Path) -> TermUse:
    counts: Counter[str] = Counter()
    n_vectors = 0
    for record in read_jsonl(path, SparseVector):
        n_vectors += 1
        counts.update(token for token, weight in record.vector.items() if weight > 0)
    return TermUse(n_vectors=n_vectors, counts=counts, vocabulary="")


def _from_parquet(path: Path) -> TermUse:
    import polars as pl  # here: most commands read no vectors, and polars takes as long as the rest of them to import

    try:
        metadata = pl.read_parquet_metadata(path)
        columns = pl.read_parquet(path, columns=["token_ids", "weights"])
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as vectors: {error}") from error
    if metadata.get("format") != "vectors" or not metadata.get("version", "").isdigit():
        raise InputError(f"{path}: is not of the format 'vectors': wanted what `sparse-encoder encode` writes")
    check_version(path, "vectors", int(metadata["version"]))
    tokens = _vocabulary(path, metadata)
    use = _count_ids(columns, n_tokens=len(tokens))
    if len(use) > len(tokens):
        raise InputError(
            f"{path}: has the token id {len(use) - 1}: wanted ids below {len(tokens)}, its vocabulary's size"
        )
    counts = {tokens[token_id]: int(count) for token_id, count in enumerate(use) if count}
    return TermUse(n_vectors=columns.height, counts=counts, vocabulary=metadata["vocabulary_sha256"])


def _count_ids(columns: "pl.DataFrame", *, n_tokens: int) -> NDArray[np.int64]:
    """Vectors by token id; as long as the vocabulary, or longer where an id lies outside it."""
    flat = columns.explode("token_ids", "weights")
    active = flat["token_ids"].filter(flat["weights"] > 0)
    counts: NDArray[np.int64] = np.bincount(active.to_numpy(), minlength=n_tokens)
    return counts


def _vocabulary(path: Path, metadata: Mapping[str, str]) -> list[str]:
    try:
        raw = metadata["vocabulary"]
        tokens = msgspec.json.decode(raw, type=list[str])
        expected = metadata["vocabulary_sha256"]
    except (KeyError, msgspec.MsgspecError) as error:
        raise InputError(f"{path}: its metadata lacks the vocabulary: {error!r}: encode again") from error
    if hashlib.sha256(raw.encode()).hexdigest() != expected:
        raise InputError(f"{path}: its vocabulary does not have the sha256 {expected[:12]} that it names: encode again")
    return tokens
