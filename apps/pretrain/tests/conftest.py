"""A cut of the sample and a pipeline that runs on it in a folder of its own, as a user's process would."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

APP = Path(__file__).parents[1]
SAMPLE = APP.parents[1] / "datasets" / "sample"
FIELDS = ("search",)
N_DOCUMENTS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """`uv run apps/pretrain` with a recipe on the cut sample, its runs in a folder of their own."""

    datasets: Path
    recipe: Path

    @property
    def run_folder(self) -> Path:
        return self.datasets / self.recipe.stem

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(APP), "--recipe", str(self.recipe), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "KO_SPARSE_DATASETS": str(self.datasets)},
            start_new_session=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def verb(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(APP), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KO_SPARSE_DATASETS": str(self.datasets)},
        )

    def change(self, **settings: object) -> None:
        """Changes settings of the recipe."""
        recipe = yaml.safe_load(self.recipe.read_text(encoding="utf-8"))
        self.recipe.write_text(yaml.safe_dump({**recipe, **settings}, allow_unicode=True), encoding="utf-8")

    def states(self) -> dict[str, str]:
        """How each stage ended the last time."""
        progress = json.loads((self.run_folder / "progress.json").read_text(encoding="utf-8"))
        return {stage["stage"]: stage["state"] for stage in progress["stages"]}

    def made(self, path: str) -> Path:
        return self.run_folder / path

    def log(self, stage: str) -> str:
        return (self.run_folder / "logs" / f"{stage}.log").read_text(encoding="utf-8")


def cut_sample(folder: Path) -> dict[str, object]:
    """Writes the first documents of a field and the queries that ask for them; returns the recipe's settings."""
    (folder / "documents").mkdir(parents=True)
    kept: set[str] = set()
    for field in FIELDS:
        lines = (SAMPLE / "documents" / f"{field}.jsonl").read_text(encoding="utf-8").splitlines()[:N_DOCUMENTS]
        (folder / "documents" / f"{field}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        kept |= {json.loads(line)["id"] for line in lines}
    qrels = (SAMPLE / "evaluation" / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()
    judged = [line for line in qrels[1:] if line.split("\t")[1].partition("#")[0] in kept]
    (folder / "evaluation" / "qrels").mkdir(parents=True)
    (folder / "evaluation" / "qrels" / "test.tsv").write_text("\n".join([qrels[0], *judged]) + "\n", encoding="utf-8")
    asked = {line.split("\t")[0] for line in judged}
    queries = (SAMPLE / "evaluation" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    held = [line for line in queries if json.loads(line)["_id"] in asked]
    (folder / "evaluation" / "queries.jsonl").write_text("\n".join(held) + "\n", encoding="utf-8")
    return {
        "documents": [str(folder / "documents")],
        "evaluation": str(folder / "evaluation"),
        "curated_synonyms": str(SAMPLE / "synonyms.jsonl"),
        "recorded_queries": str(SAMPLE / "recorded" / "queries.jsonl"),
        "recorded_verdicts": str(SAMPLE / "recorded" / "verdicts.jsonl"),
        "vocabulary": 2000,
        "dense_dimensions": 32,
        "train": {"steps": 12, "batch": 8},
    }


def make_pipeline(folder: Path) -> Pipeline:
    recipe = folder / "cut.yaml"
    recipe.write_text(yaml.safe_dump(cut_sample(folder / "cut"), allow_unicode=True), encoding="utf-8")
    (folder / "datasets").mkdir()
    return Pipeline(datasets=folder / "datasets", recipe=recipe)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline that has run once; tests leave it as they found it."""
    pipeline = make_pipeline(tmp_path_factory.mktemp("finished"))
    result = pipeline.run()
    assert result.returncode == 0, result.stderr
    return pipeline


@pytest.fixture
def pipeline(tmp_path: Path, finished: Pipeline) -> Pipeline:
    """A pipeline that has not run, with what `finished` made in its cache: DVC takes equal stages from there."""
    made = make_pipeline(tmp_path)
    shutil.copytree(finished.datasets / ".dvc" / "cache", made.datasets / ".dvc" / "cache")
    return made
