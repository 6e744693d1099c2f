"""Tests of `negatives`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.negatives import false_negatives, read_duplicates, read_qrels
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
    Passage(id="g#0", title="", text="누가 답이라고 판정한 글이다."),
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
        (6, "equal_query"),
        (7, "known_positive"),
    ],
)
def test_each_false_negative_has_its_reason(row: int, reason: str | None) -> None:
    filters = false_negatives(COLLECTION, PAIRS, duplicates={"copy": "c-1", "a": "c-1"}, judged={"1": [7]})
    assert filters.reason(row, filters.answers(PAIRS[0], 0)) == reason


def test_relevant_passages_of_qrels_are_found_by_query_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta#1\t2\n1\tb#0\t0\n2\tc#0\t1\n")
    assert read_qrels([tmp_path / "test.tsv"], COLLECTION) == {"1": {1}, "2": {3}}


@pytest.mark.parametrize(("line", "error"), [("1 a#1 2", "wanted query-id"), ("1\tz#9\t1", "'z#9' is not in")])
def test_a_bad_line_of_qrels_is_named_by_path_and_number(tmp_path: Path, line: str, error: str) -> None:
    (tmp_path / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{line}\n")
    with pytest.raises(InputError, match=f"test.tsv:2: .*{error}"):
        read_qrels([tmp_path / "test.tsv"], COLLECTION)


def test_the_golden_duplicate_clusters_are_read(golden: Path) -> None:
    assert read_duplicates(golden / "duplicate_clusters.jsonl") == {"doc-1": "c-1", "doc-9": "c-1"}
