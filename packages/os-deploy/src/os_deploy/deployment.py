"""Deploys a recipe: checks, models, index, ingest, proof, and only then the alias.

Every step finds out what is there already, so the same command run again goes on after a failure and does nothing when
all is done.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from os_deploy._files import InputError, read_json, write_json
from os_deploy.bundles import Bundle, Part, read_bundles, the_bundle
from os_deploy.ceilings import Heaviest, check_ceilings, heaviest_of, raise_ceilings
from os_deploy.checks import check_folder
from os_deploy.cluster import Cluster, Done
from os_deploy.corpus import Corpus, Survey
from os_deploy.dense import read_dense
from os_deploy.findings import Finding, refuse_failures
from os_deploy.indices import Record, index_body, ingest_pipeline, search_pipelines
from os_deploy.ingest import Ingest
from os_deploy.models import ensure_model
from os_deploy.preflight import Facts, check_cluster, check_name_free, fix_settings, learn_facts
from os_deploy.prove.deployed import Proof
from os_deploy.prove.parity import predict
from os_deploy.recipe import Recipe
from os_deploy.vectors import check_title
from os_deploy.versions import mark_complete, next_version, read_versions, serve, serving_indices

MERGE_TIMEOUT_S = 3600.0
REPLICAS_TIMEOUT_S = 30
HEADROOM = 1.25
"""Between a ceiling and the largest weight of a sample of what the server's encoder makes: other texts weigh more."""


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
    query_encoder_id: str = ""
    """Of a second encoder, for queries alone; empty where there is none, as the other two."""
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
        heaviest = heaviest_known(survey, bundles)
        accepted = accepted_ceilings(read_versions(self.cluster, self.recipe.name))
        facts, settings_before = self._preflight(bundles, survey, heaviest, accepted=accepted)
        record, is_new = self._version(bundles, survey)
        if record.complete and serving_indices(self.cluster, self.recipe.name) == [record.index]:
            self.report(f"{record.index}: serves already, nothing to do")
            return self._deployment(record, settings_before=settings_before)
        record = self._with_models(record, bundles)
        recipe = self._with_ceilings(record, corpus, heaviest, accepted=accepted)
        record = with_ceilings(record, recipe)
        self._make_pipelines(record)
        if is_new:
            self._make_index(recipe, record, facts=facts)
        record, n_sent = self._fill(record, corpus, survey)
        proof = Proof(cluster=self.cluster, recipe=recipe, record=record, corpus=corpus, bundles=bundles).findings()
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
            query_encoder_id=record.query_encoder_id,
            tokenizer_id=record.tokenizer_id,
            settings_before=settings_before,
            proof=proof or [],
        )

    def _check_export(self) -> dict[Part, Bundle]:
        """The bundles that this recipe needs, checked."""
        folder = Path(self.recipe.export)
        refuse_failures(str(folder), check_folder(folder))
        bundles = read_bundles(folder)
        there = {bundle.part for bundle in bundles}
        return {part: the_bundle(bundles, part, folder) for part in needed_parts(self.recipe, there)}

    def _corpus(self, bundles: dict[Part, Bundle]) -> Corpus:
        vectors = Path(self.recipe.vectors) if self.recipe.vectors else None
        if vectors is not None:
            check_title(vectors, title=self.recipe.title)
        tokenizer = next(iter(bundles.values())).tokenizer
        return Corpus(
            passages=Path(self.recipe.passages),
            vectors=vectors,
            tokenizer=tokenizer,
            field=self.recipe.field,
            dense=read_dense(Path(self.recipe.dense), "document") if self.recipe.dense else None,
        )

    def _preflight(
        self, bundles: dict[Part, Bundle], survey: Survey, heaviest: Heaviest, *, accepted: Heaviest
    ) -> tuple[Facts, dict[str, str]]:
        encoders = [bundle for bundle in bundles.values() if bundle.encodes]
        needs_models = bool(encoders) or self.recipe.query == "tokenizer"
        facts, before = learn_facts(self.cluster), {}
        if self.may_fix_settings and needs_models:
            before = self._fix_settings(facts)
            facts = learn_facts(self.cluster)
        findings = check_cluster(
            facts,
            needs_models=needs_models,
            field=self.recipe.field,
            n_bytes=survey.n_bytes,
            encoder_bytes=sum(bundle.zip_path.stat().st_size for bundle in encoders),
        )
        if not self.may_fix_settings:
            findings += check_ceilings(self.recipe, heaviest, accepted=accepted)
        name = self.recipe.name
        there = self.cluster.get(f"/_resolve/index/{name}", dict[str, list[dict[str, object]]])
        findings.append(check_name_free(self.cluster, name, [str(i["name"]) for i in there["indices"]]))
        refuse_failures(self.cluster.url, findings)
        return facts, before

    def _fix_settings(self, facts: Facts) -> dict[str, str]:
        """Changes what is in the way; what was there before the first of several runs is what is kept."""
        kept = self.work / "settings_before.json"
        before = fix_settings(self.cluster, facts)
        for name, value in before.items():
            self.report(f"cluster setting {name} changed; it was {value or 'unset'}")
        before |= read_json(kept, dict[str, str]) if kept.is_file() else {}
        if before:
            write_json(kept, before)
        return before

    def _version(self, bundles: dict[Part, Bundle], survey: Survey) -> tuple[Record, bool]:
        """The version with this very content, finished or not, or else the next one; whether it is new."""
        fingerprint = fingerprint_of(self.recipe, survey, bundles)
        versions = read_versions(self.cluster, self.recipe.name)
        same = [r for r in versions if r.fingerprint == fingerprint]
        if same:
            return same[-1], False
        tokenizer = bundles.get("tokenizer")
        record = Record(
            name=self.recipe.name,
            version=next_version(versions, self.cluster, self.recipe.name),
            fingerprint=fingerprint,
            field=self.recipe.field,
            query=self.recipe.query,
            n_passages=survey.n_passages,
            tokenizer_sha256=tokenizer.config.model_content_hash_value if tokenizer else "",
            server_encodes=self.recipe.vectors is None,
            title=self.recipe.title,
            dense_dimensions=survey.dense_dimensions,
        )
        return record, True

    def _with_models(self, record: Record, bundles: dict[Part, Bundle]) -> Record:
        ids: dict[Part, str] = {}
        for part, bundle in bundles.items():
            if bundle.encodes or self.recipe.query == "tokenizer":
                ids[part] = ensure_model(self.cluster, bundle, work=self.work, report=self.report)
        return msgspec.structs.replace(
            record,
            encoder_id=ids.get("encoder", ""),
            query_encoder_id=ids.get("query_encoder", ""),
            tokenizer_id=ids.get("tokenizer", ""),
        )

    def _make_pipelines(self, record: Record) -> None:
        for name, body in search_pipelines(self.recipe).items():
            self.cluster.put(f"/_search/pipeline/{name}", body=body)
        if record.server_encodes:
            self.cluster.put(f"/_ingest/pipeline/{record.index}", body=ingest_pipeline(self.recipe, record.encoder_id))

    def _with_ceilings(self, record: Record, corpus: Corpus, heaviest: Heaviest, *, accepted: Heaviest) -> Recipe:
        """The recipe with the ceilings that the index has, or with ones that cut nothing where it is still to be made.

        InputError where they are above the recipe's and all that were accepted before. What the server's encoder will
        make is not known before it is there: some passages are encoded to see.
        """
        if self.recipe.field != "sparse_vector":
            return self.recipe
        if record.document_ceiling:
            held = msgspec.structs.replace(
                self.recipe.seismic,
                quantization_ceiling_ingest=record.document_ceiling,
                quantization_ceiling_search=record.query_ceiling,
            )
            return msgspec.structs.replace(self.recipe, seismic=held)
        _, query_model = record.query_model
        heaviest = Heaviest(
            document=self._guessed(record.encoder_id, corpus) if record.server_encodes else heaviest.document,
            query=self._guessed(query_model, corpus) if record.query == "encoder" else heaviest.query,
        )
        if not self.may_fix_settings:
            refuse_failures(f"{record.index}: not made", check_ceilings(self.recipe, heaviest, accepted=accepted))
        raised = raise_ceilings(self.recipe.seismic, heaviest)
        ceilings = f"{raised.quantization_ceiling_ingest:g} and {raised.quantization_ceiling_search:g}"
        self.report(f"{record.index}: weights are kept in 255 steps up to {ceilings} (documents and queries)")
        return msgspec.structs.replace(self.recipe, seismic=raised)

    def _guessed(self, encoder_id: str, corpus: Corpus) -> float:
        """The largest weight that the server's encoder makes of a sample of passages, and some room above it."""
        texts = [passage.encoded(title=self.recipe.title) for passage, _ in corpus.sample(self.recipe.parity_texts)]
        return HEADROOM * heaviest_of(predict(self.cluster, encoder_id, "SPARSE_ENCODING", texts))

    def _make_index(self, recipe: Recipe, record: Record, *, facts: Facts) -> None:
        body = index_body(recipe, record, korean=facts.korean)
        # a node lost before the replicas are there takes its shards with it
        made = self.cluster.ask(
            "PUT", f"/{record.index}?wait_for_active_shards=all&timeout={REPLICAS_TIMEOUT_S}s", _Made, body=body
        )
        if not made.shards_acknowledged:
            self.report(f"{record.index}: not all of {self.recipe.replicas} replicas found a node; going on without")
        self.report(f"{record.index}: made with a {record.field} field and {facts.korean}")

    def _fill(self, record: Record, corpus: Corpus, survey: Survey) -> tuple[Record, int]:
        """Sends what is not there yet; the record with what that took, and how many were sent."""
        if record.complete:
            return record, 0
        began = time.monotonic()
        ingest = Ingest(
            cluster=self.cluster,
            index=record.index,
            work=self.work,
            workers=self.recipe.ingest.workers,
            batch_bytes=self.recipe.ingest.batch_bytes,
            report=self.report,
        )
        n_sent = ingest.run(corpus.documents, survey.n_passages)
        sent = time.monotonic()
        self.cluster.put(f"/{record.index}/_settings", body={"index": {"refresh_interval": None}})
        merge = f"/{record.index}/_forcemerge?max_num_segments={self.recipe.ingest.segments}"
        self.cluster.ask("POST", merge, Done, timeout_s=MERGE_TIMEOUT_S)
        self.cluster.post(f"/{record.index}/_refresh", Done)
        if n_sent < survey.n_passages:
            return record, n_sent
        took = {"ingest_s": round(sent - began, 3), "merge_s": round(time.monotonic() - sent, 3)}
        return msgspec.structs.replace(record, **took), n_sent


