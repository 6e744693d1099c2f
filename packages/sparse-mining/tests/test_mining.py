"""Tests of `mining`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError
from sparse_mining.bounds import Bounds, Margin
from sparse_mining.groups import Group
from sparse_mining.judges import Judge
from sparse_mining.miners import Share, miners
from sparse_mining.mining import Mined, Plan, Sources, mine
from sparse_mining.negatives import false_negatives
from sparse_mining.pairs import Pair, read_pairs
from sparse_mining.passages import read_collection
from sparse_mining.searchers import Choices
from sparse_mining.settings import Settings

OPEN = Bounds(margin=Margin(relative=None))


def mined(passages: Path, pairs: list[Pair], plan: Plan, *, judge: Judge | None = None) -> list[Mined]:
    collection = read_collection(passages)
    shares = [Share(name, {"bm25": "bm25:words"}.get(name, name), n) for name, n in plan.quotas.items()]
    scorer, found = miners(shares, collection, Choices(settings=Settings(), dimensions=4))
    filters = false_negatives(collection, pairs, duplicates={}, judged={})
    sources = Sources(scorer=scorer, miners=found, filters=filters, judge=judge)
    return list(mine(pairs, collection, sources=sources, plan=plan, audited=True))


def groups(passages: Path, pairs: list[Pair], plan: Plan) -> list[Group]:
    return [one.group for one in mined(passages, pairs, plan)]


def test_a_group_is_best_first_with_ids_labels_and_sources(passages: Path) -> None:
    pair = Pair(query_id="q", query="지구를 돈다 금리는 물가를", doc_id="sky#1", kind="question")
    group = groups(passages, [pair], Plan(quotas={"bm25": 1}, n_easy=2, bounds=OPEN))[0]
    assert group.labels == ("positive", "hard", "easy", "easy")
    assert group.d_ids[:2] == ("sky#1", "money#0")
    assert group.sources[:2] == ("pairs@1", "bm25@1")
    assert group.scores[0] == 10.0
    assert 1 <= group.scores[1] <= 9
    assert list(group.scores) == sorted(group.scores, reverse=True)


def test_no_negative_comes_from_the_document_of_the_positive(passages: Path, pairs: Path) -> None:
    found = read_pairs([pairs], read_collection(passages))
    for group in groups(passages, found, Plan(quotas={"bm25": 2, "dense": 2}, n_easy=2, bounds=OPEN)):
        topic = group.d_ids[0].partition("#")[0]
        assert not [d for d in group.d_ids[1:] if d.startswith(topic)]
        assert len(set(group.d_ids)) == 7


def test_a_group_short_of_hard_negatives_is_filled_with_easy_ones(passages: Path) -> None:
    pair = Pair(query_id="q", query="김치는 배추로", doc_id="food#0", kind="question")
    group = groups(passages, [pair], Plan(quotas={"bm25": 3}, n_easy=2, bounds=OPEN))[0]
    assert group.labels == ("positive", *["easy"] * 5)


def test_a_group_depends_on_nothing_but_its_pair(passages: Path, pairs: Path) -> None:
    found = read_pairs([pairs], read_collection(passages))
    plan = Plan(quotas={"bm25": 2, "dense": 1}, n_easy=2, bounds=OPEN)
    assert groups(passages, found[::-1], plan) == groups(passages, found, plan)[::-1]


def test_raw_scores_are_those_of_the_first_searcher(passages: Path) -> None:
    pair = Pair(query_id="q", query="지구를 돈다 물가를", doc_id="sky#1", kind="question")
    group = groups(passages, [pair], Plan(quotas={"bm25": 1}, n_easy=1, bounds=OPEN, scale="raw"))[0]
    assert group.scores[0] > group.scores[1] > group.scores[2] == 0.0


def test_documents_carry_their_titles_where_that_is_wanted(passages: Path) -> None:
    pair = Pair(query_id="q", query="지구를 돈다", doc_id="sky#1", kind="question")
    collection = read_collection(passages)
    titled = next(p for p in collection.passages if p.id == "sky#1").full_text()
    plan = Plan(quotas={"bm25": 1}, n_easy=1, bounds=OPEN, titles=True)
    assert groups(passages, [pair], plan)[0].docs[0] == titled
    assert "\n" in titled


def test_fewer_passages_than_a_group_wants_are_refused(passages: Path) -> None:
    pair = Pair(query_id="q", query="배추", doc_id="food#0", kind="question")
    with pytest.raises(InputError, match="12 passages, but a group wants 13"):
        groups(passages, [pair], Plan(quotas={"bm25": 10}, n_easy=2, bounds=OPEN))
