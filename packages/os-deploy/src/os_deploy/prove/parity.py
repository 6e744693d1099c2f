"""Proof that the server does what the trainer's machine did: same vectors, same query weights, same ranking.

Each comparison is a finding with its largest difference, so that "it works" is a number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from os_deploy.cluster import Cluster
from os_deploy.findings import Finding, Requirement
from os_deploy.indices import VECTOR, Record
from os_deploy.prove.exact import Weights, overlap, scan
from os_deploy.prove.ranking import same_ranking
from os_deploy.searching import Searcher, Weigh

TOLERANCE = 1e-3
"""Largest relative difference of a weight."""

STORED = 4e-3
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

OVERLAP = Requirement(
    check="overlap",
    wanted="most of the exact top 10",
    why="SEISMIC skips clusters of postings; raise n_postings or cluster_ratio, or take rank_features",
)
INDEXED = Requirement(
    check="indexed_vectors",
    wanted="the vectors of the file, or of the server's own model, in the index",
    why="another pipeline, or passages and vectors out of step, would index something else",
)
DEPTH = 10


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    data_as_map: dict[str, list[dict[str, float]]]


class _Result(msgspec.Struct, frozen=True):
    output: list[_Output]


class _Prediction(msgspec.Struct, frozen=True):
    inference_results: list[_Result]


class _Source(msgspec.Struct, frozen=True):
    vector: dict[str, float] = {}


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    id: str = msgspec.field(name="_id")
    source: _Source = msgspec.field(name="_source", default=_Source())


class _Docs(msgspec.Struct, frozen=True):
    docs: list[_Held]


Vectors = Mapping[str, Mapping[str, float]]
"""doc_id or query_id -> decoded token -> weight."""


def predict(cluster: Cluster, model_id: str, function: str, texts: Sequence[str]) -> list[dict[str, float]]:
    """The vectors that a model on the server makes of texts, one request a text, as ML Commons does it anyway."""
    path = f"/_plugins/_ml/_predict/{function.lower()}/{model_id}"
    answers = (cluster.post(path, _Prediction, body={"text_docs": [text]}) for text in texts)
    return [answer.inference_results[0].output[0].data_as_map["response"][0] for answer in answers]


def server_weigher(cluster: Cluster, record: Record) -> Weigh | None:
    """Query vectors as the deployment's own model on the server makes them; None where the client makes them."""
    function, model_id = record.query_model
    return (lambda text: predict(cluster, model_id, function, [text])[0]) if model_id else None


def indexed_vectors(cluster: Cluster, index: str, doc_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """The sparse vectors that an index was given, by doc_id and by the index's own keys; empty for one it lacks."""
    answer = cluster.post(f"/{index}/_mget?_source_includes={VECTOR}", _Docs, body={"ids": list(doc_ids)})
    return {held.id: held.source.vector for held in answer.docs}


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
        ours = {doc_id: vectors[doc_id] for doc_id in texts}
        theirs = {d: {t: w for t, w in vector.items() if t in ours[d]} for d, vector in zip(texts, made, strict=True)}
        worst, where = _worst(ours, theirs)
        return DOCUMENTS.met(worst <= TOLERANCE, f"largest difference {worst:.1e}{where} over {len(texts)} texts")

    def check_indexed(self, index: str, vectors: Vectors) -> Finding:
        """What the index was given against `vectors`, by doc_id and by the index's keys."""
        worst, where = _worst(vectors, indexed_vectors(self.cluster, index, list(vectors)))
        return INDEXED.met(worst <= TOLERANCE, f"largest difference {worst:.1e}{where} over {len(vectors)} passages")

    def check_queries(self, texts: Sequence[str]) -> Finding:
        """The tokenizer model's weights of `texts` against the client's."""
        if self.weigh is None:
            raise ValueError("check_queries needs a weigh")
        made = predict(self.cluster, self.tokenizer_id, "SPARSE_TOKENIZE", texts)
        worst = max((largest_difference(self.weigh(t), w) for t, w in zip(texts, made, strict=True)), default=0.0)
        return QUERIES.met(worst <= 1e-6, f"largest difference {worst:.1e} over {len(texts)} texts")


def _worst(ours: Vectors, theirs: Vectors) -> tuple[float, str]:
    """The largest difference of a weight in any of `ours`, and whose it is, to be shown behind it."""
    differences = {doc_id: largest_difference(vector, theirs[doc_id]) for doc_id, vector in ours.items()}
    doc_id = max(differences, key=differences.__getitem__, default="")
    worst = differences.get(doc_id, 0.0)
    return worst, f" ({doc_id})" if worst else ""


def check_ranking(
    searcher: Searcher, texts: Sequence[str], vectors: Iterable[tuple[str, Weights]], *, min_overlap: float
) -> Finding:
    """The server's top 10 for each text against a scan of all local `vectors`, (doc_id, weights by decoded token).

    An exact index must give the same top 10; of SEISMIC's, `min_overlap` of the exact one must be there on average.
    """
    if searcher.weigh is None:
        raise ValueError("check_ranking needs a searcher that weighs")
    theirs = [searcher.scores(text, mode="sparse", k=DEPTH) for text in texts]
    ours = scan([searcher.weigh(text) for text in texts], vectors, k=DEPTH, also=theirs)
    pairs = list(zip(texts, ours, theirs, strict=True))
    if searcher.record.field == "sparse_vector":
        share = sum(overlap(answer, exact, k=DEPTH) for _, exact, answer in pairs) / max(len(pairs), 1)
        found = f"{share:.1%} of the exact top {DEPTH} over {len(texts)} queries"
        return msgspec.structs.replace(OVERLAP.met(share >= min_overlap, found), wanted=f"at least {min_overlap:.0%}")
    wrong = [text for text, exact, answer in pairs if not same_ranking(exact, answer, k=DEPTH, tolerance=STORED)]
    found = f"{len(texts) - len(wrong)} of {len(texts)} queries alike"
    return RANKING.met(not wrong, f"{found}; first that differs: {wrong[0]!r}" if wrong else found)
