"""Parity, runs and benchmarks: laws on numbers here, the commands on a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from exports import BAG, make_tokenizer, write_bundle, write_recipe
from hypothesis import given
from hypothesis import strategies as st
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection
from os_deploy.prove.bench import percentile
from os_deploy.prove.parity import largest_difference
from os_deploy.prove.ranking import mean_ndcg, ndcg, same_ranking

PROGRAM = "from os_deploy.cli import main; main()"
SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.5, 100), min_size=1)


def test_ndcg_of_graded_judgements_is_the_textbooks() -> None:
    # (1 / log2(2) + 2 / log2(3)) / (2 / log2(2) + 1 / log2(3))
    assert ndcg({"a": 2.0, "b": 1.0}, {"a": 1, "b": 2}) == pytest.approx(0.8597186998521972)


def test_a_query_without_answer_counts_nothing_and_one_without_relevance_is_left_out() -> None:
    assert mean_ndcg({"q": {"a": 1.0}}, {"q": {"a": 1}, "r": {"b": 1}, "s": {"c": 0}}) == 0.5


@given(SCORES)
def test_a_ranking_is_the_same_as_itself_and_as_its_scores_scaled(scores: dict[str, float]) -> None:
    assert same_ranking(scores, scores, tolerance=0)
    assert same_ranking(scores, {d: 2 * s for d, s in scores.items()}, tolerance=0)


@given(SCORES, SCORES)
def test_the_largest_difference_is_symmetric_and_at_most_1(a: dict[str, float], b: dict[str, float]) -> None:
    assert largest_difference(a, b) == largest_difference(b, a) <= 1
    assert largest_difference(a, a) == 0


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_percentiles_are_measured_values_and_grow_with_the_share(values: list[float]) -> None:
    ordered = sorted(values)
    found = [percentile(ordered, share) for share in (0.01, 0.5, 0.99, 1.0)]
    assert found == sorted(found)
    assert (set(found) <= set(values), found[-1]) == (True, max(values))


def run_command(connection: Connection, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENSEARCH_URL": connection.url}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.live
def test_parity_names_a_model_that_encodes_otherwise(connection: Connection, cluster: Cluster, tmp_path: Path) -> None:
    write_recipe(tmp_path, "otherwise", n_passages=16)
    assert run_command(connection, tmp_path, "deploy", "deploy.yaml").returncode == 0
    lowered = (tmp_path / "vectors.jsonl").read_text(encoding="utf-8").replace("2.25", "2.0")
    (tmp_path / "vectors.jsonl").write_text(lowered, encoding="utf-8")
    done = run_command(
        connection,
        tmp_path,
        *("parity", "otherwise", "--export", "deploy", "--passages", "passages", "--vectors", "vectors.jsonl"),
    )
    assert done.returncode == 1
    assert "FAIL  document_vectors: found largest difference 1.1e-01" in done.stdout


@pytest.mark.live
def test_another_export_than_the_deployed_one_is_refused(
    connection: Connection, cluster: Cluster, tmp_path: Path
) -> None:
    write_recipe(tmp_path, "another", n_passages=16)
    assert run_command(connection, tmp_path, "deploy", "deploy.yaml").returncode == 0
    content = make_tokenizer(words=["검색"]).to_str().encode()
    files = {"tokenizer.json": content, "idf.json": '{"검색": 1}'.encode()}
    write_bundle(tmp_path / "new", "tokenizer", "SPARSE_TOKENIZE", files)
    write_bundle(tmp_path / "new", "encoder", "SPARSE_ENCODING", {"m.pt": BAG.read_bytes(), "tokenizer.json": content})
    done = run_command(connection, tmp_path, "search", "검색", "--name", "another", "--export", "new")
    assert (done.returncode, "found hash" in done.stderr) == (1, True)
