"""Explaining: wins, losses, ties and failures."""

from conftest import QRELS
from sparse_eval.comparison import System
from sparse_eval.explaining import explain, outcomes


def test_queries_are_sorted_into_wins_losses_ties_and_failures(systems: list[System]) -> None:
    found = explain(outcomes(systems, QRELS), "morphemes", "words")
    assert [o.query_id for o in found.wins] == ["q3", "q2", "q1"]
    assert (found.losses, found.n_wins, found.n_losses, found.n_ties) == ((), 3, 0, 1)
    assert [o.query_id for o in found.failures] == ["q4"]


def test_a_loss_is_a_win_of_the_other(systems: list[System]) -> None:
    found = outcomes(systems, QRELS)
    assert explain(found, "words", "morphemes").losses == explain(found, "morphemes", "words").wins


def test_an_outcome_knows_ranks_first_documents_and_relevant_ones(systems: list[System]) -> None:
    first = outcomes(systems, QRELS)[0]
    assert first.relevant == ("a", "b")
    assert first.ranks == {"words": 2, "morphemes": 1}
    assert first.first == {"words": "x", "morphemes": "a"}


def test_lists_are_as_long_as_wanted_at_most(systems: list[System]) -> None:
    found = explain(outcomes(systems, QRELS), "morphemes", "words", n_shown=1)
    assert (len(found.wins), found.n_wins) == (1, 3)
