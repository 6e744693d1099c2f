import json
from dataclasses import replace
from pathlib import Path

from sparse_encoder.cli import app
from sparse_encoder.explaining import Explanation, Match, Term, explain
from sparse_encoder.model_folder import read_model
from sparse_encoder.term_changes import change_bars, changes
from typer.testing import CliRunner


def told(**weights: float) -> Explanation:
    return Explanation(
        text="글", terms=[Term(token=t, weight=w, is_expansion=t == "search") for t, w in weights.items()]
    )


def test_terms_that_came_and_went_are_there_with_the_most_changed_first() -> None:
    found = changes(told(검색=2.0, 책=0.5), told(검색=1.8, search=1.0))
    assert [(t.token, t.before, t.after) for t in found.terms] == [
        ("search", 0.0, 1.0),
        ("책", 0.5, 0.0),
        ("검색", 2.0, 1.8),
    ]
    assert [t.is_expansion for t in found.terms] == [True, False, False]


def test_both_scores_stand_below_the_bars() -> None:
    match = Match(token="검색", query_weight=2.0, document_weight=1.0, score=2.0)
    before = Explanation(text="글", terms=[], query="검색")
    after = Explanation(text="글", terms=[], query="검색", score=2.0, matches=[match])
    lines = change_bars(changes(before, after)).splitlines()
    assert lines[-2:] == ["score 0.000 = no shared term", "score 2.000 = 검색 2.00*1.00"]


def test_a_model_against_itself_has_no_change(golden: Path) -> None:
    model = read_model(golden / "model")
    found = explain(model, "희소 검색 색인", query="검색")
    assert all(
        t.before == t.after for t in changes(found, explain(replace(model), "희소 검색 색인", query="검색")).terms
    )
    command = ["explain", golden / "model", "희소 검색", "--compare", golden / "model", "--json"]
    shown = json.loads(CliRunner().invoke(app, [str(c) for c in command], catch_exceptions=False).stdout)
    assert {t["after"] - t["before"] for t in shown["terms"]} == {0.0}
