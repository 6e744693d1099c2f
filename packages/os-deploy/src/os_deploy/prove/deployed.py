"""What a new version must prove before the alias moves to it: everything is there, and answers as it does locally."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from os_deploy.bundles import Bundle, Part
from os_deploy.ceilings import Heaviest, check_ceilings, heaviest_of
from os_deploy.cluster import Cluster
from os_deploy.corpus import Corpus
from os_deploy.findings import Finding, Requirement
from os_deploy.indices import Record, vector_keys
from os_deploy.ingest import IDS_AT_ONCE, count
from os_deploy.passages import Passage, read_passages, read_qrels, read_queries, titles
from os_deploy.prove.parity import Parity, check_ranking, indexed_vectors, predict, server_weigher
from os_deploy.prove.ranking import mean_ndcg
from os_deploy.recipe import Recipe
from os_deploy.searching import Searcher, Weigh, local_weigher
from os_deploy.tokens import ServerTokenizer
from os_deploy.vectors import Vector
from os_deploy.versions import read_versions, serving_indices

QUALITY = Requirement(
    check="quality",
    wanted="nDCG@10 not below the serving version's by more than max_loss",
    why="the alias moves users to it",
)
COUNT = Requirement(check="count", wanted="as many documents as passages", why="some would never be found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The proof of one version, filled but not serving yet."""

    cluster: Cluster
    recipe: Recipe
    """With the ceilings that the index has."""
    record: Record
    corpus: Corpus
    bundles: Mapping[Part, Bundle]

    def findings(self) -> list[Finding]:
        """All that can be compared for this recipe: the server is asked, the files say what is right."""
        found = count(self.cluster, self.record.index)
        findings = [COUNT.met(found == self.record.n_passages, f"{found} of {self.record.n_passages}")]
        sample = self.corpus.sample(self.recipe.parity_texts)
        if sample:
            findings += self._compare([passage for passage, _ in sample], [vector for _, vector in sample])
        if self.record.server_encodes and self.recipe.field == "sparse_vector":
            findings += check_ceilings(self.recipe, Heaviest(document=self._heaviest_indexed()))[:1]
        return findings + self._check_quality()

    def _compare(self, passages: list[Passage], vectors: list[Vector | None]) -> list[Finding]:
        """Query weights, document vectors, what the index was given, and rankings."""
        weigh, rows = self._weigher(self.record), list(zip(passages, vectors, strict=True))
        parity = Parity(
            cluster=self.cluster,
            encoder_id=self.record.encoder_id,
            tokenizer_id=self.record.tokenizer_id,
            weigh=weigh,
        )
        texts = {passage.doc_id: passage.encoded(title=self.record.title) for passage in passages}
        local = dict(self.corpus.weights(rows))
        findings = []
        if self.record.tokenizer_id and weigh:
            findings.append(parity.check_queries(list(texts.values())))
        if self.record.encoder_id and local:
            findings.append(parity.check_documents(texts, local))
        findings.append(parity.check_indexed(self.record.index, self._expected(texts, rows)))
        if local and weigh:
            findings.append(
                check_ranking(
                    self._searcher(self.record),
                    titles(passages),
                    self.corpus.weights(self.corpus.rows()),
                    min_overlap=self.recipe.seismic.min_overlap,
                )
            )
        return findings

    def _expected(
        self, texts: Mapping[str, str], rows: list[tuple[Passage, Vector | None]]
    ) -> dict[str, dict[str, float]]:
        """The vectors that the index must have been given: the file's, or the server's own, pruned as on ingest."""
        field, tokenizer = self.record.field, self.corpus.tokenizer
        if not self.record.server_encodes:
            return {p.doc_id: vector_keys(field, tokenizer.keys, v.weights) for p, v in rows if v is not None}
        made = predict(self.cluster, self.record.encoder_id, "SPARSE_ENCODING", list(texts.values()))
        pruned = [prune(vector, self.recipe.encode.prune_ratio) for vector in made]
        return {d: _keyed(field, tokenizer, vector) for d, vector in zip(texts, pruned, strict=True)}

    def _heaviest_indexed(self) -> float:
        """The largest weight that the server's encoder gave any passage; reads all of them."""
        heaviest, doc_ids = 0.0, [passage.doc_id for passage in read_passages(self.corpus.passages)]
        for start in range(0, len(doc_ids), IDS_AT_ONCE):
            held = indexed_vectors(self.cluster, self.record.index, doc_ids[start : start + IDS_AT_ONCE])
            heaviest = max(heaviest, heaviest_of(list(held.values())))
        return heaviest

    def _searcher(self, record: Record) -> Searcher:
        keys = self.corpus.tokenizer.keys
        return Searcher(cluster=self.cluster, record=record, weigh=self._weigher(record), keys=keys)

    def _weigher(self, record: Record) -> Weigh | None:
        """How queries are weighed: by `idf.json` here, or by the model on the server that encodes them."""
        tokenizer = self.bundles.get("tokenizer")
        return local_weigher(tokenizer.tokenizer, tokenizer.idf) if tokenizer else server_weigher(self.cluster, record)

    def _check_quality(self) -> list[Finding]:
        """nDCG@10 of the new version against the one that serves; nothing to compare before the first."""
        gate, record = self.recipe.gate, self.record
        serving = serving_indices(self.cluster, record.name)
        old = [r for r in read_versions(self.cluster, record.name) if r.index in serving and r.index != record.index]
        if gate is None or not old:
            return []
        qrels = read_qrels(Path(gate.qrels))
        queries = [q for q in read_queries(Path(gate.queries)) if q.query_id in qrels]
        before, after = (
            mean_ndcg({q.query_id: searcher.scores(q.text) for q in queries}, qrels)
            for searcher in (self._searcher(old[0]), self._searcher(record))
        )
        return [QUALITY.met(after >= before - gate.max_loss, f"{after:.4f} against {before:.4f} of {old[0].index}")]


def prune(vector: Mapping[str, float], ratio: float) -> dict[str, float]:
    """The weights of at least `ratio` of the largest, as the `max_ratio` of an ingest pipeline keeps them.

    >>> prune({"검색": 2.0, "희소": 0.2, "색인": 0.1}, 0.1)
    {'검색': 2.0, '희소': 0.2}
    """
    least = ratio * max(vector.values(), default=0.0)
    return {token: weight for token, weight in vector.items() if weight >= least}


def _keyed(field: str, tokenizer: ServerTokenizer, vector: Mapping[str, float]) -> dict[str, float]:
    ids = {key: token_id for token_id, key in tokenizer.keys.items()} if field == "sparse_vector" else {}
    return {str(ids.get(token, token)): weight for token, weight in vector.items()}
