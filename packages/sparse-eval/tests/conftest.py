"""Where the golden samples of the formats lie, and a small comparison to draw and report on."""

from pathlib import Path

import pytest
from sparse_eval.comparison import Draws, System, compare
from sparse_eval.records import Comparison, Query

QRELS = {"q1": {"a": 1, "b": 1}, "q2": {"c": 1}, "q3": {"d": 1}, "q4": {"e": 1}}
RUNS = {
    "words": {"q1": ("x", "a", "y", "b"), "q2": ("x", "c"), "q3": ("x",), "q4": ("x", "y")},
    "morphemes": {"q1": ("a", "b"), "q2": ("c",), "q3": ("x", "d"), "q4": ("y",)},
}
QUERIES = {
    "q1": Query(id="q1", text="희소 검색이란", metadata={"lang": "ko", "kind": "question"}),
    "q2": Query(id="q2", text="역색인 <b>", metadata={"lang": "ko", "kind": "keyword"}),
    "q3": Query(id="q3", text="inverted index", metadata={"lang": "en", "kind": "english"}),
    "q4": Query(id="q4", text="pod가 죽는 이유", metadata={"lang": "mixed", "kind": "code_mixed"}),
}


@pytest.fixture
def golden() -> Path:
    """The folder of docs/formats that every package's tests read."""
    return Path(__file__).parents[3] / "docs" / "formats" / "golden"


@pytest.fixture
def systems() -> list[System]:
    """Two systems, the second better, one of them with facts."""
    facts = {"document_active_terms": 80.0, "query_ms": 0.5}
    return [System(name="words", run=RUNS["words"]), System(name="morphemes", run=RUNS["morphemes"], facts=facts)]


@pytest.fixture
def comparison(systems: list[System]) -> Comparison:
    """The two systems, compared."""
    return compare(systems, QRELS, queries=QUERIES, draws=Draws(n_resamples=500))
