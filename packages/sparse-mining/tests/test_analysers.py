"""Tests of `analysers`."""

from pathlib import Path

import pytest
from sparse_mining._files import InputError, read_json
from sparse_mining._kiwi import Analysis
from sparse_mining.analysers import NAMES, analyser
from tokenizers import Tokenizer, models, pre_tokenizers


@pytest.fixture
def wordpiece(tmp_path: Path) -> Path:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "검색": 2, "##엔진": 3, "index": 4}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_kiwi_keeps_the_morphemes_that_carry_meaning() -> None:
    assert list(analyser("kiwi").terms(["임베딩을 만들었습니다."])) == [["임베딩", "만들"]]


def test_kiwi_has_the_identity_of_the_golden_analysis(golden: Path) -> None:
    found = read_json(golden / "analysis.json", dict[str, object])["identity"]
    assert isinstance(found, dict)
    assert analyser("kiwi").identity().tags == tuple(found["tags"])


def test_wordpiece_cuts_as_its_tokenizer_does(wordpiece: Path) -> None:
    assert list(analyser(f"wordpiece:{wordpiece}").terms(["검색엔진 index"])) == [["검색", "##엔진", "index"]]


def test_wordpiece_is_identified_by_the_contents_of_its_file(wordpiece: Path) -> None:
    before = analyser(f"wordpiece:{wordpiece}").identity()
    file = wordpiece / "tokenizer.json"
    file.write_text(file.read_text().replace("index", "other"))
    assert analyser(f"wordpiece:{wordpiece}").identity() != before


def test_a_bigram_of_one_character_is_that_character() -> None:
    assert list(analyser("bigrams").terms(["물 a1 日本"])) == [["물", "a1", "日本"]]


def test_compounds_are_kept_whole_and_split() -> None:
    found = list(analyser("kiwi+compounds").terms(["검색엔진 색인 구조와 데이터베이스관리", ""]))
    assert found == [["검색", "엔진", "검색엔진", "색인", "구조", "데이터베이스", "관리", "데이터베이스관리"], []]


def test_compounds_make_another_analyser() -> None:
    whole, split = analyser("kiwi+compounds").identity(), analyser("kiwi").identity()
    assert whole != split
    assert whole.options == {"lowercase": True, "compounds": True}


def test_words_and_bigrams_differ_in_identity() -> None:
    words = Analysis(analyser="words", analyser_version="1", tags=(), options={"lowercase": True})
    assert analyser("words").identity() == words
    assert analyser("bigrams").identity() != words


@pytest.mark.parametrize("spec", ["nori", "wordpiece", "words:3"])
def test_an_unknown_analyser_is_refused_with_those_there_are(spec: str) -> None:
    with pytest.raises(InputError, match=NAMES[0]):
        analyser(spec)
