"""Searchers: every way to find passages for queries, behind one small interface.

`search` writes down what a searcher finds and `mine` makes negatives of it; neither knows which kind it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from sparse_mining import bm25, dense, faiss_index, ranking, sentence_encoder, storage, svd, tokens, vectors
from sparse_mining._files import InputError, read_json
from sparse_mining._kiwi import Analysis
from sparse_mining.analysers import SIMPLE, Analyser, analyser, tokenizer_path
from sparse_mining.arrays import Matrix
from sparse_mining.embeddings import read_embeddings
from sparse_mining.passages import Collection, Query
from sparse_mining.postings import Bags, Ints, Postings, bags
from sparse_mining.rank_bm25_backend import rank_bm25
from sparse_mining.ranking import Ranking
from sparse_mining.settings import Settings
from sparse_mining.terms import Analyses

if TYPE_CHECKING:
    import faiss


class Asked(Protocol):
    """Queries that have been analysed or encoded, ready to be searched for."""

    def best(self, k: int) -> Sequence[Ranking]:
        """The k best documents of each query, best first, ties by row."""
        ...

    def scores_of(self, docs: list[Ints]) -> list[NDArray[np.float64]]:
        """The scores of the rows named for each query."""
        ...


class Searcher(Protocol):
    """A way to find passages, under the name that provenance and runs carry."""

    @property
    def name(self) -> str: ...

    def facts(self) -> Mapping[str, object]:
        """What it was made with, for metadata; the same from run to run."""
        ...

    def ask(self, queries: Sequence[Query]) -> Asked:
        """Analyses or encodes queries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line says about searchers beyond their names."""

    settings: Settings = Settings()
    """Of BM25."""
    repeats: bool = False
    """Count a term of a query as often as it stands there, as rank_bm25 does, and not once."""
    index: Path | None = None
    """A folder that `index` wrote."""
    threads: int = 1
    """That search inverted lists."""
    dimensions: int = 128
    """Of vectors made here."""
    embeddings: Path | None = None
    """A folder that `embed` wrote."""
    faiss: Path | None = None
    """A FAISS index of those embeddings, searched instead of every vector."""
    query_vectors: Path | None = None
    """Sparse vectors of the queries."""
    query_idf: Path | None = None
    query_tokenizer: Path | None = None
    seed: int = 42


def searcher(spec: str, analyses: Analyses, choices: Choices, *, name: str = "") -> Searcher:
    """The searcher of `bm25[:ANALYSER]`, `dense[:svd|:FOLDER]` or `sparse:VECTORS` over these passages.

    InputError for any other, and where what it needs is missing or does not fit the passages.
    """
    kind, _, argument = spec.partition(":")
    named = name or kind
    if kind == "bm25":
        return _bm25(argument or "kiwi", analyses, choices, name=named)
    if kind == "rank_bm25":
        texts, words = analyses.collection.full_texts(), analyser(argument or "kiwi")
        return rank_bm25(words, texts, choices.settings, name=named, repeats=choices.repeats)
    if kind == "dense":
        return _dense(argument or "svd", analyses, choices, name=named)
    if kind == "sparse" and argument:
        return _sparse(Path(argument), analyses.collection, choices, name=named)
    raise InputError(
        f"{spec!r} is no way to search: wanted bm25:ANALYSER, rank_bm25:ANALYSER, dense:svd, dense:FOLDER or "
        "sparse:VECTORS"
    )


def files_of(specs: Sequence[str]) -> list[Path]:
    """The files that specs name: of embeddings, vectors and tokenizers; a quota at the end is no part of it.

    >>> [path.name for path in files_of(["bm25=4", "bm25:words", "sparse:v2/doc.parquet=3"])]
    ['doc.parquet']
    """
    arguments = [spec.partition("=")[0].rpartition(":")[2] for spec in specs if ":" in spec]
    return [Path(argument) for argument in arguments if argument not in ("svd", *SIMPLE)]


def inputs_of(spec: str, choices: Choices) -> list[Path]:
    """The files that a spec names, and those of the choices that its kind of search reads."""
    chosen = {
        "bm25": [choices.index],
        "dense": [choices.embeddings, choices.faiss],
        "sparse": [choices.query_vectors, choices.query_idf, choices.query_tokenizer],
    }
    return [*files_of([spec]), *(path for path in chosen.get(spec.partition(":")[0], []) if path is not None)]


@dataclass(frozen=True, slots=True)
class _Weighted:
    """Bags of terms against postings, with what each query adds to every document."""

    postings: Postings
    asked: Bags
    shifts: Sequence[float]
    threads: int

    def best(self, k: int) -> Sequence[Ranking]:
        found = ranking.top_k(self.postings, self.asked, k, n_threads=self.threads)
        return [Ranking(r.docs, r.scores + shift) for r, shift in zip(found, self.shifts, strict=True)]

    def scores_of(self, docs: list[Ints]) -> list[NDArray[np.float64]]:
        found = ranking.scores_of(self.postings, self.asked, docs)
        return [scores + shift for scores, shift in zip(found, self.shifts, strict=True)]


@dataclass(frozen=True, slots=True)
class Lexical:
    """BM25 over an analyser's terms; unless `repeats`, a query's term counts once however often it stands there."""

    analyser: Analyser
    index: bm25.BM25
    analysis: Analysis
    name: str
    threads: int = 1
    repeats: bool = False

    def facts(self) -> Mapping[str, object]:
        return {"name": self.name, "analysis": self.analysis, "settings": self.index.settings}

    def ask(self, queries: Sequence[Query]) -> Asked:
        terms = self.analyser.terms(query.text for query in queries)
        asked = self.index.bags(terms if self.repeats else map(dict.fromkeys, terms))
        return _Weighted(self.index.postings, asked, self.index.shifts(asked), self.threads)


def _bm25(words: str, analyses: Analyses, choices: Choices, *, name: str) -> Searcher:
    found = analyser(words)
    if choices.index is not None:
        index = storage.load(choices.index, analyses.collection, analysis=found.identity(), settings=choices.settings)
    else:
        index = bm25.build_from_terms(analyses.terms(words), choices.settings)
    return Lexical(found, index, found.identity(), name, choices.threads, choices.repeats)


@dataclass(frozen=True, slots=True)
class _Projected:
    documents: Matrix
    queries: Matrix
    index: "faiss.Index | None"

    def best(self, k: int) -> Sequence[Ranking]:
        if self.index is not None:
            return faiss_index.search(self.index, self.queries, k)
        return list(dense.search(self.documents, self.queries, k))

    def scores_of(self, docs: list[Ints]) -> list[NDArray[np.float64]]:
        return dense.scores_of(self.documents, self.queries, docs)


class _QueryEncoder(Protocol):
    def encode(self, queries: Sequence[Query]) -> Matrix: ...


@dataclass(frozen=True, slots=True)
class Dense:
    """Inner product of dense vectors: exact, or by a FAISS index."""

    encoder: _QueryEncoder
    documents: Matrix
    name: str
    header: svd.Header | sentence_encoder.Header | None
    """None where vectors were made elsewhere."""
    index: "faiss.Index | None" = None

    def facts(self) -> Mapping[str, object]:
        return {"name": self.name, "encoder": self.header}

    def ask(self, queries: Sequence[Query]) -> Asked:
        return _Projected(self.documents, self.encoder.encode(queries), self.index)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The built-in encoder, asked by queries and not by their texts."""

    encoder: svd.SvdEncoder

    def encode(self, queries: Sequence[Query]) -> Matrix:
        return self.encoder.encode([query.text for query in queries])


