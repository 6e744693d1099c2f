"""Parity, runs and benchmarks: laws on numbers here, the commands on a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from exports import BAG, make_tokenizer, read_titles, write_bundle, write_embeddings, write_recipe
from hypothesis import given
from hypothesis import strategies as st
from os_deploy._files import read_json
from os_deploy.cluster import Cluster
from os_deploy.connection import Connection
from os_deploy.prove.bench import Bench, Measured, Quality, percentile, recommend, time_queries
from os_deploy.prove.exact import scan
from os_deploy.prove.parity import largest_difference
from os_deploy.prove.ranking import mean_ndcg, ndcg, same_ranking
from os_deploy.searching import MODES

PROGRAM = "from os_deploy.cli import main; main()"
SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.5, 100), min_size=1)


def test_ndcg_of_graded_judgements_is_the_textbooks() -> None:
    # (1 / log2(2) + 2 / log2(3)) / (2 / log2(2) + 1 / log2(3))
    assert ndcg({"a": 2.0, "b": 1.0}, {"a": 1, "b": 2}) == pytest.approx(0.8597186998521972)


def test_a_query_without_answer_counts_nothing_and_one_without_relevance_is_left_out() -> None:
    assert mean_ndcg({"q": {"a": 1.0}}, {"q": {"a": 1}, "r": {"b": 1}, "s": {"c": 0}}) == 0.5


@given(SCORES)
def test_a_ranking_is_the_same_as_itself_and_as_its_scores_scaled(scores: dict[str, float]) -> None:
    assert same_ranking(scores, scores, k=10, tolerance=0)
    assert same_ranking(scores, {d: 2 * s for d, s in scores.items()}, k=10, tolerance=0)


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


def test_what_is_slow_is_asked_fewer_queries_but_always_one() -> None:
    asked: list[str] = []
    times_ms, _ = time_queries(asked.append, ["a", "b", "c"], 1, max_s=0.0)
    assert (asked, len(times_ms)) == (["a"], 1)
    times_ms, _ = time_queries(asked.append, ["a", "b", "c"], 2, max_s=60.0)
    assert (sorted(asked), len(times_ms)) == (["a", "a", "b", "c"], 3)


VECTORS = st.dictionaries(st.sampled_from("가나다라마"), st.floats(0.125, 4), max_size=5)


@given(VECTORS, st.lists(VECTORS, max_size=12), st.integers(1, 5))
def test_a_scan_finds_what_all_dot_products_find(
    query: dict[str, float], vectors: list[dict[str, float]], k: int
) -> None:
    named = {f"d-{i}": vector for i, vector in enumerate(vectors)}
    scores = sorted(sum(w * v.get(t, 0.0) for t, w in query.items()) for v in vectors)
    found = scan([query], named.items(), k=k)[0]
    assert sorted(found.values(), reverse=True) == pytest.approx([s for s in scores[::-1][:k] if s > 0])
    asked = scan([query], named.items(), k=k, also=[list(named)])[0]
    assert asked.keys() >= found.keys()
    assert sorted(asked.values()) == pytest.approx([s for s in scores if s > 0])


def measured(mode: str, p99_ms: float, name: str = "docs") -> Measured:
    return Measured(
        name=name,
        mode=mode,
        concurrency=1,
        warm=True,
        n_queries=100,
        p50_ms=1.0,
        p95_ms=2.0,
        p99_ms=p99_ms,
        per_second=500.0,
    )


def quality(mode: str, *, loss: float | None, share: float, name: str = "docs") -> Quality:
    ndcg = None if loss is None else 0.5 - loss
    return Quality(name=name, mode=mode, n_queries=100, ndcg=ndcg, exact="docs", overlap=share, loss=loss)


@pytest.mark.parametrize(
    ("two_phase_ms", "loss", "share", "recommended"),
    [
        (5.0, 0.004, 0.8, "docs two_phase"),  # judged: what is lost decides
        (5.0, 0.006, 0.99, "docs sparse"),
        (5.0, None, 0.96, "docs two_phase"),  # not judged: what is found decides
        (5.0, None, 0.9, "docs sparse"),
        (9.0, 0.0, 1.0, "docs sparse"),  # not clearly faster than 10 ms
    ],
)
def test_a_quicker_query_is_recommended_only_where_it_loses_next_to_nothing(
    two_phase_ms: float, loss: float | None, share: float, recommended: str
) -> None:
    rows = [measured("bm25", 1.0), measured("sparse", 10.0), measured("two_phase", two_phase_ms)]
    known = [quality("sparse", loss=0.0, share=1.0), quality("two_phase", loss=loss, share=share)]
    assert recommend(rows, known)[0] == recommended


def test_seismic_is_not_recommended_while_its_loss_is_unknown() -> None:
    assert recommend([measured("seismic", 1.0)], [])[0] == ""
    known = [quality("seismic", loss=0.001, share=0.97)]
    assert recommend([measured("seismic", 1.0)], known) == (
        "docs seismic",
        "p50 1.0 ms, p99 1.0 ms for one client; 97.0% of the exact top 10, nDCG@10 -0.0010",
    )


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


@pytest.mark.live
def test_a_bench_states_what_every_query_finds(connection: Connection, cluster: Cluster, tmp_path: Path) -> None:
    write_recipe(tmp_path, "measured", n_passages=64, more="query: tokens\ndense: embeddings")
    titles = read_titles(tmp_path / "passages")
    write_embeddings(tmp_path / "embeddings", "document", titles)
    write_embeddings(tmp_path / "embeddings", "query", {"q-1": "도서관 학생", "q-2": "날씨"})
    seismic = (tmp_path / "deploy.yaml").read_text(encoding="utf-8").replace("name: measured", "name: clustered")
    seismic = seismic.replace("dense: embeddings", "field: sparse_vector\nseismic: {approximate_threshold: 5}")
    (tmp_path / "seismic.yaml").write_text(seismic, encoding="utf-8")
    for recipe in ("deploy.yaml", "seismic.yaml"):
        assert run_command(connection, tmp_path, "deploy", recipe).returncode == 0
    queries = '{"_id":"q-1","text":"도서관 학생"}\n{"_id":"q-2","text":"날씨"}\n'
    (tmp_path / "queries.jsonl").write_text(queries, encoding="utf-8")
    relevant = [f"q-1\t{doc_id}\t1" for doc_id, title in titles.items() if title == "도서관 학생"]
    (tmp_path / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *relevant]), encoding="utf-8")
    options = [
        "--queries",
        "queries.jsonl",
        "--qrels",
        "test.tsv",
        "--dense-queries",
        "embeddings",
        "--export",
        "deploy",
    ]
    sizes = ["-o", "bench.json", "--clients", "1", "--n-queries", "4"]
    done = run_command(connection, tmp_path, "bench", "measured", "clustered", *options, *sizes)
    assert (done.returncode, done.stderr if done.returncode else "") == (0, "")
    found = {(q.name, q.mode): q for q in read_json(tmp_path / "bench.json", Bench).quality}
    assert {mode for name, mode in found if name == "measured"} == set(MODES)
    assert found["measured", "sparse"].overlap == 1.0
    assert found["measured", "dense"].ndcg == 1.0
    seismic_found = found["clustered", "seismic"]
    assert (seismic_found.exact, seismic_found.overlap, seismic_found.loss) == ("measured", 1.0, 0.0)
    assert "a second sent and" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("recommended: ")
