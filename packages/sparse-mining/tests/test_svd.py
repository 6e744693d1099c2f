"""Tests of `svd`."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sparse_mining import svd
from sparse_mining._files import InputError

TEXTS = ["검색 색인 문서", "색인 문서 단어", "김치 배추 무", "배추 김장 무", "검색 단어"]


def test_singular_vectors_are_those_of_the_exact_decomposition() -> None:
    dense = np.random.default_rng(0).standard_normal((30, 20)) * (np.random.default_rng(1).random((30, 20)) < 0.3)
    found = svd.right_singular_vectors(sp.csr_array(dense), 4, seed=42)
    exact = np.linalg.svd(dense, full_matrices=False)[2][:4]
    assert np.abs((found * exact).sum(axis=1)) == pytest.approx([1.0] * 4, abs=1e-4)


def test_texts_on_one_topic_are_nearer_than_others() -> None:
    _, vectors = svd.fit(TEXTS, "words", dimensions=2, seed=42)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.9 > 0.1 > likeness[0, 2]


def test_encoding_a_fitted_text_gives_its_vector() -> None:
    encoder, vectors = svd.fit(TEXTS, "words", dimensions=3, seed=42)
    assert np.allclose(encoder.encode(TEXTS), vectors, atol=1e-6)


def test_a_text_without_a_known_term_is_all_zeros() -> None:
    encoder, _ = svd.fit(TEXTS, "words", dimensions=3, seed=42)
    assert encoder.encode(["전혀 다른말", ""]).tolist() == [[0.0] * 3] * 2


def test_fewer_texts_than_dimensions_give_fewer_dimensions() -> None:
    encoder, vectors = svd.fit(TEXTS, "words", dimensions=128, seed=42)
    assert (encoder.header.dimensions, vectors.shape) == (5, (5, 5))


def test_a_saved_encoder_encodes_the_same_bytes(tmp_path: Path) -> None:
    encoder, _ = svd.fit(TEXTS, "words", dimensions=3, seed=42)
    encoder.save(tmp_path / "encoder")
    assert svd.load(tmp_path / "encoder").encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


def test_an_encoder_of_another_analyser_version_is_refused(tmp_path: Path) -> None:
    encoder, _ = svd.fit(TEXTS, "words", dimensions=3, seed=42)
    encoder.save(tmp_path / "encoder")
    file = tmp_path / "encoder" / "encoder.json"
    file.write_text(file.read_text().replace('"analyser_version": "1"', '"analyser_version": "0"'))
    with pytest.raises(InputError, match="embed the passages again"):
        svd.load(tmp_path / "encoder")


def test_texts_without_any_term_are_refused() -> None:
    with pytest.raises(InputError, match="finds no term"):
        svd.fit(["...", "!"], "words", dimensions=2, seed=42)
