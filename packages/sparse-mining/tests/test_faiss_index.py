"""Tests of `faiss_index`."""

from pathlib import Path

import numpy as np
import pytest
from sparse_mining import dense, faiss_index
from sparse_mining._files import InputError
from sparse_mining.arrays import Matrix, unit_rows

EMPTY = np.empty((0, 16), np.float32)


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    return unit_rows(np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32))


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_the_recall_stated_is_that_of_the_index_read_back(
    kind: faiss_index.Kind, vectors: Matrix, tmp_path: Path
) -> None:
    built = faiss_index.build(vectors, kind, queries=vectors[:100], seed=42)
    faiss_index.write(built, tmp_path / "index.bin")
    index = faiss_index.read(tmp_path / "index.bin", shape=(3000, 16))
    found = faiss_index.search(index, vectors[:100], 10)
    exact = list(dense.search(vectors, vectors[:100], 10))
    shared = [len(set(a.docs.tolist()) & set(b.docs.tolist())) / 10 for a, b in zip(found, exact, strict=True)]
    assert built.recall_at_10 >= faiss_index.ENOUGH
    assert np.mean(shared) == pytest.approx(built.recall_at_10, abs=1e-4)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_index_is_built_to_the_same_bytes(kind: faiss_index.Kind, vectors: Matrix, tmp_path: Path) -> None:
    for name in ("a", "b"):
        faiss_index.write(faiss_index.build(vectors, kind, queries=EMPTY, seed=42), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_search_that_finds_too_little_looks_further() -> None:
    spread = unit_rows(np.random.default_rng(3).standard_normal((6000, 48)).astype(np.float32))
    built = faiss_index.build(spread, "ivf", queries=EMPTY[:, :0].reshape(0, 48), seed=42)
    assert built.effort > 8
    assert built.recall_at_10 >= faiss_index.ENOUGH


def test_few_vectors_are_searched_exactly(vectors: Matrix) -> None:
    built = faiss_index.build(vectors, queries=EMPTY, seed=42)
    assert (built.kind, built.recall_at_10, built.n_sample) == ("flat", 1.0, 0)


def test_an_index_of_other_vectors_is_refused(vectors: Matrix, tmp_path: Path) -> None:
    faiss_index.write(faiss_index.build(vectors, queries=EMPTY, seed=42), tmp_path / "index.bin")
    with pytest.raises(InputError, match="holds 3000 vectors of 16 dimensions, wanted 12 of 4"):
        faiss_index.read(tmp_path / "index.bin", shape=(12, 4))


def test_a_truncated_index_is_named(vectors: Matrix, tmp_path: Path) -> None:
    faiss_index.write(faiss_index.build(vectors, queries=EMPTY, seed=42), tmp_path / "index.bin")
    (tmp_path / "index.bin").write_bytes((tmp_path / "index.bin").read_bytes()[:-100])
    with pytest.raises(InputError, match=r"index\.bin: is not a whole FAISS index"):
        faiss_index.read(tmp_path / "index.bin", shape=(3000, 16))
