"""What a deployment makes on the cluster: index settings and mapping, ingest and search pipelines, their names.

Only bodies of requests, built from the recipe: nothing here talks to a cluster.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from os_deploy._files import InputError
from os_deploy.recipe import Recipe

Body = dict[str, object]
"""A JSON object of a request."""

VECTOR = "vector"
"""The field of the sparse vector; text and title are `text` and `title`."""

DENSE = "dense"
"""The field of the dense vector, where there is one."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What an index says of its own deployment, in its mapping's `_meta`: all that later commands need to know."""

    name: str
    version: int
    fingerprint: str
    """sha256 over the recipe and the content of everything that it names."""
    field: str
    query: str
    n_passages: int
    complete: bool = False
    encoder_id: str = ""
    query_encoder_id: str = ""
    """Of a second encoder, for queries alone."""
    tokenizer_id: str = ""
    tokenizer_sha256: str = ""
    """Of the tokenizer zip."""
    server_encodes: bool = False
    title: bool = False
    """Whether vectors are of title and text."""
    dense_dimensions: int = 0
    """Of the dense vectors; 0 without any."""
    ingest_s: float = 0.0
    """Seconds that sending all passages took; 0 where it was done in several runs."""
    merge_s: float = 0.0
    """Seconds that merging and refreshing took after that."""
    document_ceiling: float = 0.0
    """The largest document weight that its 8 bits keep; 0 where no weights are cut."""
    query_ceiling: float = 0.0
    """The same of query weights."""

    @property
    def query_model(self) -> tuple[Literal["SPARSE_ENCODING", "SPARSE_TOKENIZE"], str]:
        """The function and the id of the model that weighs queries; no id where the client does."""
        if self.query == "encoder":
            return "SPARSE_ENCODING", self.query_encoder_id or self.encoder_id
        return "SPARSE_TOKENIZE", self.tokenizer_id

    @property
    def model_ids(self) -> set[str]:
        """The models on the cluster that it needs."""
        return {self.encoder_id, self.query_encoder_id, self.tokenizer_id} - {""}

    @property
    def index(self) -> str:
        """The index's name."""
        return index_name(self.name, self.version)


def index_name(name: str, version: int) -> str:
    """The index of one version.

    >>> index_name("docs", 3)
    'docs-v3'
    """
    return f"{name}-v{version}"


def version_of(name: str, index: str) -> int | None:
    """The version that an index is of, None where it is not one of that name.

    >>> version_of("docs", "docs-v3"), version_of("docs", "docs-vector"), version_of("docs", "other-v1")
    (3, None, None)
    """
    tail = index.removeprefix(f"{name}-v")
    return int(tail) if tail != index and tail.isdecimal() else None


def search_pipelines(recipe: Recipe) -> dict[str, Body]:
    """The search pipelines of a deployment by name: two-phase, normalised hybrid, and reciprocal rank fusion."""
    two_phase: Body = {"enabled": True, "two_phase_parameter": msgspec.to_builtins(recipe.two_phase)}
    combination = {"technique": "arithmetic_mean", "parameters": {"weights": list(recipe.hybrid_weights)}}
    normalised = {"normalization": {"technique": "min_max"}, "combination": combination}
    return {
        f"{recipe.name}-two-phase": {"request_processors": [{"neural_sparse_two_phase_processor": two_phase}]},
        f"{recipe.name}-hybrid": {"phase_results_processors": [{"normalization-processor": normalised}]},
        f"{recipe.name}-rrf": {
            "phase_results_processors": [{"score-ranker-processor": {"combination": {"technique": "rrf"}}}]
        },
    }


def ingest_pipeline(recipe: Recipe, encoder_id: str) -> Body:
    """The pipeline that encodes each passage on the server: its text, or its title and text as `Passage.encoded`."""
    encoding: Body = {"model_id": encoder_id, "field_map": {"encoded" if recipe.title else "text": VECTOR}}
    if recipe.encode.prune_ratio > 0:
        encoding |= {"prune_type": "max_ratio", "prune_ratio": recipe.encode.prune_ratio}
    if not recipe.title:
        return {"processors": [{"sparse_encoding": encoding}]}
    joined = "ctx.encoded = ctx.title == null || ctx.title.isEmpty() ? ctx.text : ctx.title + '\n' + ctx.text"
    return {
        "processors": [
            {"script": {"source": joined}},
            {"sparse_encoding": encoding},
            {"remove": {"field": "encoded"}},
        ]
    }


