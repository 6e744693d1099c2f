"""Tests of `terms`."""

from pathlib import Path

from sparse_mining import bm25, svd
from sparse_mining.passages import read_collection
from sparse_mining.settings import Settings
from sparse_mining.terms import Analyses, number


def test_an_analysis_is_made_once(passages: Path) -> None:
    analyses = Analyses(read_collection(passages))
    assert analyses.terms("words") is analyses.terms("words")
    assert len(analyses.terms("words")) == 12


def test_counting_merges_repeated_terms_and_leaves_the_terms_as_they_are() -> None:
    terms = number([["나", "가", "나"], [], ["가"]])
    assert terms.counts().toarray().tolist() == [[2.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    svd.fit_terms(terms, "words", dimensions=1, seed=42)
    bm25.build_from_terms(terms, Settings())
    assert (terms.ids.tolist(), terms.starts.tolist()) == ([0, 1, 0, 1], [0, 3, 3, 4])
