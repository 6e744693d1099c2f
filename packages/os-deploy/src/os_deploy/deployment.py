"""Deploys a recipe: checks, models, index, ingest, proof, and only then the alias.

Every step finds out what is there already, so the same command run again goes on after a failure and does nothing when
all is done.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from os_deploy._files import write_json
from os_deploy.bundles import Bundle, FunctionName, read_bundles, the_bundle
from os_deploy.checks import check_folder
from os_deploy.cluster import Cluster, Done
from os_deploy.corpus import Corpus, Survey
from os_deploy.findings import Finding, Requirement, read_inspection, refuse_failures
from os_deploy.indices import Record, index_body, ingest_pipeline, search_pipelines, vector_keys
from os_deploy.ingest import Ingest, count
from os_deploy.models import ensure_model
from os_deploy.passages import read_qrels, read_queries
from os_deploy.preflight import Facts, check_cluster, check_name_free, fix_settings, learn_facts
from os_deploy.prove.parity import Parity
from os_deploy.prove.ranking import mean_ndcg
from os_deploy.recipe import Recipe
from os_deploy.searching import Searcher, Weigh, local_weigher
from os_deploy.versions import mark_complete, next_version, read_versions, serve, serving_indices

MERGE_TIMEOUT_S = 3600.0
REPLICAS_TIMEOUT_S = 30

QUALITY = Requirement(
    check="quality",
    wanted="nDCG@10 not below the serving version's by more than max_loss",
    why="the alias moves users to it",
)
COUNT = Requirement(check="count", wanted="as many documents as passages", why="some would never be found")


class _Made(msgspec.Struct, frozen=True):
    shards_acknowledged: bool = True


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment came to."""

    name: str
    index: str
    version: int
    field: str
    n_passages: int
    n_sent: int
    """Passages sent by this run; 0 where all was there."""
    replaced: list[str]
    """Indices that served before."""
    encoder_id: str
    tokenizer_id: str
    settings_before: dict[str, str]
    """Cluster settings that this run changed, as they were."""
    proof: list[Finding]


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """One deployment of one recipe to one cluster."""

    cluster: Cluster
    recipe: Recipe
    work: Path
    """A folder for progress, which outlives a failure."""
    may_fix_settings: bool
    report: Callable[[str], None]

    def run(self) -> Deployment:
        """Does what is left to do and returns what then serves."""
        bundles = self._check_export()
        corpus = self._corpus(bundles)
        survey = corpus.survey()
        facts, settings_before = self._preflight(bundles, survey)
        record, is_new = self._version(bundles, survey)
        if record.complete and serving_indices(self.cluster, self.recipe.name) == [record.index]:
            self.report(f"{record.index}: serves already, nothing to do")
            return self._deployment(record, settings_before=settings_before)
        record = self._with_models(record, bundles)
        self._make_pipelines(record)
        if is_new:
            self._make_index(record, bundles, facts=facts, survey=survey)
        n_sent = self._fill(record, corpus, survey)
        proof = self._prove(record, corpus, bundles)
        refuse_failures(f"{record.index}: the alias {record.name} was not moved", proof)
        record = mark_complete(self.cluster, record)
        replaced = serve(self.cluster, record)
        self.report(f"{record.name} is served by {record.index}")
        return self._deployment(record, n_sent=n_sent, replaced=replaced, settings_before=settings_before, proof=proof)

    def _deployment(
        self,
        record: Record,
        *,
        settings_before: dict[str, str],
        n_sent: int = 0,
        replaced: list[str] | None = None,
        proof: list[Finding] | None = None,
    ) -> Deployment:
        return Deployment(
            name=record.name,
            index=record.index,
            version=record.version,
            field=record.field,
            n_passages=record.n_passages,
            n_sent=n_sent,
            replaced=replaced or [],
            encoder_id=record.encoder_id,
            tokenizer_id=record.tokenizer_id,
            settings_before=settings_before,
            proof=proof or [],
        )

    def _check_export(self) -> dict[FunctionName, Bundle]:
        """The bundles that this recipe needs, checked."""
        folder = Path(self.recipe.export)
        refuse_failures(str(folder), check_folder(folder))
        report = folder / "inspection.json"
        if report.is_file():
            refuse_failures(str(report), read_inspection(report).checks)
        bundles = read_bundles(folder)
        return {name: the_bundle(bundles, name, folder) for name in needed_functions(self.recipe)}

    def _corpus(self, bundles: dict[FunctionName, Bundle]) -> Corpus:
        vectors = Path(self.recipe.vectors) if self.recipe.vectors else None
        tokenizer = next(iter(bundles.values())).tokenizer
        return Corpus(
            passages=Path(self.recipe.passages), vectors=vectors, tokenizer=tokenizer, field=self.recipe.field
        )

    def _preflight(self, bundles: dict[FunctionName, Bundle], survey: Survey) -> tuple[Facts, dict[str, str]]:
        encoder = bundles.get("SPARSE_ENCODING")
        needs_models = encoder is not None or self.recipe.query == "tokenizer"
        before: dict[str, str] = {}
        facts = learn_facts(self.cluster)
        if self.may_fix_settings and needs_models:
            before = fix_settings(self.cluster, facts)
            facts = learn_facts(self.cluster)
            write_json(self.work / "settings_before.json", before)
        findings = check_cluster(
            facts,
            needs_models=needs_models,
            field=self.recipe.field,
            n_bytes=survey.n_bytes,
            encoder_bytes=encoder.zip_path.stat().st_size if encoder else 0,
        )
        name = self.recipe.name
        there = self.cluster.get(f"/_resolve/index/{name}", dict[str, list[dict[str, object]]])
        findings.append(check_name_free(self.cluster, name, [str(i["name"]) for i in there["indices"]]))
        refuse_failures(self.cluster.url, findings)
        return facts, before

    def _version(self, bundles: dict[FunctionName, Bundle], survey: Survey) -> tuple[Record, bool]:
        """The version with this very content, finished or not, or else the next one; whether it is new."""
        fingerprint = fingerprint_of(self.recipe, survey, bundles)
        versions = read_versions(self.cluster, self.recipe.name)
        same = [r for r in versions if r.fingerprint == fingerprint]
        if same:
            return same[-1], False
        tokenizer = bundles.get("SPARSE_TOKENIZE")
        record = Record(
            name=self.recipe.name,
            version=next_version(versions, self.cluster, self.recipe.name),
            fingerprint=fingerprint,
            field=self.recipe.field,
            query=self.recipe.query,
            n_passages=survey.n_passages,
            tokenizer_sha256=tokenizer.config.model_content_hash_value if tokenizer else "",
            server_encodes=self.recipe.vectors is None,
        )
        return record, True

    def _with_models(self, record: Record, bundles: dict[FunctionName, Bundle]) -> Record:
        ids: dict[FunctionName, str] = {}
        for function, bundle in bundles.items():
            if function == "SPARSE_ENCODING" or self.recipe.query == "tokenizer":
                ids[function] = ensure_model(self.cluster, bundle, work=self.work, report=self.report)
        return msgspec.structs.replace(
            record, encoder_id=ids.get("SPARSE_ENCODING", ""), tokenizer_id=ids.get("SPARSE_TOKENIZE", "")
        )

    def _make_pipelines(self, record: Record) -> None:
        for name, body in search_pipelines(self.recipe).items():
            self.cluster.put(f"/_search/pipeline/{name}", body=body)
        if record.server_encodes:
            self.cluster.put(f"/_ingest/pipeline/{record.index}", body=ingest_pipeline(self.recipe, record.encoder_id))

    def _make_index(self, record: Record, bundles: dict[FunctionName, Bundle], *, facts: Facts, survey: Survey) -> None:
        tokenizer = bundles.get("SPARSE_TOKENIZE")
        heaviest = max(tokenizer.idf.values()) if tokenizer else 0.0
        body = index_body(
            self.recipe, record, korean=facts.korean, max_weight=survey.max_weight, max_query_weight=heaviest
        )
        # a node lost before the replicas are there takes its shards with it
        made = self.cluster.ask(
            "PUT", f"/{record.index}?wait_for_active_shards=all&timeout={REPLICAS_TIMEOUT_S}s", _Made, body=body
        )
        if not made.shards_acknowledged:
            self.report(f"{record.index}: not all of {self.recipe.replicas} replicas found a node; going on without")
        self.report(f"{record.index}: made with a {record.field} field and {facts.korean}")

    def _fill(self, record: Record, corpus: Corpus, survey: Survey) -> int:
        if record.complete:
            return 0
        ingest = Ingest(
            cluster=self.cluster,
            index=record.index,
            work=self.work,
            workers=self.recipe.ingest.workers,
            batch_bytes=self.recipe.ingest.batch_bytes,
            report=self.report,
        )
        n_sent = ingest.run(corpus.documents, survey.n_passages)
        self.cluster.put(f"/{record.index}/_settings", body={"index": {"refresh_interval": None}})
        merge = f"/{record.index}/_forcemerge?max_num_segments={self.recipe.ingest.segments}"
        self.cluster.ask("POST", merge, Done, timeout_s=MERGE_TIMEOUT_S)
        self.cluster.post(f"/{record.index}/_refresh", Done)
        return n_sent

    def _prove(self, record: Record, corpus: Corpus, bundles: dict[FunctionName, Bundle]) -> list[Finding]:
        found = count(self.cluster, record.index)
        findings = [COUNT.met(found == record.n_passages, f"{found} of {record.n_passages}")]
        rows = list(islice(corpus.rows(), self.recipe.parity_texts))
        weigh = weigher_of(bundles)
        parity = Parity(
            cluster=self.cluster, encoder_id=record.encoder_id, tokenizer_id=record.tokenizer_id, weigh=weigh
        )
        if record.tokenizer_id and weigh:
            findings.append(parity.check_queries([passage.text for passage, _ in rows]))
        if record.encoder_id and self.recipe.vectors:
            keys = corpus.tokenizer.keys
            local = {p.doc_id: vector_keys("rank_features", keys, v.weights) for p, v in rows if v is not None}
            findings.append(parity.check_documents({p.doc_id: p.text for p, _ in rows}, local))
        if self.recipe.gate is not None:
            findings += self._check_quality(
                record, Searcher(cluster=self.cluster, record=record, weigh=weigh, keys=corpus.tokenizer.keys)
            )
        return findings

    def _check_quality(self, record: Record, new: Searcher) -> list[Finding]:
        """nDCG@10 of the new version against the one that serves; nothing to compare before the first."""
        gate = self.recipe.gate
        serving = serving_indices(self.cluster, record.name)
        old = [r for r in read_versions(self.cluster, record.name) if r.index in serving and r.index != record.index]
        if gate is None or not old:
            return []
        qrels = read_qrels(Path(gate.qrels))
        queries = [q for q in read_queries(Path(gate.queries)) if q.query_id in qrels]
        before, after = (
            mean_ndcg({q.query_id: searcher.scores(q.text) for q in queries}, qrels)
            for searcher in (Searcher(cluster=self.cluster, record=old[0], weigh=new.weigh, keys=new.keys), new)
        )
        return [QUALITY.met(after >= before - gate.max_loss, f"{after:.4f} against {before:.4f} of {old[0].index}")]