def needed_parts(recipe: Recipe, there: Collection[Part]) -> list[Part]:
    """Which models a recipe needs of those in its export, the one that makes keys of vectors first.

    A model with a second encoder for queries is asked through that one.

    >>> recipe = Recipe(name="docs", export="e", passages="p", vectors="v", query="encoder")
    >>> needed_parts(recipe, ["encoder", "query_encoder"]), needed_parts(recipe, ["encoder"])
    (['query_encoder'], ['encoder'])
    """
    if recipe.query != "encoder" and "tokenizer" not in there:
        raise InputError(
            f"{recipe.export}: found no SPARSE_TOKENIZE zip, wanted one for `query: {recipe.query}`: this model "
            f"encodes its queries, so set `query: encoder` in the recipe"
        )
    encodes: Part = "query_encoder" if "query_encoder" in there else "encoder"
    parts: list[Part] = [encodes if recipe.query == "encoder" else "tokenizer"]
    if recipe.vectors is None and "encoder" not in parts:
        parts.append("encoder")
    return parts


def heaviest_known(survey: Survey, bundles: Mapping[Part, Bundle]) -> Heaviest:
    """The largest weights that the files tell: of vectors made by the client, and of `idf.json`."""
    tokenizer = bundles.get("tokenizer")
    return Heaviest(document=survey.max_weight, query=max(tokenizer.idf.values(), default=0.0) if tokenizer else 0.0)


