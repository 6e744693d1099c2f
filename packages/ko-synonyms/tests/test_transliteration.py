"""Transliteration: loanwords are heard, translations are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synonyms.transliteration import ENOUGH, likeness

LOANWORDS = [
    ("토크나이저", "tokenizer"),
    ("디플레이션", "deflation"),
    ("스키마", "schema"),
    ("캐시", "cache"),
    ("로드 밸런서", "load balancer"),
]
TRANSLATIONS = [
    ("검색", "search"),
    ("용승", "upwelling"),
    ("결로", "condensation"),
    ("지연", "latency"),
    ("색인", "index"),
]


@pytest.mark.parametrize(("korean", "english"), LOANWORDS)
def test_a_loanword_sounds_like_its_source(korean: str, english: str) -> None:
    assert likeness(korean, english) >= ENOUGH


@pytest.mark.parametrize(("korean", "english"), TRANSLATIONS)
def test_a_translation_does_not_sound_like_its_source(korean: str, english: str) -> None:
    assert likeness(korean, english) < ENOUGH


@given(st.text(alphabet="가나다라마바사각난닥렬", max_size=8), st.text(alphabet="abcdeghklmnrst ", max_size=12))
def test_likeness_is_between_zero_and_one(korean: str, english: str) -> None:
    assert 0.0 <= likeness(korean, english) <= 1.0
