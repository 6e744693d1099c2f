"""The whole pipeline on a cut of the sample: what it makes, what it skips, and what it says when something is wrong."""

import json
from pathlib import Path

import pytest
from os_deploy.bundles import read_bundles
from os_deploy.checks import check_folder
from os_deploy.corpus import Corpus
from os_deploy.recipe import read_recipe

from .conftest import Pipeline

PROMISED = [
    "base_model/documents.jsonl",
    "base_model/passages/corpus.jsonl",
    "base_model/qd_pairs_base.jsonl",
    "base_model/idf.json",
    "base_model/trend_keywords.json",
    "base_model/bilingual_synonyms.json",
    "base_model/neural_sparse_v1_model/modules.json",
    "llm_generated/synthetic_qd_pairs.jsonl",
    "llm_generated/synonym_verdicts.jsonl",
    "llm_generated/enhanced_synonyms.json",
    "llm_generated/generation_metadata.json",
    "neural_sparse_training/train.jsonl",
    "neural_sparse_training/val.jsonl",
    "neural_sparse_training/embeddings/document_embeddings.npy",
    "neural_sparse_training/embeddings/query_embeddings.npy",
    "neural_sparse_training/faiss_index.bin",
    "neural_sparse_training/metadata.json",
    "enhanced_model/neural_sparse_v2_model/modules.json",
    "enhanced_model/training_history.json",
    "enhanced_model/performance_comparison.json",
    "evaluation/v1_metrics.json",
    "evaluation/v2_metrics.json",
    "evaluation/comparison_plots/quality.png",
    "evaluation/comparison_plots/by_slice.png",
    "evaluation/comparison_plots/efficiency.png",
    "evaluation/report.html",
    "deploy/encoder.zip",
    "deploy.yaml",
    "metadata.json",
    "progress.json",
]


@pytest.mark.parametrize("path", PROMISED)
def test_a_run_makes(finished: Pipeline, path: str) -> None:
    assert finished.made(path).stat().st_size > 0


def test_the_comparison_holds_seven_systems_and_every_slice(finished: Pipeline) -> None:
    comparison = json.loads(finished.made("enhanced_model/performance_comparison.json").read_text(encoding="utf-8"))
    assert comparison["systems"] == ["bm25-words", "bm25-kiwi", "dense", "bm25+dense", "v1", "v2", "bm25+v2"]
    assert {"all", "lang=ko", "lang=en", "lang=mixed"} <= {row["slice"] for row in comparison["rows"]}


def test_deploy_yaml_can_be_deployed_as_it_stands(finished: Pipeline) -> None:
    recipe = read_recipe(finished.made("deploy.yaml"))
    assert (recipe.name, recipe.query, recipe.title) == ("cut", "tokenizer", True)
    assert recipe.vectors is not None
    assert recipe.gate is not None
    assert Path(recipe.gate.queries).is_file()
    assert Path(recipe.gate.qrels).is_file()
    assert all(finding.ok for finding in check_folder(Path(recipe.export)))
    tokenizer = read_bundles(Path(recipe.export))[0].tokenizer
    corpus = Corpus(
        passages=Path(recipe.passages), vectors=Path(recipe.vectors), tokenizer=tokenizer, field=recipe.field
    )
    passages = finished.made("base_model/passages/corpus.jsonl").read_text(encoding="utf-8").splitlines()
    assert corpus.survey().n_passages == len(passages)


def test_a_second_run_does_nothing_and_prints_the_table_again(finished: Pipeline) -> None:
    result = finished.run()
    assert set(finished.states().values()) == {"unchanged"}
    assert "bm25-kiwi" in result.stdout
    assert "v2" in result.stdout


