"""Dense vectors made elsewhere, for k-NN beside the sparse ones: an `embeddings` folder, or a bare `.npy`.

In a folder (`sparse-mining embed`) rows are found by id; in a bare array they stand in the order of the passages or
queries. Arrays are mapped from the disk and never held whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from os_deploy._files import InputError, read_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

MAX_DIMENSIONS = 16_000
"""Of a `knn_vector` field."""

ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseVectors:
    """A row of numbers for each passage or query."""

    path: Path
    """Of the array."""
    files: tuple[Path, ...]
    """The array, and its ids where it has any."""
    rows: "Array"
    """(n, dimensions), finite."""
    place_of: Mapping[str, int] | None
    """Row of each id; None where rows stand in the order of the texts."""

    @property
    def dimensions(self) -> int:
        """Numbers of a row."""
        return int(self.rows.shape[1])

    def vector(self, text_id: str, place: int) -> list[float]:
        """The vector of a text by its id, or else by its place in the input; InputError where there is none.

        Numbers are rounded to six decimals, which for vectors of unit length is below what float32 keeps.
        """
        row = place if self.place_of is None else self.place_of.get(text_id, -1)
        if not 0 <= row < len(self.rows):
            raise InputError(f"{self.path}: found no row for {text_id!r}, wanted one: embed these texts again")
        return [round(number, 6) for number in self.rows[row].tolist()]

    def check_number(self, n_texts: int) -> None:
        """Raises InputError where rows that stand in order are not as many as the texts."""
        if self.place_of is None and len(self.rows) != n_texts:
            raise InputError(f"{self.path}: found {len(self.rows)} rows, wanted {n_texts}, one a text in their order")


def read_dense(path: Path, kind: Literal["document", "query"]) -> DenseVectors:
    """Opens a folder's vectors of that kind, or a `.npy`; InputError for another shape or a number that is none."""
    if not path.is_dir():
        return DenseVectors(path=path, files=(path,), rows=_read_array(path), place_of=None)
    array, listed = path / f"{kind}_embeddings.npy", path / f"{kind}_ids.json"
    rows, ids = _read_array(array), read_json(listed, list[str])
    if len(ids) != len(rows) or len(set(ids)) != len(ids):
        raise InputError(f"{array}: found {len(rows)} rows for {len(set(ids))} different ids, wanted one each")
    places = {text_id: row for row, text_id in enumerate(ids)}
    return DenseVectors(path=array, files=(array, listed), rows=rows, place_of=places)


def query_vectors(path: Path, queries: Sequence[tuple[str, str]]) -> dict[str, list[float]]:
    """Text of each query -> its vector; queries: id and text, in the order of their file."""
    dense = read_dense(path, "query")
    dense.check_number(len(queries))
    return {text: dense.vector(query_id, place) for place, (query_id, text) in enumerate(queries)}


def _read_array(path: Path) -> "Array":
    import numpy as np

    try:
        rows: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: found no array of numpy ({error}), wanted a .npy") from error
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating) or not 0 < rows.shape[1] <= MAX_DIMENSIONS:
        raise InputError(
            f"{path}: found {rows.dtype} of shape {rows.shape}, wanted floats (texts, 1 to {MAX_DIMENSIONS})"
        )
    for start in range(0, len(rows), ROWS_AT_ONCE):
        finite = np.isfinite(rows[start : start + ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            raise InputError(f"{path}: row {start + int(finite.argmin())}: found a number that is not finite")
    return rows
