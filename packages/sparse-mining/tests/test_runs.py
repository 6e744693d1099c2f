"""Tests of `runs`."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparse_mining._files import InputError
from sparse_mining.runs import Hit, read_run, run_lines, write_run


def test_the_golden_run_comes_out_as_it_went_in(golden: Path, tmp_path: Path) -> None:
    assert write_run(tmp_path / "run.trec", read_run(golden / "run.trec"), tag="bm25") == 3
    assert (tmp_path / "run.trec").read_bytes() == (golden / "run.trec").read_bytes()


def test_hits_are_read_best_first_whatever_the_order_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.write_text("q Q0 a 2 1.5 t\nq Q0 b 1 2.5 t\n")
    assert read_run(file) == {"q": [Hit("b", 2.5), Hit("a", 1.5)]}


@pytest.mark.parametrize("line", ["q Q0 a 1 2.5", "q Q0 a 1 high t", "q Q0 a 1 nan t"])
def test_a_bad_line_is_named_by_path_and_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "run.trec"
    file.write_text(f"q Q0 b 1 9.0 t\n{line}\n")
    with pytest.raises(InputError, match=r"run\.trec:2: "):
        read_run(file)


def test_a_document_twice_in_a_query_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.write_text("q Q0 a 1 2.5 t\nq Q0 a 2 1.5 t\n")
    with pytest.raises(InputError, match="query 'q' has a document twice"):
        read_run(file)


@given(st.lists(st.floats(-1e3, 1e3), max_size=6))
def test_a_written_score_reads_back_within_half_a_billionth(scores: list[float]) -> None:
    lines = run_lines({"q": [Hit(str(i), s) for i, s in enumerate(scores)]}, "t")
    assert all(abs(float(line.split()[4]) - s) <= 5.1e-10 for line, s in zip(lines, scores, strict=True))
