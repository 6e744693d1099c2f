"""Tests of `splits`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.pairs import Kind, Pair, Split
from sparse_mining.passages import Collection, Passage
from sparse_mining.splits import Rules, divide, val_kinds_of

COLLECTION = Collection(
    Path("corpus.jsonl"),
    [Passage(id=f"d{i}#0", text="") for i in range(20)],
    {f"d{i}#0": i for i in range(20)},
)


def pair(number: int, kind: Kind = "title", split: Split | None = None, query: str = "") -> Pair:
    return Pair(
        query_id=f"{number}:{kind}",
        query=query or f"질의 {number} {kind}",
        doc_id=f"d{number}#0",
        kind=kind,
        split=split,
    )


def test_pairs_go_where_they_say() -> None:
    divided = divide(
        [pair(0, split="train"), pair(1, split="val"), pair(2, split="test")], COLLECTION, Rules(), excluded=set()
    )
    assert ([p.doc_id for p in divided.train], [p.doc_id for p in divided.val]) == (["d0#0"], ["d1#0"])
    assert divided.left_out == {"test_split": 1}


def test_generated_pairs_follow_their_document_and_are_never_validated_on() -> None:
    given = [
        pair(0, split="train"),
        pair(1, split="val"),
        pair(0, "synthetic"),
        pair(1, "synthetic"),
        pair(1, "code_mixed", "val"),
    ]
    divided = divide(given, COLLECTION, Rules(), excluded=set())
    assert [p.kind for p in divided.train] == ["title", "synthetic"]
    assert [p.kind for p in divided.val] == ["title"]
    assert divided.left_out == {"derived_in_validation": 2}


def test_without_a_stated_split_a_tenth_of_the_documents_is_held_out() -> None:
    given = [pair(i, kind) for i in range(20) for kind in ("title", "heading")]
    divided = divide(given, COLLECTION, Rules(), excluded=set())
    held_out = {p.doc_id for p in divided.val}
    assert (len(divided.val), len(held_out)) == (4, 2)
    assert not held_out & {p.doc_id for p in divided.train}


def test_evaluation_queries_are_left_out_whatever_their_spacing() -> None:
    divided = divide([pair(0, query="희소  검색"), pair(1)], COLLECTION, Rules(val_share=0), excluded={"희소 검색"})
    assert [p.doc_id for p in divided.train] == ["d1#0"]
    assert divided.left_out == {"evaluation_query": 1}


def test_a_training_query_equal_to_a_validation_query_is_left_out() -> None:
    given = [pair(0, split="train", query="색인"), pair(1, split="train"), pair(2, split="val", query="색인")]
    assert [p.doc_id for p in divide(given, COLLECTION, Rules(), excluded=set()).train] == ["d1#0"]


def test_generated_pairs_are_bounded_by_real_ones() -> None:
    given = [pair(0, split="train"), pair(1, split="train"), *(pair(i, "synthetic", "train") for i in range(8))]
    divided = divide(given, COLLECTION, Rules(max_synthetic_ratio=1.5), excluded=set())
    assert sum(p.kind == "synthetic" for p in divided.train) == 3
    assert divided.left_out == {"over_synthetic_ratio": 5}


def test_a_kind_written_by_a_machine_cannot_be_validated_on() -> None:
    with pytest.raises(InputError, match="'synthetic' cannot be validated on"):
        val_kinds_of("title,synthetic")
