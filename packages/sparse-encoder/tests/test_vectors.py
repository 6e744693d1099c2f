from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparse_encoder._files import InputError, read_jsonl
from sparse_encoder.vectors import Vector, read_vectors, write_vectors


def vector(name: str, weights: dict[int, float]) -> Vector:
    ids = sorted(weights)
    return Vector(
        id=name,
        token_ids=np.array(ids, dtype=np.int32),
        weights=np.array([weights[i] for i in ids], dtype=np.float32),
    )


def plain(vectors: list[Vector]) -> list[tuple[str, list[int], list[float]]]:
    return [(v.id, v.token_ids.tolist(), v.weights.tolist()) for v in vectors]


def test_the_golden_parquet_is_written_as_it_was_read(golden: Path, tmp_path: Path) -> None:
    vectors, tokens = read_vectors(golden / "vectors.parquet")
    write_vectors(tmp_path / "again.parquet", vectors, tokens)
    ours, theirs = pq.read_table(tmp_path / "again.parquet"), pq.read_table(golden / "vectors.parquet")
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert ours.equals(theirs)


def test_the_golden_jsonl_is_written_byte_for_byte(golden: Path, tmp_path: Path) -> None:
    tokens = ("검색", "희소", "sparse")
    rows = read_jsonl(golden / "vectors.jsonl", dict[str, msgspec.Raw])
    vectors = []
    for row in rows:
        named = msgspec.json.decode(row["vector"], type=dict[str, float])
        found = {tokens.index(t): w for t, w in named.items()}
        vectors.append(vector(msgspec.json.decode(row["id"], type=str), found))
    write_vectors(tmp_path / "again.jsonl", vectors, tokens)
    assert (tmp_path / "again.jsonl").read_bytes() == (golden / "vectors.jsonl").read_bytes()


weights = st.dictionaries(st.integers(0, 9), st.floats(0.0009765625, 100, width=32), max_size=5)


@given(found=st.lists(weights, max_size=5))
def test_parquet_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[dict[int, float]]
) -> None:
    file = tmp_path_factory.mktemp("v") / "v.parquet"
    vectors = [vector(f"문서{i}", w) for i, w in enumerate(found)]
    assert write_vectors(file, vectors, [str(i) for i in range(10)]) == len(found)
    assert plain(read_vectors(file)[0]) == plain(vectors)


def test_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.parquet", [vector("a", {0: 1.0})], ["가"])
    table = pq.read_table(tmp_path / "v.parquet")
    pq.write_table(table.replace_schema_metadata(table.schema.metadata | {b"version": b"2"}), tmp_path / "v.parquet")
    with pytest.raises(InputError, match="format 'vectors' has version 2, newer than 1"):
        read_vectors(tmp_path / "v.parquet")


def test_another_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "v.parquet")
    with pytest.raises(InputError, match="holds no vectors"):
        read_vectors(tmp_path / "v.parquet")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"as \.parquet or \.jsonl; found '\.csv'"):
        write_vectors(tmp_path / "v.csv", [], [])
