"""Tests of `arrow`."""

from pathlib import Path

import pyarrow as pa
import pytest
from sparse_mining.arrow import write_dataset
from sparse_mining.groups import Shape, read_groups


@pytest.mark.parametrize(
    ("shape", "columns"),
    [("kd", ["query", "docs", "scores"]), ("kd-ids", ["query", "docs", "scores", "q_id", "d_ids"])],
)
def test_datasets_loads_each_shape(golden: Path, tmp_path: Path, shape: Shape, columns: list[str]) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: only the Arrow file is looked at")
    write_dataset(read_groups(golden / "groups.jsonl"), tmp_path / "out", shape)
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert loaded.column_names == columns
    assert loaded[0]["scores"] == [10.0, 4.5, 0.25]


def test_the_arrow_file_holds_the_groups(golden: Path, tmp_path: Path) -> None:
    assert write_dataset(read_groups(golden / "groups.jsonl"), tmp_path / "out", "kd-ids") == 1
    with pa.OSFile(str(tmp_path / "out" / "data-00000-of-00001.arrow")) as file:
        rows = pa.ipc.open_stream(file).read_all().to_pylist()
    group = next(read_groups(golden / "groups.jsonl"))
    assert rows[0]["d_ids"] == list(group.d_ids)
    assert rows[0]["docs"] == list(group.docs)


def test_the_bytes_are_the_same_twice(golden: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_dataset(read_groups(golden / "groups.jsonl"), tmp_path / name, "kd")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
