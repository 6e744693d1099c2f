"""Comparison: golden bytes, rows, tests and their direction."""

from pathlib import Path

import pytest
from conftest import QRELS, QUERIES, RUNS
from sparse_eval._files import InputError
from sparse_eval.comparison import Draws, System, compare, measure
from sparse_eval.layout import lay_out
from sparse_eval.records import Comparison, read_comparison, read_metrics, read_queries, read_timing
from sparse_eval.runs import read_qrels, read_run


def test_golden_metrics_and_comparison_are_read_and_written_unchanged(golden: Path) -> None:
    assert lay_out(read_metrics(golden / "metrics.json")) == (golden / "metrics.json").read_text(encoding="utf-8")
    assert lay_out(read_comparison(golden / "comparison.json")) == (golden / "comparison.json").read_text(
        encoding="utf-8"
    )


def test_the_golden_run_earns_the_golden_metrics(golden: Path) -> None:
    queries = read_queries(golden / "evaluation" / "queries.jsonl")
    qrels = read_qrels(golden / "evaluation" / "qrels" / "test.tsv")
    found = measure(System(name="bm25", run=read_run(golden / "run.trec")), qrels, queries=queries, draws=Draws())
    wanted = read_metrics(golden / "metrics.json").measures
    assert set(wanted) <= set(found.measures)


def test_the_golden_timing_is_read(golden: Path) -> None:
    assert read_timing(golden / "timing.json").query_ms == 0.4


def test_every_system_has_a_row_for_every_slice(comparison: Comparison) -> None:
    names = [
        "all",
        "lang=ko",
        "lang=en",
        "lang=mixed",
        "kind=code_mixed",
        "kind=english",
        "kind=keyword",
        "kind=question",
    ]
    assert [(row.slice, row.system) for row in comparison.rows] == [
        (name, system) for name in names for system in ("words", "morphemes")
    ]
    row = comparison.row("morphemes")
    assert (row.n, row.measures["nDCG@10"], row.facts) == (4, 0.6577, {"document_active_terms": 80.0, "query_ms": 0.5})


def test_the_better_system_is_named_first_and_the_difference_is_not_negative(comparison: Comparison) -> None:
    overall = [test for test in comparison.tests if test.slice == "all"]
    assert [test.measure for test in overall] == ["nDCG@10", "MRR@10", "Recall@10", "Recall@100", "P@10"]
    first = overall[0]
    assert (first.better, first.than, first.n, first.test) == ("morphemes", "words", 4, "paired permutation")
    assert first.difference == pytest.approx(0.6577 - comparison.row("words").measures["nDCG@10"], abs=2e-4)
    assert first.low <= first.difference <= first.high


def test_the_order_of_systems_does_not_change_what_is_found(systems: list[System], comparison: Comparison) -> None:
    turned = compare(systems[::-1], QRELS, queries=QUERIES, draws=Draws(n_resamples=500))
    assert [(t.difference, t.p_value, t.low, t.high) for t in turned.tests if t.difference] == [
        (t.difference, t.p_value, t.low, t.high) for t in comparison.tests if t.difference
    ]


def test_of_equal_systems_the_later_is_named_first() -> None:
    same = [System(name=name, run=RUNS["words"]) for name in ("one", "two")]
    first = compare(same, QRELS, draws=Draws(n_resamples=100)).tests[0]
    assert (first.better, first.than, first.difference, first.p_value) == ("two", "one", 0.0, 1.0)


def test_two_systems_of_one_name_are_refused(systems: list[System]) -> None:
    with pytest.raises(InputError, match="found the systems words, words: wanted a different name for each"):
        compare([systems[0], systems[0]], QRELS, draws=Draws())


def test_one_system_alone_has_rows_and_no_tests(systems: list[System]) -> None:
    alone = compare(systems[:1], QRELS, draws=Draws(n_resamples=100))
    assert (len(alone.rows), alone.tests) == (1, ())
