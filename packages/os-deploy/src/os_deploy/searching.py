"""Queries against a deployed index: keyword, sparse, two-phase and hybrid, each as one request.

A sparse query always names its model or carries its own tokens: OpenSearch takes bert-uncased where neither is given,
which knows no Hangul.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote

import msgspec

from os_deploy._files import InputError
from os_deploy.cluster import Cluster
from os_deploy.indices import DENSE, VECTOR, Body, Record
from os_deploy.tokens import ServerTokenizer

Mode = Literal["bm25", "sparse", "two_phase", "hybrid", "rrf", "dense", "hybrid_dense", "rrf_dense", "rrf_all"]
MODES: tuple[Mode, ...] = get_args(Mode)
Part = Literal["keyword", "sparse", "dense"]

PARTS: dict[Mode, tuple[Part, ...]] = {
    "bm25": ("keyword",),
    "sparse": ("sparse",),
    "two_phase": ("sparse",),
    "hybrid": ("keyword", "sparse"),
    "rrf": ("keyword", "sparse"),
    "dense": ("dense",),
    "hybrid_dense": ("keyword", "dense"),
    "rrf_dense": ("keyword", "dense"),
    "rrf_all": ("keyword", "sparse", "dense"),
}
"""What a query of each mode is made of."""

MAX_QUERY_TOKENS = 1024
"""OpenSearch refuses more."""

PIPELINES: dict[Mode, str] = {
    "two_phase": "two-phase",
    "hybrid": "hybrid",
    "hybrid_dense": "hybrid",
    "rrf": "rrf",
    "rrf_dense": "rrf",
    "rrf_all": "rrf",
}
"""The search pipeline of each mode that has one, without the deployment's name."""

Weigh = Callable[[str], Mapping[str, float]]
"""Makes the query vector of a text on the client, by decoded token."""

Embeddings = Mapping[str, Sequence[float]]
"""Text of a query -> its dense vector, made elsewhere."""


class _Source(msgspec.Struct, frozen=True):
    title: str = ""
    text: str = ""
    vector: dict[str, float] = {}


class _Hit(msgspec.Struct, frozen=True, kw_only=True):
    id: str = msgspec.field(name="_id")
    score: float = msgspec.field(name="_score")
    source: _Source = msgspec.field(name="_source", default=_Source())


class _Hits(msgspec.Struct, frozen=True):
    hits: list[_Hit]


