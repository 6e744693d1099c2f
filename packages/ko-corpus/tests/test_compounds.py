import unicodedata

import pytest
from ko_corpus.compounds import compounds


def found(text: str) -> dict[str, str]:
    return next(compounds([text]))


@pytest.mark.parametrize(
    ("text", "key", "surface"),
    [
        ("소형 언어 모델을 쓴다.", "소형언어모델", "소형 언어 모델"),
        ("전고체 배터리가 나온다.", "전고체배터리", "전고체 배터리"),
        ("식집사를 위한 안내", "식집사", "식집사"),
        ("GLP-1 계열의 약", "glp1", "GLP-1"),
        ("OpenSearch 클러스터를", "opensearch클러스터", "OpenSearch 클러스터"),
    ],
)
def test_a_topic_is_found_as_it_is_written(text: str, key: str, surface: str) -> None:
    assert found(text)[key] == surface


def test_spacing_makes_no_difference_to_the_key() -> None:
    assert "전세보증" in found("전세보증을 든다.")
    assert "전세보증" in found("전세 보증을 든다.")


def test_a_compound_ends_at_particles_verbs_and_punctuation() -> None:
    assert list(found("검색을 학습, 색인")) == ["검색", "학습", "색인"]


def test_numbers_alone_and_single_characters_are_no_terms() -> None:
    assert found("2026 12 34") == {}
    assert "책" not in found("책을 읽었다.")


def test_decomposed_text_is_read_as_composed() -> None:
    assert list(found(unicodedata.normalize("NFD", "검색을"))) == ["검색"]


def test_each_text_has_its_own_terms_in_order() -> None:
    assert [list(terms) for terms in compounds(["검색을", "", "학습을"])] == [["검색"], [], ["학습"]]
