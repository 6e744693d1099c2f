"""Particles: the form that fits the new word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synonyms.josa import adjust

PAIRS = [("을", "를"), ("은", "는"), ("이", "가"), ("과", "와"), ("으로", "로"), ("이나", "나"), ("이란", "란")]


@pytest.mark.parametrize(
    ("josa", "word", "fitting"),
    [
        ("을", "search", "를"), ("를", "pattern", "을"), ("이", "API", "가"),
        ("가", "SQL", "이"), ("와", "web", "과"),
        ("으로", "file", "로"), ("로", "임베딩", "으로"), ("로", "모델", "로"),
        ("는", "검색", "은"), ("이란", "query", "란"),
        ("에서", "server", "에서"), ("에게", "model", "에게"), ("의", "검색", "의"), ("으로는", "cache", "로는"),
    ],
)  # fmt: skip
def test_a_particle_takes_the_form_of_the_word_before_it(josa: str, word: str, fitting: str) -> None:
    assert adjust(josa, word) == fitting


@given(st.sampled_from(PAIRS), st.sampled_from(["검색", "서버", "모델", "token", "search", "API"]))
def test_both_forms_become_the_same(forms: tuple[str, str], word: str) -> None:
    assert adjust(forms[0], word) == adjust(forms[1], word)
