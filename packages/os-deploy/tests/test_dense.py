"""Dense vectors are found by id or by place, and what is no vector is refused."""

from pathlib import Path

import numpy as np
import pytest
from exports import write_embeddings
from os_deploy import InputError
from os_deploy.dense import query_vectors, read_dense

GOLDEN = Path(__file__).parents[3] / "docs/formats/golden"


def save(path: Path, rows: object) -> Path:
    np.save(path, np.asarray(rows))
    return path


def test_the_golden_folder_is_read_by_id() -> None:
    found = read_dense(GOLDEN / "embeddings", "document")
    assert found.place_of is not None
    assert len(found.vector(next(iter(found.place_of)), 99)) == found.dimensions


def test_a_folder_goes_by_id_and_a_bare_array_by_place(tmp_path: Path) -> None:
    folder = write_embeddings(tmp_path, "query", {"q-2": "검색", "q-1": "희소 희소 희소 검색"})
    by_id = query_vectors(folder, [("q-1", "하나"), ("q-2", "둘")])
    by_place = query_vectors(folder / "query_embeddings.npy", [("x", "둘"), ("y", "하나")])
    assert by_id == by_place
    assert by_id["하나"] != by_id["둘"]


def test_a_text_without_a_row_is_named(tmp_path: Path) -> None:
    folder = write_embeddings(tmp_path, "document", {"d-1": "검색"})
    with pytest.raises(InputError, match="found no row for 'd-2', wanted one: embed these texts again"):
        read_dense(folder, "document").vector("d-2", 0)


def test_rows_in_order_must_be_as_many_as_the_texts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 2 rows, wanted 3, one a text in their order"):
        read_dense(save(tmp_path / "v.npy", [[1.0], [2.0]]), "document").check_number(3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([1.0, 2.0], "found float64 of shape"),
        ([[1, 2]], "found int64 of shape"),
        ([[1.0, 2.0], [0.5, float("nan")]], "row 1: found a number that is not finite"),
    ],
)
def test_what_is_no_array_of_vectors_is_refused(tmp_path: Path, rows: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_dense(save(tmp_path / "v.npy", rows), "document")


def test_a_file_that_numpy_does_not_know_and_a_pickle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(b"nothing")
    with pytest.raises(InputError, match="found no array of numpy"):
        read_dense(tmp_path / "v.npy", "document")
    np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="found no array of numpy"):
        read_dense(tmp_path / "p.npy", "document")


def test_ids_that_do_not_go_with_the_rows_are_refused(tmp_path: Path) -> None:
    folder = write_embeddings(tmp_path, "document", {"d-1": "검색", "d-2": "희소"})
    (folder / "document_ids.json").write_text('["d-1", "d-1"]')
    with pytest.raises(InputError, match="found 2 rows for 1 different ids"):
        read_dense(folder, "document")