class _Answer(msgspec.Struct, frozen=True):
    hits: _Hits
    timed_out: bool = False


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One passage that was found."""

    doc_id: str
    score: float
    title: str = ""
    text: str = ""
    terms: dict[str, float] = {}
    """With `explain`: what each matching term adds to the dot product, the most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Asks one version of a deployment."""

    cluster: Cluster
    record: Record
    weigh: Weigh | None = None
    """How the client makes query vectors; needed where the recipe says `query: tokens`, and to explain."""
    keys: Mapping[int, str] | None = None
    """Decoded token of each id, needed for `sparse_vector` with query tokens."""
    embeddings: Embeddings | None = None
    """Dense vectors of the queries; needed for the modes with `dense`."""

    def search(self, text: str, *, mode: Mode = "sparse", k: int = 10, explain: bool = False) -> list[Result]:
        """The best `k` passages, best first; `explain` adds text and matching terms."""
        body = self.body(text, mode=mode, k=k)
        wanted = ["title", "text", VECTOR] if explain else ["title", "text"]
        answer = self.cluster.post(self.path(mode), _Answer, body={**body, "_source": wanted})
        query = self._explaining(text) if explain else {}
        return [
            Result(
                doc_id=hit.id,
                score=hit.score,
                title=hit.source.title,
                text=hit.source.text,
                terms=matching_terms(query, self._decoded(hit.source.vector)),
            )
            for hit in answer.hits.hits
        ]

    def scores(self, text: str, *, mode: Mode = "sparse", k: int = 10) -> dict[str, float]:
        """Ids and scores of the best `k` passages, best first, and nothing else of them."""
        answer = self.cluster.post(self.path(mode), _Answer, body={**self.body(text, mode=mode, k=k), "_source": False})
        return {hit.id: hit.score for hit in answer.hits.hits}

    def path(self, mode: Mode) -> str:
        """Where a query of that mode is posted."""
        if mode == "two_phase" and self.record.field == "sparse_vector":
            raise InputError(
                "two_phase: found a sparse_vector field, wanted rank_features: OpenSearch has no two phases for it"
            )
        pipeline = f"?search_pipeline={quote(self.record.name)}-{PIPELINES[mode]}" if mode in PIPELINES else ""
        return f"/{self.record.index}/_search{pipeline}"

    def body(self, text: str, *, mode: Mode, k: int) -> Body:
        """The request of a query of that mode."""
        if not text.strip():
            raise InputError("query: found no text, wanted some")
        queries = [self._part(part, text, k) for part in PARTS[mode]]
        return {"size": k, "query": queries[0] if len(queries) == 1 else {"hybrid": {"queries": queries}}}

    def _part(self, part: Part, text: str, k: int) -> Body:
        if part == "keyword":
            return {"multi_match": {"query": text, "fields": ["title", "text"]}}
        if part == "sparse":
            return {"neural_sparse": {VECTOR: self._sparse(text, k)}}
        return {"knn": {DENSE: {"vector": self._embedded(text), "k": k}}}

    def _embedded(self, text: str) -> Sequence[float]:
        if not self.record.dense_dimensions:
            raise InputError(f"{self.record.index}: found no dense vectors, wanted `dense` in its recipe: deploy again")
        if self.embeddings is None or text not in self.embeddings:
            raise InputError(f"found no dense vector for {text!r}, wanted one: --dense-queries names where they are")
        return self.embeddings[text]

    def _sparse(self, text: str, k: int) -> Body:
        if self.record.query == "tokens":
            query: Body = {"query_tokens": self._tokens(text)}
        else:
            _, model = self.record.query_model
            if not model:
                raise InputError(f"{self.record.index}: found no model for queries, wanted one: deploy again")
            query = {"query_text": text, "model_id": model}
        if self.record.field == "sparse_vector":
            query["method_parameters"] = {"k": k, "top_n": 10, "heap_factor": 1.0}
        return query

    def _tokens(self, text: str) -> dict[str, float]:
        weights = self._weigh(text)
        heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MAX_QUERY_TOKENS]
        if self.record.field == "rank_features":
            return dict(heaviest)
        ids = {key: token_id for token_id, key in (self.keys or {}).items()}
        return {str(ids[key]): weight for key, weight in heaviest}

    def _weigh(self, text: str) -> Mapping[str, float]:
        if self.weigh is None:
            raise InputError(
                f"{self.record.index}: found no export folder, wanted one (--export) to make query tokens with"
            )
        return self.weigh(text)

    def _explaining(self, text: str) -> Mapping[str, float]:
        return self.weigh(text) if self.weigh else {}

    def _decoded(self, vector: Mapping[str, float]) -> Mapping[str, float]:
        if self.record.field == "rank_features" or self.keys is None:
            return vector
        return {self.keys[int(token_id)]: weight for token_id, weight in vector.items()}


def local_weigher(tokenizer: ServerTokenizer, idf: Mapping[str, float]) -> Weigh:
    """Query vectors as the SPARSE_TOKENIZE model makes them."""
    return lambda text: tokenizer.query_weights(text, idf)


def matching_terms(query: Mapping[str, float], document: Mapping[str, float]) -> dict[str, float]:
    """What each shared term adds to the score, the most first.

    >>> matching_terms({"검색": 2.0, "희소": 3.0, "색인": 1.0}, {"검색": 0.5, "희소": 1.0})
    {'희소': 3.0, '검색': 1.0}
    """
    products = {term: weight * document[term] for term, weight in query.items() if term in document}
    return dict(sorted(products.items(), key=lambda item: (-item[1], item[0])))