def needed_functions(recipe: Recipe) -> list[FunctionName]:
    """Which models a recipe needs, the one that makes keys of vectors first."""
    encoder: list[FunctionName] = ["SPARSE_ENCODING"] if recipe.vectors is None or recipe.query == "encoder" else []
    tokenizer: list[FunctionName] = ["SPARSE_TOKENIZE"] if recipe.query != "encoder" else []
    return tokenizer + encoder


def weigher_of(bundles: dict[FunctionName, Bundle]) -> Weigh | None:
    """How the client weighs queries: None for a symmetric model, which only the server runs."""
    tokenizer = bundles.get("SPARSE_TOKENIZE")
    return local_weigher(tokenizer.tokenizer, tokenizer.idf) if tokenizer else None


def fingerprint_of(recipe: Recipe, survey: Survey, bundles: dict[FunctionName, Bundle]) -> str:
    """sha256 of all that decides what an index holds: not of how it is sent, proved or asked in hybrids."""
    parts: dict[str, object] = {
        "input": survey.sha256,
        "models": sorted(b.config.model_content_hash_value for b in bundles.values()),
        "index": [recipe.field, recipe.query, recipe.shards, recipe.replicas],
        "seismic": recipe.seismic if recipe.field == "sparse_vector" else None,
        "encode": None if recipe.vectors else recipe.encode,
        "synonyms": Path(recipe.synonyms).read_text(encoding="utf-8") if recipe.synonyms else None,
    }
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def work_folder(recipe_path: Path, name: str) -> Path:
    """Where a deployment's progress lies: beside its recipe."""
    return recipe_path.parent / f".{name}.work"
