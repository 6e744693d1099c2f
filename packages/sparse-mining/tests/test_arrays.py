"""Tests of `arrays`."""

from pathlib import Path

import numpy as np
import pytest
from sparse_mining._files import InputError
from sparse_mining.arrays import load_array, read_matrix


def test_a_truncated_array_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 4)))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[:-8])
    with pytest.raises(InputError, match=r"a\.npy: is not a whole \.npy file"):
        load_array(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("matrix", "error"),
    [
        (np.zeros((2, 3), np.float32), r"shape \(2, 3\), wanted 4 dimensions"),
        (np.array([[0.0] * 4, [np.nan] * 4], np.float32), "row 1 has a value that is not a finite number"),
    ],
)
def test_vectors_that_cannot_be_searched_are_named(matrix: np.ndarray, error: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", matrix)
    with pytest.raises(InputError, match=error):
        read_matrix(tmp_path / "a.npy", dimensions=4)
