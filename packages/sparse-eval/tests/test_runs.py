"""Runs and qrels: order, and errors that name the line."""

from pathlib import Path

import pytest
from sparse_eval._files import InputError
from sparse_eval.measuring import judge
from sparse_eval.runs import read_qrels, read_run


def test_the_golden_run_and_qrels_are_read(golden: Path) -> None:
    assert read_run(golden / "run.trec") == {"q-1": ("doc-1#1", "doc-1#0"), "q-2": ("doc-2#0",)}
    assert read_qrels(golden / "evaluation" / "qrels" / "test.tsv") == {"q-1": {"doc-1#1": 1}, "q-2": {"doc-2#0": 1}}


def test_a_run_is_ordered_by_score_and_ties_by_document_from_last_to_first(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 1 1.0 s\nq Q0 c 2 1.0 s\nq Q0 b 3 2.5 s\n", encoding="utf-8")
    assert read_run(path) == {"q": ("b", "c", "a")}


def test_all_measures_agree_on_the_order_of_ties(tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 1 1.0 s\nq Q0 b 2 1.0 s\n", encoding="utf-8")
    found = judge(read_run(path), {"q": {"a": 1}})
    assert found.of("MRR@10")[0] == 0.5
    assert found.of("nDCG@10")[0] == pytest.approx(0.63093, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 a 1 1.0\n", r"run.trec:1: found 5 columns: wanted 'query_id Q0 doc_id rank score tag'"),
        ("q Q0 a 1 1.0 s\n\nq Q0 b 2 high s\n", r"run.trec:3: the score is 'high': wanted a number"),
        ("q Q0 a 1 nan s\n", r"run.trec:1: the score is 'nan': wanted a number that can be ranked"),
        ("q Q0 a 1 2 s\nq Q0 a 2 1 s\n", r"run.trec:2: 'a' is there twice for query 'q'"),
    ],
)
def test_a_bad_line_of_a_run_is_named_by_path_and_number(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run.trec").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_run(tmp_path / "run.trec")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query-id\tcorpus-id\tscore\nq a 1\n", r"test.tsv:2: found 'q a 1': wanted"),
        ("query-id\tcorpus-id\tscore\nq\ta\tyes\n", r"test.tsv:2: found 'q\\ta\\tyes': wanted"),
        ("q\ta\t1\nq\ta\t1\n", r"test.tsv:2: 'a' is judged twice for query 'q'"),
        ("query-id\tcorpus-id\tscore\nq\ta\t0\n", r"test.tsv: no query has a relevant passage"),
    ],
)
def test_a_bad_line_of_qrels_is_named_by_path_and_number(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "test.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_qrels(tmp_path / "test.tsv")


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.trec: no such file"):
        read_run(tmp_path / "nowhere.trec")


def test_a_query_without_any_relevant_passage_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("q1\ta\t1\nq2\tb\t0\n", encoding="utf-8")
    assert list(read_qrels(tmp_path / "test.tsv")) == ["q1"]