def index_body(recipe: Recipe, record: Record, *, korean: str) -> Body:
    """Settings and mapping of a version's index; korean: `nori` or `cjk`, the analyser of title and text."""
    settings: Body = {
        "number_of_shards": recipe.shards,
        "number_of_replicas": recipe.replicas,
        "refresh_interval": "-1",
    }
    if recipe.field == "sparse_vector":
        settings["sparse"] = True
    if record.dense_dimensions:
        settings["knn"] = True
    if record.server_encodes:
        settings["default_pipeline"] = record.index
    analysis = _analysis(korean, read_synonyms(recipe.synonyms))
    text = {"type": "text", "analyzer": "passage", "search_analyzer": "query"}
    keyword = {
        "match_mapping_type": "string",
        "path_match": "metadata.*",
        "mapping": {"type": "keyword", "ignore_above": 1024},
    }
    return {
        "settings": {"index": settings, "analysis": analysis},
        "mappings": {
            "_meta": {"os_deploy": msgspec.to_builtins(record)},
            "date_detection": False,
            "dynamic_templates": [{"metadata": keyword}],
            "properties": {
                "title": text,
                "text": text,
                "metadata": {"properties": {"published": {"type": "date", "ignore_malformed": True}}},
                VECTOR: _vector_field(recipe, record),
                **_dense_field(record),
            },
        },
    }


def _dense_field(record: Record) -> Body:
    """A graph of Lucene's own engine: it needs no native library, and inner products take vectors of zeros too."""
    if not record.dense_dimensions:
        return {}
    method = {"name": "hnsw", "engine": "lucene", "space_type": "innerproduct"}
    return {DENSE: {"type": "knn_vector", "dimension": record.dense_dimensions, "method": method}}


def _vector_field(recipe: Recipe, record: Record) -> Body:
    if recipe.field == "rank_features":
        return {"type": "rank_features"}
    seismic = recipe.seismic
    parameters = {
        "n_postings": seismic.n_postings or max(300, math.ceil(0.0005 * record.n_passages)),
        "cluster_ratio": seismic.cluster_ratio,
        "summary_prune_ratio": seismic.summary_prune_ratio,
        "approximate_threshold": seismic.approximate_threshold,
        "quantization_ceiling_ingest": seismic.quantization_ceiling_ingest,
        "quantization_ceiling_search": seismic.quantization_ceiling_search,
    }
    return {"type": "sparse_vector", "method": {"name": "seismic", "parameters": parameters}}


def _analysis(korean: str, synonyms: Sequence[str]) -> Body:
    if korean == "nori":
        # with `mixed` a compound among the synonyms fails to build, so they go with `discard`
        mode = "discard" if synonyms else "mixed"
        tokenizer: Body = {"korean": {"type": "nori_tokenizer", "decompound_mode": mode}}
        filters = ["nori_part_of_speech", "nori_readingform", "lowercase"]
        passage: Body = {"type": "custom", "tokenizer": "korean", "filter": filters}
    else:
        tokenizer, filters = {}, ["cjk_width", "lowercase", "cjk_bigram"]
        passage = {"type": "custom", "tokenizer": "standard", "filter": filters}
    if not synonyms:
        return {"tokenizer": tokenizer, "analyzer": {"passage": passage, "query": passage}}
    graph = {"synonyms": {"type": "synonym_graph", "synonyms": list(synonyms)}}
    query = {**passage, "filter": [*filters, "synonyms"]}
    return {"tokenizer": tokenizer, "filter": graph, "analyzer": {"passage": passage, "query": query}}


def read_synonyms(path: str | None) -> list[str]:
    """The rules of a file of Solr synonyms, without comments and blank lines."""
    if path is None:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found no file of Solr synonyms ({error}), wanted one") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def vector_keys(field: str, keys: Mapping[int, str], weights: Mapping[int, float]) -> dict[str, float]:
    """A vector as the index keeps it: by decoded token in `rank_features`, by id in `sparse_vector`.

    >>> vector_keys("rank_features", {7: "검색"}, {7: 1.5}), vector_keys("sparse_vector", {7: "검색"}, {7: 1.5})
    ({'검색': 1.5}, {'7': 1.5})
    """
    if field == "sparse_vector":
        return {str(token_id): weight for token_id, weight in weights.items()}
    return {keys[token_id]: weight for token_id, weight in weights.items()}
