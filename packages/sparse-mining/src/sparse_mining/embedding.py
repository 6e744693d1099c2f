"""Embedding: passages and queries as vectors, with clusters and a FAISS index, into one folder.

One act of several modules: vectors by a source, groups by `clusters`, the folder by `embeddings`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparse_mining import clusters, dense_sources, faiss_index
from sparse_mining._files import InputError, Manifest, Output, claim_work, clear_work, whole
from sparse_mining.arrays import Matrix
from sparse_mining.dense_sources import Source, Texts
from sparse_mining.embeddings import write_clusters, write_embeddings
from sparse_mining.options import PACKAGE, package_version
from sparse_mining.pairs import read_pairs
from sparse_mining.passages import Collection, read_collection, read_queries
from sparse_mining.sentence_encoder import Header
from sparse_mining.sentence_models import prefixes_of
from sparse_mining.terms import Analyses

Method = Literal["svd", "model", "npy"]

AUTO = "auto"
"""A prefix by the model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that vectors are made of."""

    passages: Path
    pairs: Sequence[Path] = ()
    queries: Sequence[Path] = ()
    document_vectors: Path | None = None
    query_vectors: Path | None = None

    def paths(self, corpus: Path) -> list[Path]:
        """All of them that are given."""
        arrays = (self.document_vectors, self.query_vectors)
        return [corpus, *self.pairs, *self.queries, *(path for path in arrays if path is not None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How vectors are made."""

    method: Method = "svd"
    dimensions: int = 128
    """Of svd."""
    model: str = ""
    query_prefix: str = AUTO
    document_prefix: str = AUTO
    normalise: bool = True
    """Vectors of a model or given ones are brought to length 1."""
    batch_size: int = 32
    """Texts that a model encodes at once."""
    shard: int = 2048
    """Texts that a model encodes between two points that a killed run goes on from."""
    n_clusters: int = 0
    """0: chosen by silhouette."""
    index_kind: faiss_index.KindOrAuto = "auto"
    seed: int = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where results and partial work go."""

    folder: Path
    work: Path
    """Removed when all is done."""
    index: Path | None = None


def embed(inputs: Inputs, places: Places, plan: Plan) -> str:
    """Writes the folder, then the index if it has a place; returns a line that sums them up."""
    started = time.time()
    analyses = Analyses(read_collection(inputs.passages))
    texts = _texts(inputs, analyses.collection)
    claim_work(places.work)
    source = _source(inputs, plan, analyses, texts=texts, work=places.work)
    with whole(places.folder) as part:
        documents, queries = write_embeddings(part, source, texts)
        found = _clusters(documents, analyses, plan)
        write_clusters(part / "clusters.json", found)
        if places.index is not None:
            _write_index(documents, queries, places.index, plan=plan, started=started)
    n_dimensions = documents.shape[1]
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters=_parameters(plan),
        seed=plan.seed,
        inputs=inputs.paths(analyses.collection.path),
        outputs=[Output(path=places.folder, format="embeddings", n_records=len(documents))],
        counts={"n_documents": len(documents), "n_queries": len(queries), "n_dimensions": n_dimensions},
        started=started,
    ).write()
    clear_work(places.work)
    size = f"{len(documents)} passages, {len(queries)} queries, {n_dimensions} dimensions, {found.n_clusters} clusters"
    return f"{places.folder}: {size}"


def _texts(inputs: Inputs, collection: Collection) -> Texts:
    """Queries once each, in the order in which they are first met; of an id met twice the first text counts."""
    queries: dict[str, str] = {}
    for pair in read_pairs(inputs.pairs, collection):
        queries.setdefault(pair.query_id, pair.query)
    for path in inputs.queries:
        for query in read_queries(path):
            queries.setdefault(query.id, query.text)
    return Texts(
        documents=collection.full_texts(),
        document_ids=collection.ids(),
        queries=list(queries.values()),
        query_ids=list(queries),
    )


def _source(inputs: Inputs, plan: Plan, analyses: Analyses, *, texts: Texts, work: Path) -> Source:
    if plan.method == "npy":
        if inputs.document_vectors is None:
            raise InputError("--method npy wants --document-vectors, an array with a row for each passage")
        return dense_sources.by_files(inputs.document_vectors, inputs.query_vectors, texts, normalised=plan.normalise)
    if inputs.document_vectors is not None or inputs.query_vectors is not None:
        raise InputError("--document-vectors and --query-vectors belong to --method npy")
    if plan.method == "svd":
        return dense_sources.by_svd(analyses, texts, dimensions=plan.dimensions, seed=plan.seed)
    if not plan.model:
        raise InputError("--method model wants --model, a sentence-transformers folder or its name on the hub")
    wanted = prefixes_of(plan.model)
    chosen = (plan.query_prefix, plan.document_prefix)
    prefixes = [by_name if given == AUTO else given for given, by_name in zip(chosen, wanted, strict=True)]
    header = Header(model=plan.model, query_prefix=prefixes[0], document_prefix=prefixes[1], normalised=plan.normalise)
    return dense_sources.by_model(header, texts, work, shard=plan.shard, batch_size=plan.batch_size)


def _clusters(documents: Matrix, analyses: Analyses, plan: Plan) -> clusters.Clusters:
    tried: tuple[clusters.Choice, ...] = ()
    if plan.n_clusters:
        assignment = clusters.assign(documents, min(plan.n_clusters, len(documents)), seed=plan.seed)
    else:
        assignment, tried = clusters.choose(documents, seed=plan.seed)
    ids, terms = analyses.collection.ids(), analyses.terms("kiwi")
    return clusters.describe(assignment, ids, terms, tried=tried, seed=plan.seed)


def _write_index(documents: Matrix, queries: Matrix, path: Path, *, plan: Plan, started: float) -> None:
    built = faiss_index.build(documents, plan.index_kind, queries=queries, seed=plan.seed)
    faiss_index.write(built, path)
    Manifest(
        package=PACKAGE,
        package_version=package_version(),
        parameters={
            "kind": built.kind,
            "effort": built.effort,
            "recall_at_10": built.recall_at_10,
            "n_sample": built.n_sample,
        },
        seed=plan.seed,
        outputs=[Output(path=path, format="faiss_index", n_records=len(documents))],
        counts={"n_documents": len(documents), "n_dimensions": documents.shape[1]},
        started=started,
    ).write()


def _parameters(plan: Plan) -> dict[str, object]:
    shared: dict[str, object] = {"method": plan.method, "clusters": plan.n_clusters}
    if plan.method == "svd":
        return {**shared, "dimensions": plan.dimensions}
    model: dict[str, object] = {
        "model": plan.model,
        "query_prefix": plan.query_prefix,
        "document_prefix": plan.document_prefix,
        "batch_size": plan.batch_size,
        "shard": plan.shard,
    }
    return {**shared, "normalise": plan.normalise, **(model if plan.method == "model" else {})}
