"""Merging: what a verdict does."""

from typing import Literal

from ko_synonyms.merging import merge
from ko_synonyms.records import Candidate, Evidence, Synonym, Verdict

CANDIDATE = Candidate(pair_id="색인|index", ko="색인", en="index", confidence=0.5, evidence=(), contexts=())


def entry(kind: Literal["curated", "parenthesis"]) -> Synonym:
    return Synonym(
        ko="검색", en="search", confidence=0.8, evidence=(Evidence(kind=kind, source="s", count=1),)
    )  # fmt: skip


def verdict(pair_id: str, says: Literal["yes", "no"], confidence: float = 0.9) -> Verdict:
    ko, en = pair_id.split("|")
    return Verdict(pair_id=pair_id, ko=ko, en=en, verdict=says, confidence=confidence)


def test_a_yes_makes_a_candidate_an_entry_with_both_reasons() -> None:
    (found,) = merge([], [CANDIDATE], [verdict("색인|index", "yes")]).synonyms
    assert (found.ko, found.en, found.confidence, found.verdict) == ("색인", "index", 0.95, "yes")


def test_a_no_an_unsure_yes_and_silence_leave_a_candidate_out() -> None:
    for verdicts in ([verdict("색인|index", "no")], [verdict("색인|index", "yes", 0.4)], []):
        assert merge([], [CANDIDATE], verdicts).synonyms == []


def test_a_no_removes_a_found_entry_and_marks_a_curated_one() -> None:
    assert merge([entry("parenthesis")], [], [verdict("검색|search", "no")]).synonyms == []
    (kept,) = merge([entry("curated")], [], [verdict("검색|search", "no")]).synonyms
    assert (kept.confidence, kept.verdict) == (0.8, "no")


def test_the_last_of_several_verdicts_counts() -> None:
    assert merge([], [CANDIDATE], [verdict("색인|index", "yes"), verdict("색인|index", "no")]).synonyms == []


def test_everything_is_counted() -> None:
    verdicts = [verdict("색인|index", "yes"), verdict("없음|nothing", "yes")]
    assert merge([entry("parenthesis")], [CANDIDATE], verdicts).counts == {
        "base": 1,
        "added": 1,
        "removed": 0,
        "refused": 0,
        "unjudged": 0,
        "verdicts_without_pair": 1,
    }
