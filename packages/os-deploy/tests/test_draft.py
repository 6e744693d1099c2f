"""A drafted recipe is one that `deploy` takes as it stands."""

import json
from pathlib import Path

import pytest
from exports import encode_queries, write_export, write_passages, write_recipe, write_vectors
from os_deploy import InputError
from os_deploy.draft import Draft, Gate
from os_deploy.recipe import Recipe, read_recipe
from test_cli import os_deploy


def write_files(folder: Path) -> None:
    """An export, and elsewhere passages and vectors that were made of titles and texts, with judged queries."""
    write_export(folder / "deploy")
    write_vectors(folder / "evaluation.vectors.jsonl", write_passages(folder / "base/passages", 8))
    outputs = [{"path": "evaluation.vectors.jsonl", "format": "vectors", "version": 1}]
    manifest = {"outputs": outputs, "parameters": {"title": True}}
    (folder / "evaluation.vectors.jsonl.manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"_id":"q-1","text":"도서관"}\n', encoding="utf-8")
    (folder / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq-1\tdoc-0#2\t1\n", encoding="utf-8")


def test_what_is_known_is_written_and_the_rest_are_defaults(tmp_path: Path) -> None:
    write_files(tmp_path)
    options = ["--passages", "base/passages", "--vectors", "evaluation.vectors.jsonl", "--name", "My Docs"]
    judged = ["--queries", "queries.jsonl", "--qrels", "test.tsv"]
    done = os_deploy("init", "deploy", *options, *judged, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / "deploy.yaml"
    assert done.stdout == f"{path}: next: os-deploy deploy {path}\n"
    found = read_recipe(path)
    assert found.gate is not None
    assert found == Recipe(
        name="my-docs",
        export=str(tmp_path / "deploy"),
        passages=str(tmp_path / "base/passages"),
        vectors=str(tmp_path / "evaluation.vectors.jsonl"),
        title=True,
        gate=found.gate,
    )
    assert (found.gate.queries, found.gate.qrels) == (str(tmp_path / "queries.jsonl"), str(tmp_path / "test.tsv"))
    assert str(tmp_path) not in path.read_text(encoding="utf-8")


def test_the_same_files_give_the_same_recipe_wherever_they_lie(tmp_path: Path) -> None:
    for place in (tmp_path / "a", tmp_path / "b/c"):
        write_files(place)
    drafts = [
        Draft(
            export=place / "deploy",
            passages=place / "base/passages",
            vectors=None,
            name="docs",
            gate=Gate(queries=place / "queries.jsonl", qrels=place / "test.tsv"),
        ).text(place / "deploy.yaml")
        for place in (tmp_path / "a", tmp_path / "b/c")
    ]
    assert drafts[0] == drafts[1]
    assert "queries: queries.jsonl\n" in drafts[0]


def test_a_model_that_encodes_its_queries_gets_a_recipe_that_says_so(tmp_path: Path) -> None:
    write_files(tmp_path)
    encode_queries(tmp_path / "deploy", second=False)
    done = os_deploy("init", "deploy", "--passages", "base/passages", cwd=tmp_path)
    assert (done.returncode, read_recipe(tmp_path / "deploy.yaml").query) == (0, "encoder")


def test_a_recipe_that_is_there_is_left_alone(tmp_path: Path) -> None:
    before = write_recipe(tmp_path, "mine").read_bytes()
    done = os_deploy("init", "deploy", "--passages", "passages", cwd=tmp_path)
    assert (done.returncode, "there already" in done.stderr) == (1, True)
    assert (tmp_path / "deploy.yaml").read_bytes() == before


def test_a_file_that_is_missing_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    write_files(tmp_path)
    draft = Draft(export=tmp_path / "deploy", passages=tmp_path / "none", vectors=None, name="docs")
    with pytest.raises(InputError, match="none: no such file"):
        draft.text(tmp_path / "deploy.yaml")
    done = os_deploy("init", "deploy", "--passages", "base/passages", "--qrels", "test.tsv", cwd=tmp_path)
    assert (done.returncode, "wanted both or none" in done.stderr) == (1, True)
    assert not (tmp_path / "deploy.yaml").exists()