def accepted_ceilings(versions: Collection[Record]) -> Heaviest:
    """The highest ceilings of the versions that are there: what was accepted once needs no flag again."""
    return Heaviest(
        document=max((r.document_ceiling for r in versions), default=0.0),
        query=max((r.query_ceiling for r in versions), default=0.0),
    )


def with_ceilings(record: Record, recipe: Recipe) -> Record:
    """The record with the ceilings of a recipe with a `sparse_vector` field; others have none."""
    if recipe.field != "sparse_vector":
        return record
    document, query = recipe.seismic.quantization_ceiling_ingest, recipe.seismic.quantization_ceiling_search
    return msgspec.structs.replace(record, document_ceiling=document, query_ceiling=query)


def fingerprint_of(recipe: Recipe, survey: Survey, bundles: dict[Part, Bundle]) -> str:
    """sha256 of all that decides what an index holds: not of how it is sent, proved or asked in hybrids."""
    parts: dict[str, object] = {
        "input": survey.sha256,
        "models": sorted(b.config.model_content_hash_value for b in bundles.values()),
        "index": [recipe.field, recipe.query, recipe.shards, recipe.replicas],
        "seismic": recipe.seismic if recipe.field == "sparse_vector" else None,
        "encode": None if recipe.vectors else [recipe.encode, recipe.title],
        "synonyms": Path(recipe.synonyms).read_text(encoding="utf-8") if recipe.synonyms else None,
    }
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def work_folder(recipe_path: Path, name: str) -> Path:
    """Where a deployment's progress lies: beside its recipe."""
    return recipe_path.parent / f".{name}.work"
