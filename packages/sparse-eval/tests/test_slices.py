"""Slices: which there are and what happens to a query that nobody knows."""

import pytest
from sparse_eval._files import InputError
from sparse_eval.records import Query
from sparse_eval.slices import slices


def test_each_value_of_lang_and_kind_is_a_slice_in_order_of_size() -> None:
    rows = [("q1", "ko", "question"), ("q2", "ko", "keyword"), ("q3", "en", "question")]
    queries = {name: Query(id=name, text="", metadata={"lang": lang, "kind": kind}) for name, lang, kind in rows}
    found = slices(["q1", "q2", "q3"], queries)
    assert [(s.name, s.members.tolist()) for s in found] == [
        ("all", [True, True, True]),
        ("lang=ko", [True, True, False]),
        ("lang=en", [False, False, True]),
        ("kind=question", [True, False, True]),
        ("kind=keyword", [False, True, False]),
    ]


def test_a_field_in_which_all_agree_or_that_is_absent_makes_no_slice() -> None:
    queries = {name: Query(id=name, text="", metadata={"lang": "ko"}) for name in ("q1", "q2")}
    assert [s.name for s in slices(["q1", "q2"], queries)] == ["all"]


def test_a_judged_query_that_is_not_among_the_queries_is_named() -> None:
    with pytest.raises(InputError, match=r"the query 'q2' is judged in the qrels \(1 such\) and is not in the queries"):
        slices(["q1", "q2"], {"q1": Query(id="q1", text="")})
