"""Brackets: what counts as a pair of terms side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_synonyms.brackets import abbreviates, english_forms, find_mentions, is_abbreviation, is_english_term


@pytest.mark.parametrize(
    "text",
    [
        "길이는 3(km)이다",
        "서울(한국)",
        "함수(maxLength)",
        "고수(鼓手)",
        "그림(a)",
        "클라우드(AWS, GCP)",
        "파일(a_b)",
        "시스템(System.dll)",
    ],
)
def test_a_bracket_that_holds_no_translation_is_passed_over(text: str) -> None:
    assert list(find_mentions(text)) == []


def test_a_full_form_and_its_abbreviation_are_two_mentions_of_one_bracket() -> None:
    found = list(find_mentions("디지털 시네마 패키지(Digital Cinema Package, DCP)를"))
    assert [(m.inside, m.full, m.start) for m in found] == [
        ("Digital Cinema Package", "Digital Cinema Package", 11),
        ("DCP", "Digital Cinema Package", 11),
    ]


def test_full_width_brackets_and_glosses_are_understood() -> None:
    assert [m.inside for m in find_mentions("임베딩（영어: embedding）과 색인(이하 'index')")] == ["embedding", "index"]


def test_an_english_term_with_korean_in_brackets_is_a_mention_too() -> None:
    (found,) = find_mentions("리눅스의 namespace(네임스페이스)로")
    assert (found.left, found.inside, found.inside_is) == ("namespace", "네임스페이스", "korean")


def test_the_left_side_starts_with_its_clause() -> None:
    (found,) = find_mentions("앞 문장이다. 그리고 임베딩(embedding)을")
    assert found.left == "그리고 임베딩"


def test_a_gloss_word_that_begins_an_english_term_is_kept() -> None:
    assert english_forms("영문") == []
    assert is_english_term("embedding")


def test_an_abbreviation_needs_the_first_letter_of_its_full_form() -> None:
    assert abbreviates("LLM", "large language model")
    assert not abbreviates("GCP", "Amazon Web Services")


@given(st.text(alphabet="AB한글가 (),.", max_size=60))
def test_every_mention_lies_inside_its_text(text: str) -> None:
    for mention in find_mentions(text):
        assert mention.inside in text
        assert mention.left in text
        assert 0 <= mention.start < len(text)


def test_a_product_name_with_few_capitals_is_no_abbreviation() -> None:
    assert not is_abbreviation("OpenSearch")
