from pathlib import Path

import msgspec
import numpy as np
import pytest
from sparse_encoder._files import InputError, write_json
from sparse_encoder.general_vectors import joined
from sparse_encoder.token_morphemes import TokenMorphemes, find_token_morphemes, read_token_morphemes
from sparse_encoder.tokenizer_build import Choice, assemble, build_tokenizer
from sparse_encoder.vocabulary import Vocabulary, read_vocabulary

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "검색", "##는데", "됐", "##다", "search", "추워", "만들"]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary(tokenizer=assemble(TOKENS), tokens=tuple(TOKENS))


def test_a_token_is_told_by_what_it_stands_for_in_the_passages(words: Vocabulary) -> None:
    table = find_token_morphemes(["검색이 이제 됐다", "그렇게 됐는데 search"], words).tokens
    assert table["됐"].morphemes == {"되/VV": 1.0}
    assert table["##다"].content == 0
    assert table["##다"].general_idf == 0
    assert table["검색"].content == 1
    assert table["검색"].general_idf > table["됐"].general_idf > 0
    assert "search" not in table


def test_a_token_in_no_passage_is_analysed_by_itself(words: Vocabulary) -> None:
    assert find_token_morphemes([], words).tokens["추워"].morphemes == {"춥/VA": 1.0}


def test_the_golden_table_is_read_and_written_as_it_is(golden: Path, tmp_path: Path) -> None:
    found = msgspec.json.decode((golden / "token_morphemes.json").read_bytes(), type=TokenMorphemes)
    write_json(tmp_path / "table.json", found)
    assert (tmp_path / "table.json").read_bytes() == (golden / "token_morphemes.json").read_bytes()
    assert read_token_morphemes(golden / "token_morphemes.json", read_vocabulary(golden / "tokenizer")) == found


def test_a_table_of_another_tokenizer_is_refused(golden: Path, words: Vocabulary) -> None:
    with pytest.raises(InputError, match="was made with another tokenizer"):
        read_token_morphemes(golden / "token_morphemes.json", words)


def test_a_vocabulary_with_general_korean_knows_words_that_the_corpus_lacks() -> None:
    texts = ["검색은 색인을 읽는다. 서버가 검색한다."] * 40
    plain, general = (build_tokenizer(texts, Choice(vocab_size=3000, general=share)) for share in (0, 2))
    known = set(general.get_vocab()) - set(plain.get_vocab())
    assert {"사람", "좋"} <= known


def test_rare_tokens_take_their_direction_from_general_korean_and_common_ones_keep_the_corpus() -> None:
    corpus = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], dtype=np.float32)
    general = np.array([[1, 0], [0, 1], [0, 1], [0, 0]], dtype=np.float32)
    found = joined(corpus, general, np.array([1_000_000, 1, 0, 5]), width=4)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert found[1] @ found[2] > 0.99
    assert found[0] @ found[1] == pytest.approx(np.sqrt(0.7 * 0.7 / 101), abs=1e-3)
    assert abs(found[3] @ found[2]) < 1e-5
