"""Tables: what is printed."""

from sparse_eval.records import Comparison
from sparse_eval.table import comparison_table, slice_names


def test_the_tables_hold_systems_slices_and_tests(comparison: Comparison) -> None:
    systems, by_slice, tests = comparison_table(comparison).split("\n\n")
    head, _, first, second = ([cell.strip() for cell in line.split("|")[1:-1]] for line in systems.splitlines())
    assert head[:6] == ["all queries (n=4)", "nDCG@10", "MRR@10", "Recall@10", "Recall@100", "P@10"]
    assert head[6:] == ["doc terms", "ms/query"]
    assert first[0] == "words"
    assert second == ["morphemes", "0.658", "0.625", "0.750", "0.750", "0.100", "80.0", "0.50"]
    assert "Code-mixed (1)" in by_slice
    assert "| morphemes over words |" in tests


def test_slices_that_are_called_the_same_are_shown_once(comparison: Comparison) -> None:
    assert slice_names(comparison) == ["all", "lang=ko", "lang=en", "lang=mixed", "kind=keyword", "kind=question"]
