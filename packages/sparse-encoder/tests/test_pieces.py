from hypothesis import given
from hypothesis import strategies as st
from sparse_encoder.pieces import count_pieces, cut_words


def test_a_word_is_cut_where_kiwi_sees_a_boundary() -> None:
    assert list(cut_words(["검색엔진에서 찾는다."])) == [["검색", "엔진", "에서"], ["찾", "는다"], ["."]]


def test_a_contracted_morpheme_stays_in_one_piece() -> None:
    assert list(cut_words(["했다"])) == [["했", "다"]]


def test_latin_words_are_lowered_and_not_cut_at_case() -> None:
    assert list(cut_words(["OpenSearch를"])) == [["opensearch", "를"]]


def test_the_same_text_twice_counts_twice() -> None:
    assert count_pieces(["검색"] * 2)["검색"] == 2


@given(st.text(alphabet="가나다라마검색엔진은는이 abC1.,(", max_size=30))
def test_pieces_put_together_are_the_words_again(text: str) -> None:
    assert "".join(p for word in cut_words([text]) for p in word) == "".join(text.lower().split())
