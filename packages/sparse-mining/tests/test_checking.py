"""Tests of `checking`."""

from pathlib import Path

import msgspec
import pytest
from sparse_mining.checking import check
from sparse_mining.groups import Group, read_groups


@pytest.fixture
def group(golden: Path) -> Group:
    return next(read_groups(golden / "groups.jsonl"))


def problems(*groups: Group, others: frozenset[str] = frozenset()) -> list[str]:
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
    report = check([group, group], others=frozenset())
    assert report.findings[0].problem == "the same query and positive as an earlier group"
    assert report.findings[0].examples == ("doc-1#1:heading",)


def test_a_query_of_another_file_is_a_leak(group: Group) -> None:
    assert problems(group, others=frozenset({"희소 검색 색인"})) == ["the query is met in another file"]


def test_sizes_and_scores_are_told(group: Group) -> None:
    report = check([group], others=frozenset())
    assert report.n_docs == {"3": 1}
    assert report.scores["hard"].median == 4.5
