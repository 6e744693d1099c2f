"""Tests of `rank_bm25_backend`: it finds what our own index finds."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.analysers import analyser
from sparse_mining.passages import read_collection, read_queries
from sparse_mining.rank_bm25_backend import rank_bm25
from sparse_mining.searchers import Choices, searcher
from sparse_mining.settings import Settings, Variant
from sparse_mining.terms import Analyses


@pytest.mark.parametrize("variant", ["okapi", "plus"])
def test_both_backends_find_the_same(passages: Path, queries: Path, variant: Variant) -> None:
    analyses, asked = Analyses(read_collection(passages)), read_queries(queries)
    choices = Choices(settings=Settings(variant=variant, double=True))
    theirs, ours = (searcher(spec, analyses, choices).ask(asked) for spec in ("rank_bm25:words", "bm25:words"))
    for a, b in zip(theirs.best(5), ours.best(5), strict=True):
        assert a.docs.tolist() == b.docs.tolist()
        assert a.scores == pytest.approx(b.scores, rel=1e-9)
    rows = [ranking.docs for ranking in ours.best(5)]
    for a_scores, b_scores in zip(theirs.scores_of(rows), ours.scores_of(rows), strict=True):
        assert a_scores == pytest.approx(b_scores, rel=1e-9)


def test_a_variant_that_it_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="has no variant 'lucene'"):
        rank_bm25(analyser("words"), ["가"], Settings(), name="x", repeats=False)


def test_texts_without_a_term_are_refused() -> None:
    with pytest.raises(InputError, match="finds no term in 1 passages"):
        rank_bm25(analyser("words"), ["..."], Settings(variant="okapi"), name="x", repeats=False)