def _dense(source: str, analyses: Analyses, choices: Choices, *, name: str) -> Searcher:
    folder = choices.embeddings if source == "svd" else Path(source)
    if folder is None:
        terms, dimensions = analyses.terms("kiwi"), choices.dimensions
        encoder, documents = svd.fit_terms(terms, "kiwi", dimensions=dimensions, seed=choices.seed)
        return Dense(_Fitted(encoder), documents, name, encoder.header)
    collection = analyses.collection
    stored = read_embeddings(folder, collection)
    index = None
    if choices.faiss is not None:
        if read_json(folder / "document_ids.json", list[str]) != collection.ids():
            raise InputError(f"{choices.faiss}: goes by row, but {folder} and {collection.path} differ in order")
        index = faiss_index.read(choices.faiss, shape=(len(stored.documents), stored.documents.shape[1]))
    return Dense(stored, stored.documents, name, stored.encoder.header if stored.encoder else None, index)


@dataclass(frozen=True, slots=True)
class SparseTokens:
    """Sparse document vectors against queries as tokens times IDF."""

    path: Path
    postings: Postings
    tokenizer: Tokenizer
    idf: Mapping[str, float]
    name: str
    threads: int = 1

    def facts(self) -> Mapping[str, object]:
        return {"name": self.name, "vectors": self.path.name, "n_postings": len(self.postings.docs)}

    def ask(self, queries: Sequence[Query]) -> Asked:
        found = tokens.weigh_queries((query.text for query in queries), tokenizer=self.tokenizer, idf=self.idf)
        n_terms = self.postings.n_terms
        kept = ([(t, w) for t, w in zip(*bag, strict=True) if t < n_terms] for bag in found)
        asked = bags(([t for t, _ in bag], [w for _, w in bag]) for bag in kept)
        return _Weighted(self.postings, asked, [0.0] * len(asked), self.threads)


@dataclass(frozen=True, slots=True)
class SparseVectors:
    """Sparse document vectors against sparse query vectors, which must cover every query asked."""

    path: Path
    postings: Postings
    asked: Bags
    rows: Mapping[str, int]
    name: str
    threads: int = 1

    def facts(self) -> Mapping[str, object]:
        return {"name": self.name, "vectors": self.path.name, "n_postings": len(self.postings.docs)}

    def ask(self, queries: Sequence[Query]) -> Asked:
        missing = next((query.id for query in queries if query.id not in self.rows), None)
        if missing is not None:
            raise InputError(f"{self.path}: has no vector of query {missing!r}: encode these queries")
        rows = [self.rows[query.id] for query in queries]
        spans = [slice(self.asked.starts[row], self.asked.starts[row + 1]) for row in rows]
        asked = bags((self.asked.terms[s].tolist(), self.asked.weights[s].tolist()) for s in spans)
        return _Weighted(self.postings, asked, [0.0] * len(asked), self.threads)


def _sparse(path: Path, collection: Collection, choices: Choices, *, name: str) -> Searcher:
    documents = vectors.read_vectors(path)
    postings = vectors.invert(documents, collection.rows)
    if choices.query_vectors is not None:
        queries = vectors.read_vectors(choices.query_vectors)
        asked = vectors.as_bags(queries, documents)
        return SparseVectors(
            choices.query_vectors, postings, asked, {i: row for row, i in enumerate(queries.ids)}, name, choices.threads
        )
    if choices.query_idf is None or choices.query_tokenizer is None:
        raise InputError("sparse search wants --query-vectors, or --query-idf together with --query-tokenizer")
    file = tokenizer_path(choices.query_tokenizer)
    tokenizer = tokens.load_tokenizer(file)
    if documents.tokens is not None and documents.tokens != tokenizer.get_vocab():
        raise InputError(f"{file}: its vocabulary is not that of {path}: give the tokenizer of the model that encoded")
    return SparseTokens(path, postings, tokenizer, tokens.read_idf(choices.query_idf), name, choices.threads)
