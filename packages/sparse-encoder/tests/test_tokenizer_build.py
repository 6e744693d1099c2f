import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparse_encoder._files import InputError
from sparse_encoder.tokenizer_build import SPECIAL_TOKENS, Choice, build_tokenizer
from sparse_encoder.vocabulary import Vocabulary
from transformers import AutoTokenizer


def test_words_fall_into_morphemes_without_kiwi(vocabulary: Vocabulary) -> None:
    assert vocabulary.tokenizer.encode("도서관에서 검색은", add_special_tokens=False).tokens == [
        "도서관",
        "##에서",
        "검색",
        "##은",
    ]


def test_every_syllable_is_covered_at_both_places(vocabulary: Vocabulary) -> None:
    assert {"희", "##희", "붐", "##붐"} <= vocabulary.ids.keys()


@given(st.text(alphabet="희소검색은단어마다가중치를둔다", min_size=1, max_size=20))
def test_no_text_of_known_syllables_is_unknown(vocabulary: Vocabulary, text: str) -> None:
    assert "[UNK]" not in vocabulary.tokenizer.encode(text).tokens


def test_the_special_tokens_come_first(vocabulary: Vocabulary) -> None:
    assert vocabulary.tokens[:5] == SPECIAL_TOKENS


def test_the_order_of_texts_does_not_matter() -> None:
    texts = ["검색엔진 색인", "색인과 검색"]
    assert (
        build_tokenizer(texts, Choice(vocab_size=100)).to_str()
        == build_tokenizer(texts[::-1], Choice(vocab_size=100)).to_str()
    )


def test_a_vocabulary_too_small_for_the_characters_is_refused() -> None:
    with pytest.raises(InputError, match="wanted at least 13"):
        build_tokenizer(["가나다라"], Choice(vocab_size=10))


def test_a_vocabulary_above_the_limit_of_sparse_vector_is_refused() -> None:
    with pytest.raises(InputError, match="32769; wanted 1 to 32768"):
        build_tokenizer(["가"], Choice(vocab_size=32_769))


def test_the_folder_loads_in_transformers_with_the_same_ids(tokenizer_folder: Path, vocabulary: Vocabulary) -> None:
    loaded = AutoTokenizer.from_pretrained(tokenizer_folder)
    assert loaded("희소 검색은")["input_ids"] == vocabulary.tokenizer.encode("희소 검색은").ids
    assert loaded.model_max_length == 64


def test_a_vocabulary_for_other_corpora_knows_words_whose_syllables_it_never_saw() -> None:
    texts = ["검색은 색인을 읽는다"]
    assert "[UNK]" in build_tokenizer(texts, Choice(vocab_size=5000)).encode("챗봇").tokens
    covering = build_tokenizer(texts, Choice(vocab_size=5000, common_syllables=True))
    assert covering.encode("챗봇", add_special_tokens=False).tokens == ["챗", "##봇"]


def test_rare_characters_are_left_out_unless_they_are_syllables() -> None:
    tokenizer = build_tokenizer(["가 가 나 ♦ ▲ ▲"], Choice(vocab_size=100, min_characters=2))
    assert tokenizer.encode("가 나 ♦ ▲", add_special_tokens=False).tokens == ["가", "나", "[UNK]", "▲"]


@given(st.text(alphabet="희소검색은단어마다 가중치를é", max_size=20))
def test_decomposed_text_is_cut_as_composed_text_is(vocabulary: Vocabulary, text: str) -> None:
    nfc, nfd = (vocabulary.tokenizer.encode(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
    assert nfd.ids == nfc.ids


def test_decomposed_passages_give_the_vocabulary_of_composed_ones() -> None:
    texts = ["도서관에서 검색은", "역색인(inverted index)은 단어에서"]
    found = [
        build_tokenizer([unicodedata.normalize(form, text) for text in texts], Choice(vocab_size=200)).to_str()
        for form in ("NFC", "NFD")
    ]
    assert found[0] == found[1]


def test_transformers_composes_too(tokenizer_folder: Path) -> None:
    loaded = AutoTokenizer.from_pretrained(tokenizer_folder)
    assert loaded(unicodedata.normalize("NFD", "희소 검색은"))["input_ids"] == loaded("희소 검색은")["input_ids"]
