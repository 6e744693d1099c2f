from pathlib import Path

import pytest
from sparse_encoder._files import InputError
from sparse_encoder.cli import app
from sparse_encoder.explaining import Explanation, Term, bars, explain
from sparse_encoder.model_folder import read_model
from typer.testing import CliRunner


def test_a_score_is_the_sum_of_its_matches(golden: Path) -> None:
    found = explain(read_model(golden / "model"), "희소 검색 색인", query="희소 검색 vector 색인")
    assert found.score == pytest.approx(sum(match.score for match in found.matches), abs=1e-3)
    assert [t.weight for t in found.terms] == sorted((t.weight for t in found.terms), reverse=True)


def test_terms_that_the_text_lacks_are_expansions(golden: Path) -> None:
    found = explain(read_model(golden / "model"), "희소 검색")
    assert {t.token for t in found.terms if not t.is_expansion} <= {"희소", "검색"}


def test_expansions_are_marked_with_a_plus() -> None:
    terms = [Term(token="검색", weight=2.0, is_expansion=False), Term(token="search", weight=1.0, is_expansion=True)]
    assert bars(Explanation(text="검색", terms=terms), width=4).splitlines() == [
        "  2.000 ████ 검색",
        "+ 1.000 ██   search",
    ]


def test_a_pair_without_shared_terms_says_so() -> None:
    found = Explanation(text="검색", terms=[], query="책")
    assert bars(found).splitlines()[-1] == "score 0.000 = no shared term"


def test_a_number_of_terms_below_one_is_wrong_use(golden: Path) -> None:
    for n in ("-3", "0"):
        assert CliRunner().invoke(app, ["explain", str(golden / "model"), "검색", "--terms", n]).exit_code == 2


def test_a_text_or_query_of_bytes_that_are_not_utf_8_is_refused(golden: Path) -> None:
    bad, model = b"\xed\xa0\x80 x".decode("utf-8", errors="surrogateescape"), str(golden / "model")
    for arguments in ([bad], ["검색", "--query", bad]):
        with pytest.raises(InputError, match="holds bytes that are not UTF-8; wanted text"):
            CliRunner().invoke(app, ["explain", model, *arguments], catch_exceptions=False)
