"""Recipes are strict, and say what is wrong in them."""

from pathlib import Path

import pytest
from os_deploy import InputError
from os_deploy.recipe import check_name, read_recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "deploy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


NEEDED = "name: docs\nexport: out\npassages: p\n"


def test_paths_are_relative_to_the_recipe(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, NEEDED + "gate: {queries: q.jsonl, qrels: test.tsv}"))
    assert recipe.export == str(tmp_path / "out")
    assert recipe.vectors is None
    assert recipe.gate is not None
    assert recipe.gate.qrels == str(tmp_path / "test.tsv")


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("vector: v.parquet", "vectors"),
        ("seismic: {n_posting: 3}", "n_postings"),
        ("two_phase: {prune: 1}", "prune_ratio"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path, line: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"which is none: nearest is '{nearest}'"):
        read_recipe(write(tmp_path, NEEDED + line))


@pytest.mark.parametrize("line", ["field: dense", "shards: 0", "ingest: {workers: 99}", "hybrid_weights: [1]"])
def test_a_value_out_of_its_range_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=rf"deploy\.yaml: .*\$\.{line.split(':')[0]}"):
        read_recipe(write(tmp_path, NEEDED + line))


@pytest.mark.parametrize("name", ["Docs", "_docs", "do cs", "docs*", "", "d" * 201, "a,b", "a/b"])
def test_a_name_that_opensearch_refuses_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="name: found"):
        check_name(name)


@pytest.mark.parametrize("name", ["docs", "문서", "docs.2026", "a-b_c"])
def test_other_names_are_taken(name: str) -> None:
    check_name(name)


def test_dense_and_seismic_do_not_go_into_one_index(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found `dense` with `field: sparse_vector`"):
        read_recipe(write(tmp_path, NEEDED + "dense: e\nfield: sparse_vector"))


def test_no_file_and_no_yaml_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="found no YAML"):
        read_recipe(write(tmp_path, "a: ]"))
