"""Tests of `statistics`."""

from pathlib import Path

from sparse_mining.groups import Group, read_groups
from sparse_mining.statistics import Asked, read_asked, statistics


def test_the_golden_groups_in_numbers(golden: Path) -> None:
    found = statistics(read_groups(golden / "groups.jsonl"))
    assert (found.n_groups, found.n_distinct_docs, found.hard_per_group) == (1, 3, {"1": 1})
    by_name = {miner.miner: miner for miner in found.miners}
    assert (by_name["bm25"].mean_rank, by_name["bm25"].hardness) == (2.0, 0.45)


def test_groups_short_of_the_usual_number_are_counted_and_overlap_is_a_share() -> None:
    def group(ids: tuple[str, ...], sources: tuple[str, ...]) -> Group:
        n_hard = len(ids) - 1
        scores = (10.0, *(5.0 for _ in range(n_hard)))
        labels = ("positive", *("hard" for _ in range(n_hard)))
        return Group(query="q", docs=ids, scores=scores, q_id="q", d_ids=ids, labels=labels, sources=sources)  # type: ignore[arg-type]

    found = statistics(
        [group(("p", "a", "b"), ("pairs@1", "bm25@1", "dense@1")), group(("p", "b"), ("pairs@1", "bm25@2"))]
    )
    assert found.n_short == 1
    assert {m.miner: m.overlap.get("bm25") for m in found.miners} == {"bm25": None, "dense": 1.0, "pairs": 0.0}


def test_groups_are_short_of_what_mining_was_asked_for(golden: Path) -> None:
    groups = list(read_groups(golden / "groups.jsonl"))
    found = statistics(groups, asked=Asked(n_hard=7, seen={"bm25 in dense": 0.25}))
    assert (found.n_hard, found.n_short, found.seen) == (7, 1, {"bm25 in dense": 0.25})
    assert (statistics(groups).n_hard, statistics(groups).n_short) == (1, 0)


def test_the_golden_metadata_says_how_many_were_asked_for_and_what_miners_share(golden: Path) -> None:
    asked = read_asked(golden / "mining.json", Path("train.jsonl"))
    assert asked.n_hard == 1
    assert set(asked.seen) == {"bm25 in dense", "dense in bm25"}
    assert read_asked(golden / "mining.json", Path("other.jsonl")).seen == {}
