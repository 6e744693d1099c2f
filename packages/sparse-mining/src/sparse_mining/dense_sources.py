"""Sources of dense vectors: the built-in TF-IDF and SVD, a sentence-transformers model, or arrays that are given.

Each gives vectors block by block, so that nobody has to hold those of a large corpus in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sparse_mining import svd
from sparse_mining._files import InputError, sha256
from sparse_mining.arrays import Matrix, finite_blocks, load_array, unit_rows
from sparse_mining.sentence_encoder import Header, SentenceEncoder
from sparse_mining.shards import digest, fingerprint, matrix_in_shards
from sparse_mining.terms import Analyses


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What is embedded, by row."""

    documents: Sequence[str]
    document_ids: Sequence[str]
    queries: Sequence[str]
    query_ids: Sequence[str]


class Encoder(Protocol):
    """Makes vectors of queries as those of the passages were made."""

    @property
    def header(self) -> svd.Header | Header: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...

    def save(self, folder: Path) -> None: ...


class Source(Protocol):
    """Gives the vectors of passages and of queries."""

    @property
    def encoder(self) -> Encoder | None:
        """None where arrays are given and nobody can encode another query."""
        ...

    def documents(self) -> Iterator[Matrix]: ...

    def queries(self) -> Iterator[Matrix]: ...


@dataclass(frozen=True, slots=True)
class SvdSource:
    """The built-in encoder, fitted on the passages."""

    encoder: svd.SvdEncoder
    fitted: Matrix
    texts: Texts

    def documents(self) -> Iterator[Matrix]:
        yield self.fitted

    def queries(self) -> Iterator[Matrix]:
        yield self.encoder.encode(self.texts.queries)


def by_svd(analyses: Analyses, texts: Texts, *, dimensions: int, seed: int) -> SvdSource:
    """TF-IDF over kiwi's terms, reduced."""
    encoder, documents = svd.fit_terms(analyses.terms("kiwi"), "kiwi", dimensions=dimensions, seed=seed)
    return SvdSource(encoder, documents, texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A sentence-transformers model; what it has encoded is kept in `work` until all is done."""

    encoder: SentenceEncoder
    texts: Texts
    work: Path
    shard: int
    """Texts encoded between two points that a killed run goes on from."""
    batch_size: int
    model_digest: str
    """sha256 of the model's folder; empty for one from the hub."""

    def documents(self) -> Iterator[Matrix]:
        texts = self.texts.documents
        return self._shards("documents", texts, lambda a, b: self.encoder.encode_documents(texts[a:b]))

    def queries(self) -> Iterator[Matrix]:
        texts = self.texts.queries
        return self._shards("queries", texts, lambda a, b: self.encoder.encode(texts[a:b]))

    def _shards(self, side: str, texts: Sequence[str], make: Callable[[int, int], Matrix]) -> Iterator[Matrix]:
        key = fingerprint(self.encoder.header, self.model_digest, digest(texts), self.shard, self.batch_size)
        return matrix_in_shards(self.work / side, key, n_items=len(texts), size=self.shard, make=make)


def by_model(header: Header, texts: Texts, work: Path, *, shard: int, batch_size: int) -> ModelSource:
    """The model that the header names, loaded when the first text has to be encoded."""
    folder = Path(header.model)
    return ModelSource(
        encoder=SentenceEncoder(header, batch_size=batch_size),
        texts=texts,
        work=work,
        shard=shard,
        batch_size=batch_size,
        model_digest=sha256(folder) if folder.is_dir() else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSource:
    """Arrays made elsewhere, row by row those of the passages and of the queries."""

    documents_path: Path
    queries_path: Path | None
    normalised: bool
    encoder: None = None

    def documents(self) -> Iterator[Matrix]:
        return self._blocks(self.documents_path)

    def queries(self) -> Iterator[Matrix]:
        return self._blocks(self.queries_path) if self.queries_path else iter(())

    def _blocks(self, path: Path) -> Iterator[Matrix]:
        for block in finite_blocks(path, load_array(path)):
            yield unit_rows(block) if self.normalised else block


def by_files(documents: Path, queries: Path | None, texts: Texts, *, normalised: bool) -> GivenSource:
    """The arrays at these paths; InputError where rows or dimensions are not what passages and queries want."""
    n_dimensions = _dimensions(documents, n_rows=len(texts.documents), of="passages")
    if queries is None and texts.queries:
        raise InputError(f"{len(texts.queries)} queries want vectors as well: give --query-vectors, or no queries")
    if queries is not None:
        found = _dimensions(queries, n_rows=len(texts.queries), of="queries")
        if found != n_dimensions:
            raise InputError(f"{queries}: has {found} dimensions, but {documents} has {n_dimensions}")
    return GivenSource(documents_path=documents, queries_path=queries, normalised=normalised)


def _dimensions(path: Path, *, n_rows: int, of: str) -> int:
    found = load_array(path)
    if found.ndim != 2 or found.dtype.kind != "f" or not found.shape[1]:
        raise InputError(f"{path}: holds {found.dtype} of shape {found.shape}, wanted floats of shape (rows, columns)")
    if len(found) != n_rows:
        raise InputError(f"{path}: has {len(found)} rows, but there are {n_rows} {of}")
    return int(found.shape[1])
