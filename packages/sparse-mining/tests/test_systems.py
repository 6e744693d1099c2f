"""Tests of `systems`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.systems import fusions, systems

RUNS = Path("runs")


def test_one_system_writes_the_output_itself() -> None:
    found = systems(["sparse:a=b/v.parquet"], Path("v.trec"), tag="v1", timing=Path("t.json"))[0]
    assert (found.tag, found.spec, found.run) == ("v1", "sparse:a=b/v.parquet", Path("v.trec"))
    assert found.timing == Path("t.json")


def test_a_named_system_writes_into_a_folder_even_when_alone() -> None:
    found = systems(["v1=sparse:v.parquet"], RUNS, timing=Path("times"))[0]
    assert (found.tag, found.run, found.timing) == ("v1", RUNS / "v1.trec", Path("times/v1.timing.json"))


@pytest.mark.parametrize(
    ("specs", "tag", "error"),
    [
        (["a=bm25:words", "bm25:kiwi"], "", "NAME=bm25:kiwi"),
        (["a=bm25:words", "a=bm25:kiwi"], "", "the name 'a' is given twice"),
        (["a=bm25:words"], "b", "--tag 'b'"),
    ],
)
def test_systems_that_cannot_be_told_apart_are_refused(specs: list[str], tag: str, error: str) -> None:
    with pytest.raises(InputError, match=error):
        systems(specs, RUNS, tag=tag)


@pytest.mark.parametrize("spec", ["both=a", "a+b", "both=a+c", "b=a+b"])
def test_a_fusion_of_what_is_not_searched_is_refused(spec: str) -> None:
    searched = systems(["a=bm25:words", "b=bm25:kiwi"], RUNS)
    with pytest.raises(InputError, match="--fuse"):
        fusions([spec], RUNS, searched=searched)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("earlier")
    with pytest.raises(InputError, match="several systems want a folder"):
        systems(["a=bm25:words"], tmp_path / "runs")
