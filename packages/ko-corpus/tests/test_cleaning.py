import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from ko_corpus import Document, clean, clean_text
from ko_corpus.cleaning import guess_language


@given(st.text())
def test_cleaning_a_clean_text_changes_nothing(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text())
def test_a_clean_text_is_nfc_and_has_no_odd_space(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert {c for c in cleaned if c.isspace()} <= {" ", "\n", "\x1c", "\x1d", "\x1e", "\x1f"}
    assert "\n\n\n" not in cleaned


@given(st.text(alphabet="가나다 abc.\n"))
def test_no_letter_is_lost(text: str) -> None:
    assert "".join(clean_text(text).split()) == "".join(text.split())


def test_decomposed_hangul_is_composed() -> None:
    assert clean_text(unicodedata.normalize("NFD", "검색")) == "검색"


def test_indentation_is_kept_and_trailing_space_is_not() -> None:
    assert clean_text("가:\n    나  다 \n \n\n라") == "가:\n    나 다\n\n라"


def test_a_document_loses_its_time_of_day_and_gains_its_language() -> None:
    raw = Document(id="a", title=" 가\n나 ", text="임베딩(embedding)을\r\n", published="2026-01-31T10:00:00Z")
    assert clean(raw) == Document(
        id="a", title="가 나", text="임베딩(embedding)을", language="ko", published="2026-01-31"
    )


def test_a_language_that_is_given_is_kept() -> None:
    assert clean(Document(id="a", text="sparse", language="de")).language == "de"


def test_little_hangul_among_english_is_english() -> None:
    assert guess_language("The word 검색 means search in the language of Korea") == "en"
