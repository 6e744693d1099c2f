"""Arrays out of `.npy` files, checked as they are opened.

A file that was cut off, or holds what is no number, is named here and not met as a wrong result later.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparse_mining._files import InputError

Matrix = NDArray[np.float32]

BLOCK = 16_384
"""Rows looked at at once."""


def load_array(path: Path) -> NDArray[np.float64]:
    """Memory-maps a `.npy` file; InputError where it is missing, cut off or no array of numbers."""
    try:
        found: NDArray[np.float64] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: is not a whole .npy file: {error}") from error
    return found


def read_matrix(path: Path, *, dimensions: int) -> Matrix:
    """Maps float vectors; InputError where cut off, not finite or of another number of dimensions."""
    found = load_array(path)
    if found.ndim != 2 or found.shape[1] != dimensions:
        raise InputError(f"{path}: has shape {found.shape}, wanted {dimensions} dimensions")
    for _ in finite_blocks(path, found):
        pass
    return np.asarray(found, np.float32)


def finite_blocks(path: Path, rows: NDArray[np.float64]) -> Iterator[Matrix]:
    """Yields the rows of an array read from `path` in blocks; InputError names the first that is not finite."""
    for first in range(0, len(rows), BLOCK):
        block = np.asarray(rows[first : first + BLOCK], np.float32)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise InputError(f"{path}: row {first + int(bad[0])} has a value that is not a finite number")
        yield block


def unit_rows(vectors: Matrix) -> Matrix:
    """Each row at length 1; a row of zeros stays.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
