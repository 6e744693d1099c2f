"""Tests of `negatives`."""

from pathlib import Path

import pytest
from sparse_mining.negatives import Margin, false_negatives, read_duplicates
from sparse_mining.pairs import Pair
from sparse_mining.passages import Collection, Passage, PassageMetadata

PASSAGES = [
    Passage(id="a#0", title="희소 검색", text="단어마다 가중치를 둔다."),
    Passage(id="a#1", title="희소 검색", text="역색인을 쓴다."),
    Passage(id="b#0", title="희소  검색", text="다른 글이다."),
    Passage(id="c#0", title="", text="그래서 단어마다 가중치를 둔다. 그렇다."),
    Passage(id="d#0", title="", text="조금 고친 글이다.", metadata=PassageMetadata(document_id="copy")),
    Passage(id="e#0", title="", text="아무 상관 없는 글이다."),
    Passage(id="f#0", title="", text="이 글도 답이다."),
]
COLLECTION = Collection(Path("corpus.jsonl"), PASSAGES, {p.id: row for row, p in enumerate(PASSAGES)})
PAIRS = [
    Pair(query_id="1", query="희소 검색이란", doc_id="a#0", kind="title"),
    Pair(query_id="2", query="희소  검색이란", doc_id="f#0", kind="question"),
]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (0, "known_positive"),
        (1, "same_document"),
        (2, "same_title"),
        (3, "contained_text"),
        (4, "near_duplicate"),
        (5, None),
        (6, "known_positive"),
    ],
)
def test_each_false_negative_has_its_reason(row: int, reason: str | None) -> None:
    filters = false_negatives(COLLECTION, PAIRS, {"copy": "c-1", "a": "c-1"})
    assert filters.reason(row, 0, filters.positives("희소 검색이란")) == reason


def test_the_golden_duplicate_clusters_are_read(golden: Path) -> None:
    assert read_duplicates(golden / "duplicate_clusters.jsonl") == {"doc-1": "c-1", "doc-9": "c-1"}


def test_a_positive_that_scores_nothing_sets_no_margin() -> None:
    assert Margin(relative=0.05).holds(3.0, 0.0)


def test_an_absolute_margin_is_kept_beside_the_relative_one() -> None:
    assert not Margin(relative=0.05, absolute=2.0).holds(8.5, 10.0)
    assert Margin(relative=None, absolute=2.0).holds(8.0, 10.0)
