"""Proof that the server does what the trainer's machine did: same vectors, same query weights, same ranking.

Each comparison is a finding with its largest difference, so that "it works" is a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from os_deploy.cluster import Cluster
from os_deploy.findings import Finding, Requirement
from os_deploy.prove.ranking import same_ranking
from os_deploy.searching import Searcher, Weigh

TOLERANCE = 1e-3
"""Largest relative difference of a weight."""

STORED_TOLERANCE = 4e-3
"""Of `rank_features`, which keeps 9 significant bits of a weight."""

DOCUMENTS = Requirement(
    check="document_vectors",
    wanted=f"server-side vectors within {TOLERANCE} relative of local ones",
    why="another tokenizer, truncation or library on the server would make other vectors",
)
QUERIES = Requirement(
    check="query_weights",
    wanted="the tokenizer model's weights equal to idf.json",
    why="queries would be weighed otherwise than in training",
)
RANKING = Requirement(
    check="ranking",
    wanted="top 10 of exact search equal to local exact search, but for ties",
    why="the index would answer otherwise than the model",
)


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    data_as_map: dict[str, list[dict[str, float]]]


class _Result(msgspec.Struct, frozen=True):
    output: list[_Output]


class _Prediction(msgspec.Struct, frozen=True):
    inference_results: list[_Result]


Vectors = Mapping[str, Mapping[str, float]]
"""doc_id or query_id -> decoded token -> weight."""


def predict(cluster: Cluster, model_id: str, function: str, texts: Sequence[str]) -> list[dict[str, float]]:
    """The vectors that a model on the server makes of texts, one request a text, as ML Commons does it anyway."""
    path = f"/_plugins/_ml/_predict/{function.lower()}/{model_id}"
    answers = (cluster.post(path, _Prediction, body={"text_docs": [text]}) for text in texts)
    return [answer.inference_results[0].output[0].data_as_map["response"][0] for answer in answers]


def largest_difference(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """The largest relative difference of a weight; a token that one side lacks counts with its whole weight.

    >>> largest_difference({"검색": 2.0, "희소": 1.0}, {"검색": 2.0, "희소": 0.5})
    0.5
    >>> largest_difference({"검색": 2.0}, {})
    1.0
    """
    tokens = ours.keys() | theirs.keys()
    pairs = [(ours.get(token, 0.0), theirs.get(token, 0.0)) for token in tokens]
    return max((abs(a - b) / max(abs(a), abs(b), 1e-9) for a, b in pairs), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Compares a deployed model and index with what was made locally."""

    cluster: Cluster
    encoder_id: str
    tokenizer_id: str
    weigh: Weigh | None

    def check_documents(self, texts: Mapping[str, str], vectors: Vectors) -> Finding:
        """Server-side encoding of `texts` against local `vectors`, by doc_id.

        Local vectors may be cut to their heaviest tokens, so only tokens that are in them are compared.
        """
        made = predict(self.cluster, self.encoder_id, "SPARSE_ENCODING", list(texts.values()))
        worst, where = 0.0, ""
        for doc_id, theirs in zip(texts, made, strict=True):
            ours = vectors[doc_id]
            difference = largest_difference(ours, {t: w for t, w in theirs.items() if t in ours})
            if difference > worst:
                worst, where = difference, f" ({doc_id})"
        return DOCUMENTS.met(worst <= TOLERANCE, f"largest difference {worst:.1e}{where} over {len(texts)} texts")

    def check_queries(self, texts: Sequence[str]) -> Finding:
        """The tokenizer model's weights of `texts` against the client's."""
        if self.weigh is None:
            raise ValueError("check_queries needs a weigh")
        made = predict(self.cluster, self.tokenizer_id, "SPARSE_TOKENIZE", texts)
        worst = max((largest_difference(self.weigh(t), w) for t, w in zip(texts, made, strict=True)), default=0.0)
        return QUERIES.met(worst <= 1e-6, f"largest difference {worst:.1e} over {len(texts)} texts")


def check_ranking(searcher: Searcher, texts: Sequence[str], vectors: Vectors, weigh: Weigh) -> Finding:
    """The server's top 10 for each text against a scan over all local vectors, held in memory."""
    wrong = [text for text in texts if not _ranks_alike(searcher, text, vectors, weigh)]
    found = f"{len(texts) - len(wrong)} of {len(texts)} queries alike"
    return RANKING.met(not wrong, f"{found}; first that differs: {wrong[0]!r}" if wrong else found)


def _ranks_alike(searcher: Searcher, text: str, vectors: Vectors, weigh: Weigh) -> bool:
    query = weigh(text)
    theirs = searcher.scores(text, mode="sparse", k=10)
    ours = {doc_id: dot(query, vector) for doc_id, vector in vectors.items()}
    matching = {doc_id: score for doc_id, score in ours.items() if score > 0}
    return same_ranking(matching, theirs, tolerance=STORED_TOLERANCE)


def dot(query: Mapping[str, float], document: Mapping[str, float]) -> float:
    """The dot product of two vectors.

    >>> dot({"검색": 2.0, "색인": 1.0}, {"검색": 0.5, "희소": 3.0})
    1.0
    """
    return sum(weight * document[token] for token, weight in query.items() if token in document)
