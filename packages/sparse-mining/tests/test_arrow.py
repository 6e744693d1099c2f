"""Tests of `arrow`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from sparse_mining.arrow import write_dataset
from sparse_mining.groups import Group, Shape, read_groups

import datasets


def trainers_groups(row: Mapping[str, Any], k: int) -> list[list[int]]:
    """Where opensearch-sparse-model-tuning-sample finds its training groups of k documents in one row.

    Its collator strides a row's n documents into n // k groups; candidate j of group i is index j * step + i.
    """
    step = len(row["docs"]) // k
    return [[j * step + i for j in range(k)] for i in range(step)]


@pytest.fixture
def groups(golden: Path) -> list[Group]:
    """The golden group, and one of eight documents."""
    golden_group = next(read_groups(golden / "groups.jsonl"))
    ids = tuple(f"doc-{n}#0" for n in range(8))
    wide = msgspec.structs.replace(
        golden_group,
        q_id="wide",
        docs=tuple(f"글 {n}" for n in range(8)),
        scores=tuple(float(8 - n) for n in range(8)),
        d_ids=ids,
        labels=("positive", *["hard"] * 7),
        sources=("pairs@1", *[f"bm25@{n}" for n in range(1, 8)]),
    )
    return [golden_group, wide]


@pytest.mark.parametrize(
    ("shape", "columns"),
    [("kd", ["query", "docs", "scores"]), ("kd-ids", ["query", "docs", "scores", "q_id", "d_ids"])],
)
def test_datasets_loads_each_shape(groups: list[Group], tmp_path: Path, shape: Shape, columns: list[str]) -> None:
    write_dataset(groups, tmp_path / "out", shape)
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert loaded.column_names == columns
    assert loaded.num_rows == 2
    assert loaded[0]["scores"] == [10.0, 4.5, 0.25]
    for row, group in zip(loaded, groups, strict=True):
        assert row["docs"] == list(group.docs)
        assert row.get("d_ids", list(group.d_ids)) == list(group.d_ids)


@pytest.mark.parametrize("shape", ["kd", "kd-ids"])
def test_the_trainer_groups_the_rows_with_better_documents_before_worse_ones(
    groups: list[Group], tmp_path: Path, shape: Shape
) -> None:
    write_dataset(groups, tmp_path / "out", shape)
    narrow, wide = datasets.load_from_disk(str(tmp_path / "out"))
    assert trainers_groups(narrow, 2) == [[0, 1]]
    assert trainers_groups(wide, 4) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    taken = [[wide["docs"][at] for at in group] for group in trainers_groups(wide, 8)]
    assert taken == [list(groups[1].docs)]
    for group in trainers_groups(wide, 4):
        scores = [wide["scores"][at] for at in group]
        assert scores == sorted(scores, reverse=True)
    assert wide["scores"][trainers_groups(wide, 4)[0][0]] == max(wide["scores"])


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
