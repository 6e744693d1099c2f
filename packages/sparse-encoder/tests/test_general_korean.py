import numpy as np
import pytest
from sparse_encoder.general_korean import general_idf, known, ranks, recovered, told_apart
from sparse_encoder.general_pieces import general_pieces


def test_everyday_words_come_before_terms_of_a_trade() -> None:
    places = ranks()
    assert places["하", "VV"] < places["학생", "NNG"] < places["냉동실", "NNG"] < places["색인", "NNG"]
    assert len(known()) > 50_000


def test_a_word_that_is_everywhere_tells_nothing_and_a_rare_one_much() -> None:
    assert general_idf(0) == 0
    assert general_idf(15) == pytest.approx(np.log(2))
    assert general_idf(15_000) == pytest.approx(np.log(1001))


def test_vectors_come_back_from_their_cosines_to_landmarks() -> None:
    vectors = np.random.default_rng(1).standard_normal((60, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    landmarks = np.arange(0, 60, 2)
    found = recovered((vectors @ vectors[landmarks].T).astype(np.float32), landmarks)
    assert found.shape == (60, 8)
    assert found @ found.T == pytest.approx(vectors @ vectors.T, abs=1e-3)


def test_what_all_vectors_share_is_taken_out_of_them() -> None:
    draw = np.random.default_rng(1)
    shared = draw.standard_normal(16)
    vectors = (draw.standard_normal((300, 16)) + 5 * shared).astype(np.float32)
    cosines = told_apart(vectors) @ told_apart(vectors).T
    assert abs(cosines[np.triu_indices(300, 1)].mean()) < 0.05
    assert np.diag(cosines) == pytest.approx(1, abs=1e-5)


def test_general_pieces_have_the_forms_that_an_adjective_is_written_in() -> None:
    pieces = general_pieces()
    assert {"춥", "추워", "추웠", "추운", "##다", "냉동실"} <= pieces.keys()
    assert pieces["학생"] > pieces["냉동실"] > 0
    assert sum(pieces.values()) == pytest.approx(1)
