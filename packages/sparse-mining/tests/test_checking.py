"""Tests of `checking`."""

from pathlib import Path

import msgspec
import pytest
from sparse_mining.checking import OF_SCORES, Others, check, others_of
from sparse_mining.groups import Group, read_groups

NOTHING = Others()


@pytest.fixture
def group(golden: Path) -> Group:
    return next(read_groups(golden / "groups.jsonl"))


def problems(*groups: Group, others: Others = NOTHING) -> list[str]:
    return [finding.problem for finding in check(groups, others=others).findings]


def test_the_golden_group_has_nothing_wrong(group: Group) -> None:
    assert problems(group) == []


def test_scores_out_of_order_are_found(group: Group) -> None:
    bad = msgspec.structs.replace(group, scores=(10.0, 0.2, 4.5))
    assert problems(bad) == ["a score is not below those of a better label", "scores are not best-first"]


def test_a_positive_that_is_not_first_is_found(group: Group) -> None:
    assert "the first document is not a positive" in problems(
        msgspec.structs.replace(group, labels=("hard", "positive", "easy"))
    )


def test_a_document_twice_is_found(group: Group) -> None:
    assert problems(msgspec.structs.replace(group, d_ids=("a", "b", "a"))) == ["a document is there twice"]


def test_a_repeated_group_is_found_by_its_id(group: Group) -> None:
    report = check([group, group], others=Others())
    assert report.findings[0].problem == "the same query and positive as an earlier group"
    assert report.findings[0].examples == ("doc-1#1:heading",)


def test_a_query_of_another_file_is_a_leak(group: Group) -> None:
    assert problems(group, others=Others(queries={"희소 검색 색인"})) == ["the query is met in another file"]


def test_sizes_and_scores_are_told(group: Group) -> None:
    report = check([group], others=Others())
    assert report.n_docs == {"3": 1}
    assert report.scores["hard"].median == 4.5


def test_train_and_val_must_not_share_a_document(group: Group, golden: Path) -> None:
    others = others_of([golden / "groups.jsonl"])
    assert problems(msgspec.structs.replace(group, query="다른 말"), others=others) == [
        "the positive's document has a positive in another file"
    ]


def test_pairs_tell_queries_and_no_documents(golden: Path) -> None:
    others = others_of([golden / "pairs.jsonl"])
    assert "희소 검색 색인" in others.queries
    assert others.documents == frozenset()


def test_what_a_teachers_scores_may_be_is_told_apart(group: Group) -> None:
    bad = msgspec.structs.replace(group, scores=(1.0, 4.5, 0.25))
    assert set(problems(bad)) == OF_SCORES


def test_negatives_without_order_of_labels_are_found(group: Group) -> None:
    swapped = msgspec.structs.replace(group, labels=("positive", "easy", "hard"))
    assert "labels are not in the order positive, hard, easy" in problems(swapped)


def test_a_text_twice_under_two_ids_is_found(group: Group) -> None:
    twice = msgspec.structs.replace(group, docs=(group.docs[0], group.docs[1], f" {group.docs[1]}"))
    assert problems(twice) == ["a text is there twice"]
