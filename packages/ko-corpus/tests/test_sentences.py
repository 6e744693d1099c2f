import pytest
from hypothesis import given
from hypothesis import strategies as st
from ko_corpus.sentences import cut_evenly, sentence_spans, split_sentences

PROSE = st.text(alphabet="가나다라마 ab1.?!\n\"')", max_size=300)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("값은 3.5이다. 끝났다.", ["값은 3.5이다.", "끝났다."]),
        ("2024. 3. 1. 시행한다. 다음이다.", ["2024. 3. 1. 시행한다.", "다음이다."]),
        ("값은 3.5. 끝났다.", ["값은 3.5.", "끝났다."]),
        ("J. Kim은 Dr. Lee와 썼다. 끝.", ["J. Kim은 Dr. Lee와 썼다.", "끝."]),
        ('"왜?" 그가 물었다.', ['"왜?"', "그가 물었다."]),
        ("- 하나\n- 둘", ["- 하나", "- 둘"]),
        ("정말…… 그럴까?!", ["정말……", "그럴까?!"]),
        ("   ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(PROSE)
def test_sentences_hold_every_letter_in_order(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(PROSE)
def test_spans_are_trimmed_and_do_not_overlap(text: str) -> None:
    end_before = 0
    for start, end in sentence_spans(text):
        assert end_before <= start < end
        assert text[start:end] == text[start:end].strip()
        end_before = end


@given(PROSE, st.integers(1, 40))
def test_pieces_hold_every_letter_and_none_is_too_long(text: str, max_chars: int) -> None:
    pieces = cut_evenly(text, max_chars=max_chars)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(1 <= len(piece) <= max_chars for piece in pieces)


def test_pieces_are_even_rather_than_full() -> None:
    text = " ".join(["열 글자인 문장이다."] * 5)
    assert [len(piece) for piece in cut_evenly(text, max_chars=47)] == [23, 35]


def test_a_sentence_that_is_too_long_is_cut_at_a_space_or_anywhere() -> None:
    assert cut_evenly("가나 다라마바사", max_chars=4) == ["가나", "다라마바", "사"]
