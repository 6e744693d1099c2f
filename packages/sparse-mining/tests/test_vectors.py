"""Tests of `vectors`."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sparse_mining import ranking
from sparse_mining._files import InputError
from sparse_mining.vectors import as_bags, invert, read_vectors


def write_parquet(path: Path, rows: dict[str, dict[int, float]], vocabulary: list[str] | None = None) -> Path:
    table = pa.table(
        {
            "id": pa.array(list(rows), pa.string()),
            "token_ids": pa.array([list(v) for v in rows.values()], pa.list_(pa.int32())),
            "weights": pa.array([list(v.values()) for v in rows.values()], pa.list_(pa.float32())),
        }
    )
    if vocabulary is not None:
        table = table.replace_schema_metadata({"vocabulary": json.dumps(vocabulary)})
    pq.write_table(table, path)
    return path


def test_the_golden_lines_are_read(golden: Path) -> None:
    found = read_vectors(golden / "vectors.jsonl")
    assert (found.ids, found.starts.tolist()) == (["doc-1#0", "doc-2#0", "doc-3#0"], [0, 2, 3, 3])
    assert found.weights.tolist() == [1.25, 2.5, 1.5]


def test_documents_are_found_by_the_product_of_weights(tmp_path: Path) -> None:
    documents = read_vectors(write_parquet(tmp_path / "d.parquet", {"a": {1: 2.0}, "b": {1: 1.0, 7: 4.0}, "c": {}}))
    queries = read_vectors(write_parquet(tmp_path / "q.parquet", {"q": {7: 0.5, 1: 1.0, 9: 8.0}}))
    postings = invert(documents, {"a": 0, "b": 1, "c": 2})
    found = ranking.top_k(postings, as_bags(queries, documents), 10)[0]
    assert (found.docs.tolist(), found.scores.tolist()) == ([1, 0], [3.0, 2.0])


def test_rows_follow_the_passages_and_not_the_file(tmp_path: Path) -> None:
    documents = read_vectors(write_parquet(tmp_path / "d.parquet", {"b": {0: 1.0}, "a": {0: 2.0}}))
    assert invert(documents, {"a": 0, "b": 1}).impacts.tolist() == [2.0, 1.0]


def test_a_passage_without_a_vector_is_named(tmp_path: Path) -> None:
    documents = read_vectors(write_parquet(tmp_path / "d.parquet", {"a": {0: 1.0}}))
    with pytest.raises(InputError, match="passage 'b' has no vector"):
        invert(documents, {"a": 0, "b": 1})


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    documents = read_vectors(write_parquet(tmp_path / "d.parquet", {"a": {0: 1.0}}, ["가", "나"]))
    queries = read_vectors(write_parquet(tmp_path / "q.parquet", {"q": {0: 1.0}}, ["나", "가"]))
    with pytest.raises(InputError, match="its vocabulary is not that of"):
        as_bags(queries, documents)


def test_a_weight_that_is_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vector 'b' has a weight that is not a finite number"):
        read_vectors(write_parquet(tmp_path / "d.parquet", {"a": {0: 1.0}, "b": {3: float("nan")}}))


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"d\.parquet: is not a Parquet file of vectors"):
        read_vectors(tmp_path / "d.parquet")