def test_status_says_what_a_new_learning_rate_would_run_again(finished: Pipeline) -> None:
    before = finished.recipe.read_text(encoding="utf-8")
    try:
        finished.change(train={"steps": 12, "batch": 8, "learning_rate": 1.0e-3})
        lines = finished.verb("status", "--recipe", str(finished.recipe)).stdout.splitlines()
    finally:
        finished.recipe.write_text(before, encoding="utf-8")
        finished.verb("status", "--recipe", str(finished.recipe))
    would_run = [line.split()[1] for line in lines if "would run" in line]
    assert would_run == ["v1", "v2"]


def test_a_corrupt_line_is_named_and_earlier_outputs_stay(finished: Pipeline) -> None:
    source = next((finished.recipe.parent / "cut" / "documents").iterdir())
    text, before = source.read_text(encoding="utf-8"), finished.made("base_model/documents.jsonl").read_bytes()
    lines = text.splitlines(keepends=True)
    source.write_text("".join([*lines[:16], '{"id": "broken"\n', *lines[17:]]), encoding="utf-8")
    try:
        result = finished.run()
    finally:
        source.write_text(text, encoding="utf-8")
    assert result.returncode == 1
    assert f"{source.name}:17: " in result.stderr
    assert "Traceback" not in result.stderr
    assert finished.made("base_model/documents.jsonl").read_bytes() == before


def test_a_missing_input_names_the_file(pipeline: Pipeline) -> None:
    pipeline.change(curated_synonyms="nowhere.jsonl")
    result = pipeline.run("--until", "synonyms")
    assert result.returncode == 1
    assert "nowhere.jsonl, which does not exist" in result.stderr


def test_an_earlier_version_comes_back_by_one_command(pipeline: Pipeline) -> None:
    pipeline.change(stages=dict.fromkeys(LATE))
    pipeline.run()
    first = pipeline.made("base_model/qd_pairs_base.jsonl").read_bytes()
    pipeline.change(pairs="title")
    pipeline.run()
    assert pipeline.made("base_model/qd_pairs_base.jsonl").read_bytes() != first
    restored = pipeline.verb("restore", "0001", "--run", pipeline.recipe.stem)
    assert restored.returncode == 0, restored.stderr
    assert pipeline.made("base_model/qd_pairs_base.jsonl").read_bytes() == first


def test_a_run_goes_on_from_a_model_with_its_tokenizer_and_an_idf_that_the_same_corpus_leaves_as_it_was(
    pipeline: Pipeline, finished: Pipeline
) -> None:
    start = finished.made("enhanced_model/neural_sparse_v2_model")
    pipeline.change(model={"start_from": str(start)}, train={"steps": 2, "batch": 8})
    result = pipeline.run("--until", "v1")
    assert result.returncode == 0, result.stderr
    tokenizer = pipeline.made("base_model/tokenizer/tokenizer.json").read_bytes()
    assert tokenizer == (start / "document_0_Transformer" / "tokenizer.json").read_bytes()
    before, after = (json.loads(pipeline.made(f"base_model/{n}.json").read_bytes()) for n in ("start_idf", "idf"))
    assert before.keys() == after.keys()
    assert after == pytest.approx(before, abs=1e-5)
    assert pipeline.made("base_model/neural_sparse_v1_model/modules.json").is_file()


def test_clean_removes_a_stage_s_outputs_and_it_runs_again(pipeline: Pipeline) -> None:
    pipeline.change(stages=dict.fromkeys(LATE))
    pipeline.run()
    cleaned = pipeline.verb("clean", "pairs", "--run", pipeline.recipe.stem, "--yes")
    assert cleaned.returncode == 0, cleaned.stderr
    assert not pipeline.made("base_model/qd_pairs_base.jsonl").exists()
    pipeline.run()
    assert pipeline.states()["pairs"] == "done"
    assert pipeline.states()["chunk"] == "unchanged"


LATE = [
    *("synonyms", "mix", "tokenizer", "idf", "embed", "mine", "v1", "generate", "judge_terms", "enrich", "v2"),
    *("encode", "search", "compare", "export", "deployment"),
]
"""Stages that a test of the first ones leaves out."""
